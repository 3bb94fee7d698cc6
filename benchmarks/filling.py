"""Filling 30 regions x 15 samples x 20 variations at once: against a pass a region, and RDataFrame.

The ntuples are generated: one tree of 51 columns a sample, written in baskets of 50,000 entries
(zlib, level 1). All programs have two cores and give the same histograms; their sums are compared.
`--root PYTHON` names an interpreter that can import ROOT; without it RDataFrame is left out.
RDataFrame uses `Vary`, one graph a sample, all of them run together.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import uproot

from quarkline.catalog import Catalog
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.core.config import load_config
from quarkline.templates.fill import HistRequest, fill, requests_of

PROGRAM = Path(__file__).with_name("filling_root.py")
CORES = 2
SAMPLES, REGIONS, VARIATIONS, SHAPES = 15, 30, 20, 18
WEIGHT = "(weight_mc * weight_pu * weight_lepton * weight_btag) * 0.01"
PRESELECTION = "n_lep == 2 && lep_pt_0 > 15e3 && lep_pt_1 > 10e3 && abs(lep_eta_0) < 2.5"


def variable(region: int) -> str:
    """What a region draws."""
    return [f"shape_{region % SHAPES}", "met / 1e3", "n_jets + 0.5 * n_b"][region % 3]


def selection(region: int) -> str:
    """The cut of a region, on top of the preselection: about a tenth of it."""
    jets, low = region % 5 + 2, 0.15 * (region // 5)
    return f"n_jets == {jets} && score > {low:g} && score <= {low + 0.4:g} && quality != 0"


def bins(region: int) -> tuple[int, float, float]:
    """Number and range of the bins of a region."""
    return [(20, -2.0, 2.0), (25, 0.0, 250.0), (12, 0.0, 12.0)][region % 3]


def main() -> None:
    """Make the files, fill them in each way, and compare."""
    options = arguments()
    print(f"load before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        folder = Path(name)
        for number in range(SAMPLES):
            write(folder / f"{number}.root", options.rows, number)
        catalog = analysis(folder)
        requests = requests_of(catalog)
        print(f"{len(requests):,} histograms of {SAMPLES * options.rows:,} events")
        executor = LocalWorkers(CORES)
        fill(requests[:1], catalog, executor=executor)  # starts the workers
        once = timed("one pass", lambda: fill(requests, catalog, executor=executor).histograms)
        if options.serial:
            timed("one pass, one core", lambda: fill(requests, catalog).histograms)
        if options.root:
            compare(options, folder, once, requests)
        if not options.no_regions:
            each = timed("a pass a region", lambda: by_region(requests, catalog, executor))
            print(f"  ratio {each[0] / once[0]:.1f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="events of each sample")
    parser.add_argument("--root", help="interpreter that can import ROOT")
    parser.add_argument("--work", type=Path, help="folder for the files")
    parser.add_argument("--serial", action="store_true", help="fill on one core, too")
    parser.add_argument("--no-regions", action="store_true", help="without a pass a region")
    return parser.parse_args()


def write(path: Path, rows: int, seed: int) -> None:
    """Write the ntuple of one sample."""
    rng = np.random.default_rng(seed)
    with uproot.recreate(path, compression=uproot.ZLIB(1)) as file:
        first = events(rng, min(rows, 50_000))
        tree = file.mktree("nominal", {name: array.dtype for name, array in first.items()})
        tree.extend(first)
        for start in range(50_000, rows, 50_000):
            tree.extend(events(rng, min(50_000, rows - start)))


def events(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Columns of some events; floats are rounded to 13 bits, as in an experiment's ntuples."""

    def real(values: np.ndarray) -> np.ndarray:
        raw = values.astype(np.float32).view(np.uint32)
        return ((raw + 0x200) & 0xFFFFFC00).astype(np.uint32).view(np.float32)

    columns = {
        "n_lep": rng.choice([1, 2, 3], rows, p=[0.3, 0.6, 0.1]).astype(np.int32),
        "n_jets": rng.integers(1, 8, rows).astype(np.int32),
        "n_b": rng.integers(0, 3, rows).astype(np.int32),
        "quality": rng.integers(0, 10, rows).astype(np.int32),
        "lep_pt_0": real(rng.exponential(40e3, rows) + 10e3),
        "lep_pt_1": real(rng.exponential(20e3, rows) + 8e3),
        "lep_eta_0": real(rng.normal(0, 1.5, rows)),
        "met": real(rng.exponential(50e3, rows)),
        "score": real(rng.uniform(0, 1, rows)),
    }
    columns |= {f"shape_{i}": real(rng.normal(0, 1, rows)) for i in range(SHAPES)}
    for name in ("mc", "pu", "lepton", "btag"):
        columns[f"weight_{name}"] = real(rng.normal(1, 0.2, rows))
    for number in range(VARIATIONS // 2):
        columns[f"weight_{number}_up"] = real(rng.normal(1, 0.05, rows))
        columns[f"weight_{number}_down"] = real(rng.normal(1, 0.05, rows))
    return columns


def analysis(folder: Path) -> Catalog:
    """The analysis of these files."""
    told = {
        "files": {"folders": str(folder), "trees": "nominal"},
        "selection": PRESELECTION,
        "weights": {"event": WEIGHT},
        "samples": {f"s{i}": {"files": {"names": str(i)}} for i in range(SAMPLES)},
        "regions": {
            f"r{i}": {
                "variable": variable(i),
                "selection": selection(i),
                "binning": dict(
                    zip(("kind", "bins", "low", "high"), ("uniform", *bins(i)), strict=True)
                ),
            }
            for i in range(REGIONS)
        },
        "systematics": {
            f"w{i}": {
                "kind": "varied",
                "up": {"weight_factor": f"weight_{i}_up"},
                "down": {"weight_factor": f"weight_{i}_down"},
            }
            for i in range(VARIATIONS // 2)
        },
    }
    path = folder / "analysis.yaml"
    path.write_text(json.dumps(told))
    return load_config(path).validate(Catalog)


def by_region(requests: list[HistRequest], catalog: Catalog, executor: LocalWorkers) -> object:
    """Fill region by region."""
    return [
        fill([item for item in requests if item.region == region], catalog, executor=executor)
        for region in catalog.regions
    ]


def timed(name: str, work: Callable[[], object]) -> tuple[float, object]:
    """Time something, its worker processes included."""
    started, before = time.perf_counter(), processor()
    found = work()
    seconds = time.perf_counter() - started
    spent = processor() - before
    print(f"{name}: {seconds:.1f} s, processor {spent:.1f} s; load {os.getloadavg()[0]:.1f}")
    return seconds, found


def processor() -> float:
    """Processor time of this process and its living descendants."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = sum(os.times()[:4])
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            total += (int(fields[11]) + int(fields[12])) / ticks
    return total


def compare(
    options: argparse.Namespace,
    folder: Path,
    once: tuple[float, object],
    requests: list[HistRequest],
) -> None:
    """Fill with RDataFrame, and compare all contents."""
    job = {
        "files": [str(folder / f"{i}.root") for i in range(SAMPLES)],
        "weight": WEIGHT.replace("weight_", "(double)weight_"),  # ROOT's language has doubles
        "preselection": PRESELECTION,
        "regions": [[variable(i), selection(i), *bins(i)] for i in range(REGIONS)],
        "variations": [
            f"weight_{i}_{side}" for i in range(VARIATIONS // 2) for side in ("up", "down")
        ],
        "cores": CORES,
        "result": str(folder / "root.npy"),
    }
    (folder / "job.json").write_text(json.dumps(job))
    subprocess.run([options.root, PROGRAM, folder / "job.json"], check=True)
    theirs = np.load(folder / "root.npy", allow_pickle=False)
    ours = np.concatenate([once[1][item].sums for item in sorted(requests, key=_order)])
    different = np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1.0)
    print(f"  largest relative difference {different.max():.1e}")


def _order(request: HistRequest) -> tuple[int, int, int]:
    """Sample, region, variation, as the ROOT program writes them."""
    number = 0
    if request.variation:
        number = 1 + 2 * int(request.systematic[1:]) + (request.side == "down")
    return int(request.sample[1:]), int(request.region[1:]), number


if __name__ == "__main__":
    main()
