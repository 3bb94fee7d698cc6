"""Speed of the bump hunt: 105 cuts, and toys of two spectra, against the published procedure.

    python benchmarks/bump_hunt.py [--data FOLDER] [--repeat N]

FOLDER is a copy of the published dimuon events (`upsilon_cms`). Without it, spectra of the same
sizes are drawn from a smooth model.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from published_hunt import hunt as published_hunt

from quarkline.engine.core.rng import rng
from quarkline.statistics import (
    HuntBinning,
    Spectrum,
    expected_background,
    fit_batch,
    toy_hunts,
)

EVENTS = {"all events": 12_332, "FPR 0.01": 157}
SIZES = (12_332, 3_166, 1_339, 699, 157, 75, 14)
CONFIGURATIONS = tuple((degree, bins) for degree in (3, 5, 7) for bins in (7, 11, 15))
TOYS = {"all events": 51_200, "FPR 0.01": 10_240}
TARGETS = {"105 cuts": 1.0, "all events": 50_000.0, "FPR 0.01": 10_000.0}
PLAIN_FITS = 3
DEGREE = 5


def main() -> None:
    """Measure, and print a line for each target."""
    arguments = _arguments()
    print(__doc__.splitlines()[0])
    cuts = list(_published_cuts(arguments.data) if arguments.data else _model_cuts())
    number = sum(len(spectrum.window) for spectrum, _ in cuts)
    runs, used = _repeated(lambda: [fit_batch(*cut) for cut in cuts], arguments.repeat)
    plain = [_plain_seconds(spectrum, degree, 0) for spectrum, degree in cuts[:PLAIN_FITS]]
    seconds = statistics.median(runs)
    print(
        f"{number} cuts: {seconds:.3f} s ({_spread(runs)}; {used:.3f} s of processor), "
        f"target {TARGETS['105 cuts']:g} s; "
        f"published procedure {statistics.mean(plain):.2f} s a cut, "
        f"ratio {statistics.mean(plain) * number / seconds:,.0f}"
    )
    for name, spectrum in _spectra(arguments.data):
        _toys(name, spectrum, arguments.repeat)


def _toys(name: str, spectrum: Spectrum, repeat: int) -> None:
    expected = expected_background(spectrum, DEGREE)
    plain = statistics.mean(
        _plain_seconds(_drawn(expected, index), DEGREE, 0) for index in range(PLAIN_FITS)
    )
    for workers in (1, 2):
        runs, used = _repeated(
            lambda workers=workers: toy_hunts(expected, DEGREE, TOYS[name], workers=workers), repeat
        )
        rates = [TOYS[name] / run for run in runs]
        median = statistics.median(rates)
        print(
            f"toys, {name}, {workers} workers: {median:,.0f}/s "
            f"({min(rates):,.0f} to {max(rates):,.0f}; {1e6 * used / TOYS[name]:.1f} us of "
            f"processor each, {used / statistics.mean(runs):.2f} cores used), "
            f"target {TARGETS[name]:,.0f}/s; "
            f"published procedure {1 / plain:.2f}/s, ratio {median * plain:,.0f}"
        )


def _repeated(task: Callable[[], object], repeat: int) -> tuple[list[float], float]:
    """Seconds of several runs after one that warms up, and seconds of processor of one."""
    task()
    runs = []
    used = time.process_time()
    for _ in range(repeat):
        start = time.perf_counter()
        task()
        runs.append(time.perf_counter() - start)
    return runs, (time.process_time() - used) / repeat


def _spread(runs: list[float]) -> str:
    return f"{min(runs):.3f} to {max(runs):.3f}"


def _plain_seconds(spectrum: Spectrum, degree: int, index: int) -> float:
    """Time of the published procedure for one spectrum."""
    binning = spectrum.binning
    cells = spectrum.cells.reshape(-1, binning.n_sidebands + 1)[index]
    start = time.perf_counter()
    published_hunt(binning.centres, binning.window, binning.bins, degree, cells)
    return time.perf_counter() - start


def _drawn(expected: Spectrum, index: int) -> Spectrum:
    cells = rng(1, "benchmark", index).poisson(expected.cells).astype(float)
    return Spectrum.from_cells(expected.binning, cells)


def _smooth(binning: HuntBinning, events: int) -> Spectrum:
    """A falling spectrum with about `events` events in the range, and a bump in the window."""
    mass = rng(1, "benchmark-mass", events).exponential(4.5, 20 * events) + 5.0
    background = mass[mass < 16.0][: int(0.97 * events)]
    bump = rng(1, "benchmark-bump", events).normal(9.6, 0.15, events - background.size)
    return binning.count(np.concatenate([background, bump]))


def _model_cuts() -> Iterator[tuple[Spectrum, int]]:
    """Fifteen fits of seven cuts each, as published: nine variations, six repeated."""
    for number in range(15):
        degree, bins = CONFIGURATIONS[number % len(CONFIGURATIONS)]
        binning = HuntBinning(bins=bins)
        yield Spectrum.stack([_smooth(binning, events) for events in SIZES]), degree


def _published_cuts(folder: Path) -> Iterator[tuple[Spectrum, int]]:
    cases = json.loads((folder / "expected.json").read_text())["cases"]
    for case in cases.values():
        events = folder / f"{case['tested_on'].lower()}_events.npz"
        name = f"level_{case['trained_on']}_{case['poly_degree']}_{case['n_edges_sr']}"
        with np.load(events, allow_pickle=False) as file:
            mass, level = file["mass"], file[name]
        binning = HuntBinning(bins=case["n_bins_sr"])
        spectra = [binning.count(mass[level >= cut["level_min"]]) for cut in case["cuts"]]
        yield Spectrum.stack(spectra), case["poly_degree"]


def _spectra(folder: Path | None) -> Iterator[tuple[str, Spectrum]]:
    binning = HuntBinning()
    if folder is None:
        for name, events in EVENTS.items():
            yield name, _smooth(binning, events)
        return
    with np.load(folder / "os_events.npz", allow_pickle=False) as file:
        mass, level = file["mass"], file["level_OS_5_12"]
    yield "all events", binning.count(mass)
    yield "FPR 0.01", binning.count(mass[level >= 5])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the published dimuon events")
    parser.add_argument("--repeat", type=int, default=7, help="runs of each measurement")
    return parser.parse_args()


if __name__ == "__main__":
    main()
