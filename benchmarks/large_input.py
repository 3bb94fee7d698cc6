"""Time and memory of the selection on files of the size of CMS NanoAOD.

Every file repeats the given events, with event numbers of its own, and carries as many unused
branches of noise as bring it to its size. The selection runs with the example's cuts and once
without cuts, which keeps every pair of the range.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from quarkline.events.files import expand_files
from quarkline.events.sources import open_source
from quarkline.tools.new import new
from quarkline.tools.run import load_analysis, run

NOISE = 64
STEP = 50_000


def main() -> None:
    """Make the files that are missing, and time `select` on them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", required=True, help="NanoAOD files to repeat, as a pattern")
    parser.add_argument("--out", type=Path, required=True, help="folder of the large files")
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--events", type=int, default=1_700_000, help="events a file")
    parser.add_argument("--gigabytes", type=float, default=1.5, help="size of a file")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for copy in range(options.copies):
        path = options.out / f"nanoaod_{copy:02d}.root"
        if not path.exists():
            write(
                path,
                expand_files([options.files], base=Path()),
                copy,
                options.events,
                options.gigabytes,
            )
        print(f"{path.name}: {path.stat().st_size / 1e9:.2f} GB")
    for name, overrides in {"example's cuts": [], "no cuts": ["pair.cuts=null"]}.items():
        measure(name, options.out, options.workers, overrides)


def write(path: Path, files: list[Path], copy: int, events: int, gigabytes: float) -> None:
    """Repeat events into one file; noise makes up what is missing of its size."""
    parts = []
    for file in files:
        with open_source(file) as source:
            parts.append(source.read(list(source.schema.columns)))
    array = ak.concatenate(parts)
    collections = sorted({n.partition("_")[0] for n in array.fields if array[n].ndim == 2})
    own = sum(file.stat().st_size for file in files) / len(array)
    width = max(1, round((gigabytes * 1e9 / events - own) / 4 / NOISE))
    generator = np.random.default_rng(copy)
    with uproot.recreate(path) as file:
        tree = None
        for start in range(0, events, STEP):
            rows = (np.arange(start, min(start + STEP, events)) + copy) % len(array)
            chunk = array[rows]
            columns = {n: chunk[n] for n in array.fields if array[n].ndim == 1}
            columns = {n: c for n, c in columns.items() if n not in {f"n{x}" for x in collections}}
            columns["event"] = np.arange(start, start + len(rows), dtype=np.uint64)
            columns["run"] = np.full(len(rows), 280_000 + copy, dtype=np.uint32)
            jagged = {
                name: ak.zip(
                    {
                        n.partition("_")[2]: chunk[n]
                        for n in array.fields
                        if array[n].ndim == 2 and n.partition("_")[0] == name
                    }
                )
                for name in collections
            }
            noise = {
                f"Noise{i}": generator.random((len(rows), width), dtype=np.float32)
                for i in range(NOISE)
            }
            data = columns | jagged | noise
            if tree is None:
                types = {
                    n: v.type.content if isinstance(v, ak.Array) else (v.dtype, v.shape[1:])
                    for n, v in data.items()
                }
                tree = file.mktree("Events", types)
            tree.extend(data)


def measure(name: str, folder: Path, workers: int, overrides: list[str]) -> None:
    """Run the selection once in a new folder."""
    home = folder / f"analysis-{time.time_ns()}"
    home.mkdir()
    config = new("upsilon", folder=home)
    analysis = load_analysis(
        config,
        overrides=[f"inputs.files={folder}/*.root", f"roots.runs={home / 'runs'}", *overrides],
        compute={"workers": workers},
    )
    start = time.perf_counter()
    record = run(analysis, until="select").run.record("select")
    seconds = time.perf_counter() - start
    selection = record.results["selection"]
    read, kept = selection.steps[0].searched, sum(selection.regions + selection.regions_control)
    worker, parent = (
        resource.getrusage(who).ru_maxrss / 1e6
        for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)
    )
    table = record.files["pairs"].stat().st_size / 1e6
    print(
        f"{name}: {read:,} events, {kept:,} pairs kept, {seconds:.1f} s "
        f"({read / seconds:,.0f} events/s); peak memory {worker:.2f} GB a worker, "
        f"{parent:.2f} GB the parent; table {table:.0f} MB"
    )


if __name__ == "__main__":
    main()
