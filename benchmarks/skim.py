"""Skims of large ntuples against ROOT's RDataFrame: time, processor, memory, and the same events.

The ntuples repeat the given ones: events of all files in several random orders, event numbers
shifted, written by ROOT (zlib, level 1). `--quick` tries everything on small files. Both programs
have two cores, keep about 5 % of the events, and write zstd level 5.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from quarkline.events.files import expand_files
from quarkline.events.sources import open_source

TREE = "nominal"
SEEDS = 8
PROGRAM = Path(__file__).with_name("skim_root.py")
CUTS = {
    "same sign and tau": "l2SS_1tau == 1",
    "pT": "lep_Pt_0 >= 10e3 && lep_Pt_1 >= 10e3",
    "eta": "fabs(lep_Eta_0) <= 2.5 && fabs(lep_Eta_1) <= 2.5",
    "no Z": "fabs(Mll01 - 91.2e3) > 10e3",
    "quality": " && ".join(
        f"((fabs(lep_ID_{i}) == 11 && lep_isTightLH_{i} != 0)"
        f" || (fabs(lep_ID_{i}) == 13 && lep_isMedium_{i} != 0))"
        for i in (0, 1)
    ),
}
COUNTER = "njets"
ROW_IDS = ("_source", "_entry", "_object")
SIXTEEN = (
    *("eventNumber", "runNumber", "mcChannelNumber", "RunYear", "weight_mc", "weight_pileup"),
    *("xs", "totalEventsWeighted", "HT", "HT_jets", "met_met", "met_phi"),
    *("lep_Pt_0", "lep_Pt_1", "lep_Eta_0", "lep_Eta_1"),
)
LAST_FOUR = {
    "flat": ["tau_Pt_0", "tau_Eta_0", "Mll01", "DRll01"],
    "jagged": [COUNTER, "jets_pt", "jets_eta", "jets_phi"],
}


@dataclass(frozen=True)
class Cost:
    """What a program took: seconds by the clock and of processors, and bytes at its peak."""

    wall: float
    processor: float
    memory: float
    printed: str


def main() -> None:
    """Make the files one after the other, skim each with both programs, and remove it."""
    options = arguments()
    print(f"load before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        folder = Path(name)
        for kind in options.kinds:
            rows, seeds = write_seeds(expand_files([options.data], base=Path()), kind, folder)
            file = grown(options, kind, rows, seeds, folder)
            compare(options, kind, file, seeds[0], folder)
            for times in options.sizes:
                memory(options, kind, file, times, folder)
            file.unlink()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="ntuples to repeat, as a pattern")
    parser.add_argument("--root-python", default=sys.executable, help="a Python that has ROOT")
    parser.add_argument("--work", type=Path, help="folder for the large files")
    parser.add_argument("--gigabytes", type=float, default=1.05, help="size of each ntuple")
    parser.add_argument("--kinds", nargs="*", default=["flat", "jagged"])
    parser.add_argument("--sizes", nargs="*", type=int, default=[1, 4, 16], help="for memory")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small files, once")
    options = parser.parse_args()
    if options.quick:
        options.gigabytes, options.sizes, options.repeat = 0.05, [1, 2], 1
    return options


def write_seeds(files: Sequence[Path], kind: str, folder: Path) -> tuple[int, list[Path]]:
    """All events of the ntuples in several random orders, each in a file; and their number."""
    parts = []
    for file in files:
        with open_source(file) as source:
            parts.append(source.read(list(source.schema.columns)))
    names = [n for n in parts[0].fields if all(n in part.fields for part in parts)]
    array = ak.concatenate([part[names] for part in parts])
    paths = []
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(array))
        paths.append(folder / f"seed_{kind}_{seed}.root")
        write_seed(paths[-1], ak.to_packed(array[order]), kind)
    return len(array), paths


def write_seed(path: Path, array: ak.Array, kind: str) -> None:
    """Write one seed, uncompressed, with or without its lists."""
    columns = {n: array[n] for n in array.fields if array[n].ndim == 1 and n != COUNTER}
    if kind == "jagged":
        lists = [n for n in array.fields if array[n].ndim == 2]
        columns["jets"] = ak.zip({n.removeprefix("jets_"): array[n] for n in lists})
    with uproot.recreate(path, compression=None) as file:
        types = {name: column.type.content for name, column in columns.items()}
        tree = file.mktree(TREE, types, counter_name=lambda name: f"n{name}")
        for start in range(0, len(array), 20_000):
            tree.extend({name: c[start : start + 20_000] for name, c in columns.items()})


def grown(
    options: argparse.Namespace, kind: str, rows: int, seeds: Sequence[Path], folder: Path
) -> Path:
    """One ntuple of the size that was asked for."""
    sample = folder / "sample.root"
    root(options, "grow", sample, rows, *seeds[:2])
    times = max(2, round(options.gigabytes * 1e9 / sample.stat().st_size * 2))
    sample.unlink()
    path = folder / f"{kind}.root"
    root(options, "grow", path, rows, *(seeds[number % SEEDS] for number in range(times)))
    with uproot.open(path) as file:
        tree = file[TREE]
        print(
            f"\n{kind}: {path.stat().st_size / 1e9:.2f} GB, {tree.num_entries:,} events, "
            f"{len(tree.branches)} branches"
        )
    return path


def root(options: argparse.Namespace, *command: object) -> Cost:
    """Run a command of `skim_root.py`."""
    return cost([options.root_python, "-W", "ignore", str(PROGRAM), *map(str, command)])


def compare(options: argparse.Namespace, kind: str, file: Path, tiny: Path, folder: Path) -> None:
    """Skim a file with both programs, all branches and twenty of them."""
    for columns in ([], [*SIXTEEN, *LAST_FOUR[kind]]):
        print(f"{kind}, {len(columns) or 'all'} branches; median (range) of {options.repeat}")
        theirs, ours = folder / "rdataframe.root", folder / "skim"
        selection = " && ".join(f"({cut})" for cut in CUTS.values())
        rounds = []
        for number in range(options.repeat):
            call = ("snapshot", theirs, selection, ",".join(columns))
            fresh, warm = root(options, *call, file), root(options, *call, tiny, file)
            cache = folder / f"cache{number}"
            first, again = (skim(file, ours / name, columns, cache) for name in ("first", "again"))
            rounds.append((fresh, alone(warm), first, again))
        for name, costs in zip(NAMES, zip(*rounds, strict=True), strict=True):
            show(name, costs)
        check(theirs, ours / "first" / file.name)
        for path in (theirs, *ours.rglob("*")):
            path.is_dir() or path.unlink()


NAMES = (
    "RDataFrame, whole process",
    "RDataFrame, compiled before",
    "quarkline skim, new file",
    "quarkline skim, known file",
)


def alone(warm: Cost) -> Cost:
    """The second skim of a process, which compiled everything in the first."""
    found = json.loads(warm.printed)[-1]
    return Cost(found["wall"], found["processor"], warm.memory, "")


def skim(file: Path, out: Path, columns: Sequence[str], cache: Path) -> Cost:
    """Skim a file with `quarkline skim` into a new folder."""
    subprocess.run(["rm", "-rf", str(out)], check=True)
    cuts = [word for name, cut in CUTS.items() for word in ("--select", f"{name}: {cut}")]
    keep = [word for name in columns for word in ("--keep", name)]
    command = [sys.executable, "-m", "quarkline", "skim", str(file), "-o", str(out)]
    return cost([*command, *cuts, *keep, "--workers", "2"], XDG_CACHE_HOME=str(cache))


def memory(options: argparse.Namespace, kind: str, file: Path, times: int, folder: Path) -> None:
    """Peak memory of a skim of a file several times as large."""
    large = file if times == 1 else folder / "large.root"
    if times > 1:
        root(options, "repeat", large, times, file)
    found = skim(large, folder / "skim" / "large", [], folder / "cache")
    size = large.stat().st_size / 1e9
    print(f"{kind}, {size:.1f} GB: peak memory {found.memory / 1e9:.2f} GB, {found.wall:.0f} s")
    if times > 1:
        large.unlink()


def check(theirs: Path, ours: Path) -> None:
    """Compare the events in both outputs, and say how large they are."""
    with uproot.open(theirs) as first, uproot.open(ours) as second:
        trees = first[TREE], second[TREE]
        names, written = (sorted({*tree.keys()} - {COUNTER, *ROW_IDS}) for tree in trees)
        if names != written:
            sys.exit(f"branches differ: {set(names) ^ set(written)}")
        for name in names:
            left, right = (
                np.sort(np.asarray(ak.flatten(t[name].array(), axis=None))) for t in trees
            )
            if not np.array_equal(left, right):
                sys.exit(f"{name} differs")
    sizes = " and ".join(f"{path.stat().st_size / 1e6:.1f} MB" for path in (theirs, ours))
    print(f"  same {len(left):,} values in each of {len(names)} branches; outputs {sizes}")


def show(name: str, costs: Sequence[Cost]) -> None:
    """One row of the table."""
    wall, processor = ([getattr(c, what) for c in costs] for what in ("wall", "processor"))
    memory = max(c.memory for c in costs) / 1e9
    print(
        f"  {name:28s} {np.median(wall):6.2f} s ({min(wall):.2f} to {max(wall):.2f}), processor "
        f"{np.median(processor):6.2f} s ({min(processor):.2f} to {max(processor):.2f}), "
        f"memory {memory:.2f} GB"
    )


def cost(command: Sequence[str], **environment: str) -> Cost:
    """Run a program; its processor time and memory include those of its children."""
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=printed, stderr=said, env=os.environ | environment
        )
        peak = Peak(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(command)}\n{said.read()}")
        printed.seek(0)
        return Cost(wall, used.ru_utime + used.ru_stime, peak.stop(), printed.read())


class Peak:
    """Watches the resident memory of a process and its children; shared pages count once."""

    def __init__(self, pid: int) -> None:
        self.pid, self.bytes, self.done = pid, 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def stop(self) -> float:
        """End, and return the largest sum that was seen."""
        self.done.set()
        self.thread.join()
        return self.bytes

    def _watch(self) -> None:
        while not self.done.wait(0.05):
            self.bytes = max(self.bytes, sum(map(resident, family(self.pid))))


def family(pid: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))
    except OSError:  # it ended meanwhile
        return


def resident(pid: int) -> float:
    """Resident bytes of a process, pages it shares in proportion; 0 if it ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"(?m)^Pss:\s+(\d+) kB", text)
    return float(found[1]) * 1024 if found else 0.0


if __name__ == "__main__":
    main()
