"""Building a training set of many jets: time, processor time and memory.

Random jets of our layout (some 10 clusters, 4 tracks and 3 segments each) are written once in
files of 50,000, then mixed with a limit, a filter and weights that flatten momenta.

    python benchmarks/tagging_build.py [--jets N] [--scaling quarkline|upstream|none]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.studies.tagging.build.block import JetBlock
from quarkline.studies.tagging.build.config import BuildConfig
from quarkline.studies.tagging.build.files import JetSink
from quarkline.studies.tagging.build.mixture import build
from quarkline.studies.tagging.columns import JET, LLP, STREAMS
from quarkline.studies.tagging.tables import MASSES, WEIGHT

FILE = 50_000
MEAN = {"constit": 10, "track": 4, "MSeg": 3}


def jets(rows: int, number: int) -> JetBlock:
    """Random jets of all three classes."""
    draw = np.random.default_rng(number)
    values: dict[str, Any] = {name: draw.normal(size=rows) for name in (*JET, *LLP, *MASSES)}
    values |= {"jet_pt": 40 + draw.exponential(50, rows), WEIGHT: draw.exponential(1, rows)}
    values |= {"label": draw.integers(0, 3, rows), "runNumber": np.full(rows, number)}
    values |= {"eventNumber": np.arange(rows), "_source": np.full(rows, number)}
    values |= {"_entry": np.arange(rows), "_object": np.zeros(rows, np.int64)}
    present, streams = {}, {}
    for stream in STREAMS:
        counts = np.minimum(draw.poisson(MEAN[stream.name], rows), stream.rows)
        there = np.arange(stream.rows) < counts[:, None]
        present[stream.name] = there
        streams[stream.name] = {
            name: np.where(there, draw.normal(0, 10, there.shape), 0.0) for name in stream.stored
        }
    return JetBlock(values, streams, present).only([*values, *_stored()])


def _stored() -> list[str]:
    return [name for stream in STREAMS for name in stream.stored]


def main() -> None:
    """Write tables, build, and tell the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jets", type=int, default=1_000_000)
    parser.add_argument("--scaling", default="quarkline")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base, out = Path(folder) / "tables", Path(folder) / "out"
        base.mkdir()
        out.mkdir()
        for number in range(-(-given.jets // FILE)):
            with JetSink(base / f"{number}.parquet", {"kind": "none"}, flat=False) as sink:
                sink.write(jets(min(FILE, given.jets - number * FILE), number))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        inputs = [{"files": ".", "where": "jet_pt > 45", "jets": given.jets * 8 // 10}]
        keys = {"main": inputs, "control": None, "flatten": "flat", "scaling": given.scaling}
        config = BuildConfig.model_validate(keys)
        wall, processor = time.perf_counter(), time.process_time()
        found = build(config, base, out, seed=1)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        kept = sum(one.jets for one in found.classes)
        size = (out / "main.parquet").stat().st_size / 1e6
        print(
            f"{given.jets:,} jets read, {kept:,} written ({size:,.0f} MB): {wall:.1f} s, "
            f"{processor:.1f} s of processor, peak memory {peak:,.0f} MB ({before:,.0f} before)"
        )


if __name__ == "__main__":
    main()
