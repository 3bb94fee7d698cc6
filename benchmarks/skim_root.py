"""ROOT's side of `skim.py`, run by a Python that has ROOT; prints one line of JSON.

python skim_root.py grow OUT SHIFTED SEED...       one file of all seeds, event numbers shifted
python skim_root.py repeat OUT TIMES FILE          one file of FILE TIMES times, baskets copied
python skim_root.py snapshot OUT SELECTION COLUMNS FILE...   each FILE in turn, two threads
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import ROOT

TREE = "nominal"


def grow(out: str, rows: str, *seeds: str) -> None:
    """Write the events of all seeds, of `rows` events each, into one file, zlib level 1."""
    chain = ROOT.TChain(TREE)
    for seed in seeds:
        chain.Add(seed)
    shifted = f"(ULong64_t)(eventNumber + 10000000000ULL * (rdfentry_ / {rows}))"
    frame = ROOT.RDataFrame(chain).Redefine("eventNumber", shifted)
    frame.Snapshot(TREE, out, "", options("kZLIB", 1))


def repeat(out: str, times: str, file: str) -> None:
    """Write a file's events several times, without unpacking them."""
    chain = ROOT.TChain(TREE)
    for _ in range(int(times)):
        chain.Add(file)
    chain.Merge(out, "fast")


def snapshot(out: str, selection: str, columns: str, *files: str) -> list[dict[str, float]]:
    """Skim each file, the first with compilation and those after it without."""
    ROOT.EnableImplicitMT(2)
    return [skim(out, selection, columns.split(",") if columns else [], file) for file in files]


def skim(out: str, selection: str, columns: Sequence[str], file: str) -> dict[str, float]:
    """Skim one file; wall and processor seconds, and the events that passed."""
    wall, processor = time.perf_counter(), time.process_time()
    frame = ROOT.RDataFrame(TREE, file).Filter(selection)
    count = frame.Count()
    frame.Snapshot(TREE, out, columns or "", options("kZSTD", 5))
    passed = count.GetValue()
    return {
        "wall": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
        "passed": passed,
    }


def options(algorithm: str, level: int) -> Any:
    """How a snapshot is compressed."""
    chosen = ROOT.RDF.RSnapshotOptions()
    chosen.fCompressionAlgorithm = getattr(ROOT.RCompressionSetting.EAlgorithm, algorithm)
    chosen.fCompressionLevel = level
    return chosen


if __name__ == "__main__":
    command = {"grow": grow, "repeat": repeat, "snapshot": snapshot}[sys.argv[1]]
    print(json.dumps(command(*sys.argv[2:])))
