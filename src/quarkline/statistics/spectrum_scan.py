"""A whole mass spectrum searched for narrow peaks: local significances, and the best one's worth.

Masses are taken as ln m, in which a relative resolution is a constant width. Every window has its
own background, fitted to the cells beside it, so no function describes the whole spectrum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats, Indices
from quarkline.statistics.batch import HuntBatch
from quarkline.statistics.binning import NAN_MASS, NEGATIVE_SUM
from quarkline.statistics.model import TOO_FLEXIBLE
from quarkline.statistics.significance import p_from_z, z_from_p
from quarkline.statistics.spectrum_fits import (
    CellContents,
    SpectrumToys,
    expected_cells,
    local_hunts,
    local_scale,
    sideband_p_values,
)
from quarkline.statistics.spectrum_grid import (
    CELLS,
    FEWEST,
    Interval,
    LocalWindow,
    SpectrumGrid,
)
from quarkline.statistics.trials import global_significance, upcrossing_bound

FEWEST_EVENTS = 10  # beside a window, to predict a background at all
FEWEST_EXCEEDING = 10  # toys beyond the data that make a p-value worth quoting
MISFIT = 1e-4  # p-value of the sidebands below which a background predicts nothing
NUMBERS = (
    "signal",
    "signal_error",
    "background",
    "background_error",
    "z_local",
    "p_sidebands",
)


class WindowStatus(StrEnum):
    """What became of a window.

    Attributes:
        CONVERGED: Searched.
        DEGENERATE: Searched; the sidebands do not fix the background, so it has no error.
        FAILED: A fit could not be certified; there are no numbers.
        MISFIT: Not searched: the fit does not describe its sidebands, with a p-value below 1e-4.
            A threshold, an edge of the spectrum or a strong peak lies in them.
        ONE_SIDED: Not searched: fewer than 6 sideband cells on one side, at an end of the range
            or between masks.
        SPARSE: Not searched: fewer than 10 events beside it.
    """

    CONVERGED = "converged"
    DEGENERATE = "degenerate"
    FAILED = "failed"
    MISFIT = "misfit"
    ONE_SIDED = "one-sided"
    SPARSE = "sparse"


@dataclass(frozen=True)
class BestWindow:
    """The most significant of some windows, corrected for having looked at all of them.

    Attributes:
        index: Which window it is.
        z_local: Its local significance.
        p_local: The local p-value.
        windows: Number of windows it was chosen from.
        n_toys: Number of background-only toys scanned in the same way.
        n_toys_failed: How many were left out because a fit failed.
        n_exceeding: Toys whose best window is at least as significant.
        p_global: Their fraction; None without toys.
        z_global: The same in standard deviations, not below 0.
        upcrossings: Mean number of upcrossings of Z = 1 along a toy.
        p_upcrossing: Bound on the global p-value from upcrossings.
        z_upcrossing: The same in standard deviations, not below 0.
    """

    index: int
    z_local: float
    p_local: float
    windows: int
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
        """Global p-value: from toys if 10 of them reach it, else the bound from upcrossings."""
        if self.p_global is None or self.n_exceeding < FEWEST_EXCEEDING:
            return self.p_upcrossing
        return self.p_global.value

    @property
    def best_z_global(self) -> float | None:
        """The same in standard deviations, not below 0."""
        found = self.best_p_global
        return None if found is None else max(float(z_from_p(found)), 0.0)

    @property
    def trials_factor(self) -> float | None:
        """The global p-value over the local one; None if that underflows."""
        found = self.best_p_global
        return None if found is None or self.p_local == 0.0 else found / self.p_local


@dataclass(frozen=True)
class SpectrumScanResult(Result, kind="spectrum-scan"):
    """A whole spectrum in cells of equal ratio, and the hunt in every window of it.

    Attributes:
        mass_range: Lowest and highest mass.
        resolution: Standard deviation of a narrow peak over its mass.
        degree: Degree of the local backgrounds, polynomials in ln m.
        mask: Intervals of mass that served no window as sideband.
        edges: Edges of the cells, with shape (cells + 1,).
        counts: Contents of the cells, with shape (cells,).
        error: Standard deviations of weighted contents; None for plain counts.
        expected: Background expected in the cells, from the local fits; what toys follow.
        low: Lower edges of the windows, ascending, with shape (windows,).
        high: Upper edges.
        known: Whether a window overlaps a masked interval.
        n_window: Contents of the windows.
        signal: Signals; these and all that follows are NaN where no background was fitted.
        signal_error: Their standard deviations.
        background: Backgrounds.
        background_error: Their standard deviations.
        z_local: Local significances; NaN where a window was not searched.
        p_local: Local p-values.
        p_sidebands: p-values of the chi^2 of the sideband fits: whether the background fits.
        status: What became of the windows.
        best: The most significant window of all; None if none was searched.
        best_unknown: The most significant one that overlaps no masked interval; None without a
            mask, or if there is no such window.
    """

    mass_range: tuple[float, float]
    resolution: float
    degree: int
    mask: tuple[tuple[float, float], ...]
    edges: tuple[float, ...]
    counts: tuple[float, ...]
    error: tuple[float, ...] | None
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    known: tuple[bool, ...]
    n_window: tuple[float, ...]
    signal: tuple[float, ...]
    signal_error: tuple[float, ...]
    background: tuple[float, ...]
    background_error: tuple[float, ...]
    z_local: tuple[float, ...]
    p_local: tuple[float, ...]
    p_sidebands: tuple[float, ...]
    status: tuple[WindowStatus, ...]
    best: BestWindow | None
    best_unknown: BestWindow | None

    @property
    def searched(self) -> int:
        """Number of windows with a significance."""
        return int(np.isfinite(self.z_local).sum())

    @property
    def candidate(self) -> BestWindow | None:
        """The best window outside the mask: what could be new."""
        return self.best_unknown if self.mask else self.best

    def window_at(self, mass: float) -> int | None:
        """The window centred closest to a mass; None if the mass lies in no window."""
        low, high = np.array(self.low), np.array(self.high)
        holding = np.flatnonzero((low <= mass) & (mass < high))
        if not holding.size:
            return None
        centres = np.sqrt(low[holding] * high[holding])
        return int(holding[np.argmin(np.abs(np.log(centres / mass)))])

    def peaks(self, fewest_sigma: float = 3.0) -> list[int]:
        """Windows that stand out, low to high: of overlapping ones the most significant."""
        z, found = np.array(self.z_local), []
        while (z >= fewest_sigma).any():
            index = int(np.nanargmax(z))
            found.append(index)
            z[max(index - CELLS + 1, 0) : index + CELLS] = np.nan
        return sorted(found)

    def misfits(self) -> list[Interval]:
        """Stretches of mass with windows whose sidebands no background describes, low to high."""
        bad = np.array([status is WindowStatus.MISFIT for status in self.status], dtype=int)
        starts, stops = (np.flatnonzero(np.diff(bad, prepend=0, append=0) == k) for k in (1, -1))
        return [(self.low[a], self.high[b - 1]) for a, b in zip(starts, stops, strict=True)]


def scan_spectrum(
    grid: SpectrumGrid,
    mass: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    degree: int = 3,
    n_toys: int = 1000,
    seed: int = 1,
    workers: int = 1,
) -> SpectrumScanResult:
    """Hunt in every window of a spectrum, and correct the best one for having looked everywhere.

    Args:
        grid: Cells and windows.
        mass: Masses, with shape (N,).
        weight: Weights, with shape (N,).
        degree: Degree of the local backgrounds in ln m.
        n_toys: Number of background-only toys; 0 gives local significances only.
        seed: Seed of the toys.
        workers: Number of threads; the numbers do not depend on it.

    Raises:
        InputError: If a mass is NaN, the degree does not suit the sidebands, or a weighted cell
            has no positive sum.
    """
    check_degree(degree)
    data = _contents(grid, mass, weight)
    return scan_cells(grid, data, degree=degree, n_toys=n_toys, seed=seed, workers=workers)


def scan_cells(
    grid: SpectrumGrid,
    data: CellContents,
    *,
    degree: int = 3,
    n_toys: int = 1000,
    seed: int = 1,
    workers: int = 1,
) -> SpectrumScanResult:
    """As `scan_spectrum`, for one spectrum that is already counted in the cells of the grid."""
    status = [_status(window, data) for window in grid.windows]
    places = np.flatnonzero([found is WindowStatus.CONVERGED for found in status])
    windows = [grid.windows[place] for place in places]
    if not windows:
        return _result(grid, data, degree, status)
    hunts = local_hunts(data, windows, degree)
    p_sidebands = sideband_p_values(data, windows, hunts, degree)
    for number, place in enumerate(places):
        status[place] = _fit_status(hunts, p_sidebands, number)
    good = np.flatnonzero(~hunts.failed & ~(p_sidebands < MISFIT))
    searched = [windows[number] for number in good]
    expected = expected_cells(grid.n_cells, searched, hunts.take(good), degree)
    z_toys = None
    if n_toys and searched:
        toys = SpectrumToys(searched, degree, expected, local_scale(data))
        z_toys = toys.z(n_toys, seed=seed, workers=workers)
    z_local = np.full(places.size, np.nan)
    z_local[good] = hunts.z[good]
    numbers = {
        "signal": hunts.signal,
        "signal_error": hunts.signal_error,
        "background": hunts.background,
        "background_error": hunts.background_error,
        "z_local": z_local,
        "p_sidebands": p_sidebands,
    }
    return _result(
        grid, data, degree, status, _Found(places, numbers, places[good], expected, z_toys)
    )


@dataclass(frozen=True)
class _Found:
    """What the hunts gave.

    Attributes:
        fitted: Indices of the windows with a background, ascending.
        numbers: Arrays over these windows by field of the result.
        searched: Indices of the windows with a significance, ascending.
        expected: Background in each cell.
        z_toys: Significances of toys, with shape (toys, searched); None without toys.
    """

    fitted: Indices
    numbers: Mapping[str, Floats]
    searched: Indices
    expected: Floats
    z_toys: Floats | None


def _result(
    grid: SpectrumGrid,
    data: CellContents,
    degree: int,
    status: Sequence[WindowStatus],
    found: _Found | None = None,
) -> SpectrumScanResult:
    nowhere = np.empty(0, dtype=np.intp)
    found = found or _Found(nowhere, {}, nowhere, np.zeros(grid.n_cells), None)
    everywhere = {name: np.full(len(status), np.nan) for name in NUMBERS}
    for name, values in found.numbers.items():
        everywhere[name][found.fitted] = values
    known = np.array([window.known for window in grid.windows])
    unknown = found.searched[~known[found.searched]]
    error = None if data.squares is None else _tuple(np.sqrt(data.squares[:, 0]))
    return SpectrumScanResult(
        mass_range=grid.range,
        resolution=grid.resolution,
        degree=degree,
        mask=grid.mask,
        edges=_tuple(grid.edges),
        counts=_tuple(data.sums[:, 0]),
        error=error,
        expected=_tuple(found.expected),
        low=_tuple(grid.edges[: len(status)]),
        high=_tuple(grid.edges[CELLS:]),
        known=tuple(bool(value) for value in known),
        n_window=_tuple(np.convolve(data.sums[:, 0], np.ones(CELLS), mode="valid")),
        **{name: _tuple(values) for name, values in everywhere.items()},
        p_local=_tuple(p_from_z(everywhere["z_local"])),
        status=tuple(status),
        best=_best(everywhere["z_local"], found, found.searched),
        best_unknown=_best(everywhere["z_local"], found, unknown) if grid.mask else None,
    )


def _best(z: Floats, found: _Found, chosen: Indices) -> BestWindow | None:
    """The most significant of the chosen windows; None if no window has a significance."""
    if not chosen.size:
        return None
    index = int(chosen[np.nanargmax(z[chosen])])
    z_local = float(z[index])
    local = BestWindow(index, z_local, float(p_from_z(z_local)), chosen.size)
    if found.z_toys is None:
        return local
    z_toys = found.z_toys[:, np.isin(found.searched, chosen)]
    corrected = global_significance(z[chosen], z_toys)
    stretches = np.flatnonzero(np.diff(chosen) > 1) + 1
    upcrossings, bound = upcrossing_bound(z_local, z_toys, stretches)
    return replace(
        local,
        n_toys=corrected.n_toys + corrected.n_failed,
        n_toys_failed=corrected.n_failed,
        n_exceeding=corrected.n_exceeding,
        p_global=corrected.p_global,
        z_global=corrected.z_global,
        upcrossings=upcrossings,
        p_upcrossing=bound,
        z_upcrossing=max(float(z_from_p(bound)), 0.0),
    )


def _fit_status(hunts: HuntBatch, p_sidebands: Floats, number: int) -> WindowStatus:
    if not hunts.failed[number] and p_sidebands[number] < MISFIT:
        return WindowStatus.MISFIT
    return WindowStatus(str(hunts.status((number,))))


def _status(window: LocalWindow, data: CellContents) -> WindowStatus:
    """Whether a window can be searched; CONVERGED until its fits say otherwise."""
    if not window.two_sided:
        return WindowStatus.ONE_SIDED
    seen = data.around([window]).without_last.seen
    return WindowStatus.SPARSE if float(seen.sum()) < FEWEST_EVENTS else WindowStatus.CONVERGED


def _contents(grid: SpectrumGrid, mass: ArrayLike, weight: ArrayLike | None) -> CellContents:
    """One spectrum in the cells of the grid, refused if no hunt can be made in it."""
    masses = np.asarray(mass, dtype=np.float64).ravel()
    if nans := int(np.isnan(masses).sum()):
        raise InputError(
            NAN_MASS.finding(
                f"{nans:,} of {masses.size:,} masses are not a number",
                suggestion="exclude them by a selection",
                evidence={"nan": nans, "entries": masses.size},
            )
        )
    sums = grid.count(masses, weight)[:, None]
    if weight is None:
        return CellContents(sums)
    squares = grid.count(masses, np.asarray(weight, dtype=np.float64) ** 2)[:, None]
    bad = (sums <= 0.0) & (squares > 0.0)
    if bad.any():
        raise InputError(
            NEGATIVE_SUM.finding(
                f"{int(bad.sum())} cells have entries and a sum of weights of zero or less",
                suggestion="give a coarser resolution, or exclude negative weights by a selection",
                evidence={"cells": int(bad.sum())},
            )
        )
    return CellContents(sums, squares)


def check_degree(degree: int) -> None:
    """Refuse a degree that the sidebands of a window at an edge could not be fitted with.

    Raises:
        InputError: If the degree is negative or leaves fewer than two cells to judge it by.
    """
    highest = 2 * FEWEST - 2
    if not 0 <= degree <= highest:
        raise InputError(
            TOO_FLEXIBLE.finding(
                f"degree {degree} does not suit {2 * FEWEST} sideband cells",
                suggestion=f"use a degree from 0 to {highest}; the fits are local, so 3 is enough",
                evidence={"degree": degree, "sideband_bins": 2 * FEWEST},
            )
        )


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(values.tolist())
