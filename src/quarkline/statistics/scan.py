"""The window slid over the mass range: local significances, and what the best one is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats
from quarkline.statistics.batch import FitStatus, HuntBatch, fit_batch
from quarkline.statistics.binning import TILING_TOLERANCE, HuntBinning, Spectrum
from quarkline.statistics.scan_toys import ToyScan, range_fit
from quarkline.statistics.significance import p_from_z, z_from_p
from quarkline.statistics.trials import global_significance, upcrossing_bound

FEWEST_EXCEEDING = 10  # toys beyond the data that make a p-value worth quoting


@dataclass(frozen=True)
class MassScanResult(Result, kind="mass-scan"):
    """A hunt in windows of equal width along the mass range.

    Attributes:
        mass_range: Lowest and highest mass.
        step: Distance of neighbouring windows.
        bins: Number of bins across a window.
        degree: Degree of the background.
        background_shape: Name of the background shape.
        low: Lower edges of the windows, ascending, with shape (windows,).
        high: Upper edges.
        n_window: Contents of the windows.
        signal: Signals.
        signal_error: Their standard deviations.
        background: Backgrounds.
        background_error: Their standard deviations.
        z_local: Local significances.
        p_local: Local p-values.
        status: How the fits ended.
        best: Index of the most significant window.
        n_toys: Number of background-only toys scanned in the same way.
        n_toys_failed: How many were left out because a fit failed.
        n_exceeding: Toys whose best window is at least as significant.
        p_global: Their fraction.
        z_global: The same in standard deviations, not below 0.
        upcrossings: Mean number of upcrossings of Z = 1 along a toy.
        p_upcrossing: Bound on the global p-value from upcrossings.
        z_upcrossing: The same in standard deviations, not below 0.
    """

    mass_range: tuple[float, float]
    step: float
    bins: int
    degree: int
    background_shape: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    n_window: tuple[float, ...]
    signal: tuple[float, ...]
    signal_error: tuple[float, ...]
    background: tuple[float, ...]
    background_error: tuple[float, ...]
    z_local: tuple[float, ...]
    p_local: tuple[float, ...]
    status: tuple[FitStatus, ...]
    best: int
    n_toys: int = 0
    n_toys_failed: int = 0
    n_exceeding: int = 0
    p_global: Quantity | None = None
    z_global: float | None = None
    upcrossings: Quantity | None = None
    p_upcrossing: float | None = None
    z_upcrossing: float | None = None

    @property
    def best_p_global(self) -> float | None:
        """Global p-value of the best window: from toys if 10 of them reach it, else the bound."""
        if self.p_global is None or self.n_exceeding < FEWEST_EXCEEDING:
            return self.p_upcrossing
        return self.p_global.value

    @property
    def trials_factor(self) -> float | None:
        """The global p-value over the local one."""
        found = self.best_p_global
        return None if found is None else found / self.p_local[self.best]


def scan_windows(
    binning: HuntBinning,
    mass: ArrayLike,
    degree: int,
    *,
    weight: ArrayLike | None = None,
    step: float | None = None,
    n_toys: int = 1000,
    seed: int = 1,
    background: str = "polynomial",
    workers: int = 1,
) -> MassScanResult:
    """Hunt in windows along the range, and correct the best one for having looked everywhere.

    The windows are that of the binning shifted by multiples of the step, as far as a complete
    sideband bin remains on either side. Toys follow a fit of the background to the whole range and
    go through the same scan. Upcrossings of Z = 1 bound the p-value beyond the reach of toys
    (`upcrossing_bound`).

    Args:
        binning: Range, window and bins.
        mass: Masses, with shape (N,).
        degree: Degree of the background.
        weight: Weights, with shape (N,).
        step: Distance of neighbouring windows; None takes half a window.
        n_toys: Number of background-only toys; 0 gives local significances only.
        seed: Seed of the toys.
        background: Name of the background shape.
        workers: Number of threads; the numbers do not depend on it.

    Raises:
        InputError: If no window has enough sideband bins for the degree.
    """
    distance = step or (binning.window[1] - binning.window[0]) / 2
    positions = window_positions(binning, distance)
    hunts = [
        fit_batch(Spectrum.stack([place.count(mass, weight)]), degree, background=background)
        for place in positions
    ]
    batch = HuntBatch.joined(hunts, (len(positions),))
    result = _local(binning, distance, degree, background, positions, batch)
    if not n_toys:
        return result
    density, scale = range_fit(binning, mass, degree, weight=weight, background=background)
    scan = ToyScan(positions, degree, density, scale, background)
    return _with_global(result, scan.z(n_toys, seed=seed, workers=workers))


def window_positions(binning: HuntBinning, step: float) -> list[HuntBinning]:
    """The binning with its window at multiples of `step` from its own, low to high."""
    (low, high), (start, stop) = binning.range, binning.window
    free_below, free_above = start - low - binning.width, high - stop - binning.width
    below = int(max(free_below / step + TILING_TOLERANCE, 0.0))
    above = int(max(free_above / step + TILING_TOLERANCE, 0.0))
    shifts = [n * step for n in range(-below, above + 1)]
    return [replace(binning, window=(start + shift, stop + shift)) for shift in shifts]


def _local(
    binning: HuntBinning,
    step: float,
    degree: int,
    background: str,
    positions: list[HuntBinning],
    batch: HuntBatch,
) -> MassScanResult:
    return MassScanResult(
        mass_range=binning.range,
        step=step,
        bins=binning.bins,
        degree=degree,
        background_shape=background,
        low=tuple(place.window[0] for place in positions),
        high=tuple(place.window[1] for place in positions),
        n_window=_tuple(batch.n_window),
        signal=_tuple(batch.signal),
        signal_error=_tuple(batch.signal_error),
        background=_tuple(batch.background),
        background_error=_tuple(batch.background_error),
        z_local=_tuple(batch.z),
        p_local=_tuple(p_from_z(batch.z)),
        status=tuple(batch.status((index,)) for index in range(len(positions))),
        best=int(np.argmax(np.nan_to_num(batch.z, nan=-1.0))),
    )


def _with_global(result: MassScanResult, z_toys: Floats) -> MassScanResult:
    """The scan with its global p-values from toys (toys, windows)."""
    found = global_significance(result.z_local, z_toys)
    upcrossings, bound = upcrossing_bound(found.z_local, z_toys)
    return replace(
        result,
        n_toys=found.n_toys + found.n_failed,
        n_toys_failed=found.n_failed,
        n_exceeding=found.n_exceeding,
        p_global=found.p_global,
        z_global=found.z_global,
        upcrossings=upcrossings,
        p_upcrossing=bound,
        z_upcrossing=max(float(z_from_p(bound)), 0.0),
    )


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
