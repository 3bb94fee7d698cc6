"""Speed of the whole-spectrum scan: local fits of the data and of 1,000 toys in every window.

    python benchmarks/spectrum.py [--repeat N]

The spectra are drawn from a smooth falling model in ln m, with few and with many events.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from quarkline.engine.core.rng import rng
from quarkline.statistics import SpectrumGrid, scan_spectrum

TARGET = 60.0
TOYS = 1000
GRIDS = {
    "200 windows": SpectrumGrid((0.3, 20.0), 0.02956),
    "0.3 to 20 GeV": SpectrumGrid((0.3, 20.0)),
    "0.3 to 120 GeV": SpectrumGrid((0.3, 120.0)),
}
EVENTS = (2_000, 20_000, 1_000_000)


def main() -> None:
    """Measure, and print a line for each grid, size and number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3, help="runs of each measurement")
    repeat = parser.parse_args().repeat
    print(__doc__.splitlines()[0])
    for name, grid in GRIDS.items():
        for events in EVENTS:
            for workers in (1, 2):
                _measure(name, grid, events, workers, repeat)


def _measure(name: str, grid: SpectrumGrid, events: int, workers: int, repeat: int) -> None:
    mass = _masses(grid, events)
    scan_spectrum(grid, mass, n_toys=2)  # fills the cache of fit problems
    runs, used = [], time.process_time()
    for _ in range(repeat):
        start = time.perf_counter()
        found = scan_spectrum(grid, mass, n_toys=TOYS, workers=workers)
        runs.append(time.perf_counter() - start)
    used = (time.process_time() - used) / repeat
    each = 1e6 * used / (found.searched * TOYS)
    print(
        f"{name}, {events:,} events, {workers} workers: {len(found.low)} windows, "
        f"{found.searched} searched, {statistics.median(runs):.2f} s ({min(runs):.2f} to "
        f"{max(runs):.2f}; {used:.2f} s of processor, {each:.1f} us a toy and window), "
        f"target {TARGET:g} s for 200 windows"
    )


def _masses(grid: SpectrumGrid, events: int) -> np.ndarray:
    """Masses with dN/dln m falling as m^-0.5."""
    low, high = (end**-0.5 for end in grid.range)
    share = rng(1, "benchmark-spectrum", events).random(events)
    return (low - share * (low - high)) ** -2.0


if __name__ == "__main__":
    main()
