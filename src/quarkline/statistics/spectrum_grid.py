"""A mass range in cells of equal ratio, and windows of one relative width with their sidebands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.findings import InputError, Rule
from quarkline.statistics.arrays import Bools, Floats, Indices

BAD_SPECTRUM = Rule(
    "QL-STAT-040",
    "a whole-spectrum scan has a positive range, a resolution and intervals to mask",
    "Cells and windows have equal widths in the logarithm of the mass, so the range starts above "
    "zero and is many windows long; the resolution is relative, such as 0.01 for 1 %, and a mask "
    "is an interval of masses.",
)

WINDOW_RESOLUTIONS = 2.8  # the interval of a Gaussian peak with the largest S / sqrt(B)
CELLS = 4  # of a window; a window starts at each of them
GUARD = 2  # cells beside a window that hold the tails of its peak and are no sideband
SIDEBAND = 12  # cells of the sideband on either side
FEWEST = 6  # cells without which a side predicts nothing
REACH = 3 * SIDEBAND  # cells from the guard, beyond which no sideband cell lies
COARSEST = 0.1  # resolution
MOST_CELLS = 20_000

Interval = tuple[float, float]


@dataclass(frozen=True)
class LocalWindow:
    """A window of the scan and the cells its background is fitted to.

    Attributes:
        first: Its first cell; it holds CELLS of them.
        sidebands: Sideband cells below and above, ascending, as distances from `first`.
        below: How many of them are below.
        known: Whether it overlaps a masked interval.
    """

    first: int
    sidebands: tuple[int, ...]
    below: int
    known: bool

    @property
    def two_sided(self) -> bool:
        """Whether both sides have enough cells to interpolate between them."""
        return min(self.below, len(self.sidebands) - self.below) >= FEWEST

    @property
    def cells(self) -> slice:
        """The cells of the window."""
        return slice(self.first, self.first + CELLS)


@dataclass(frozen=True)
class SpectrumGrid:
    """Cells of equal width in ln m over a mass range, and a window starting at each.

    A window is 2.8 resolutions or 4 cells wide. Its sidebands are the 12 nearest cells on either
    side beyond a guard of 2 cells, without masked ones and without any farther away than
    three times that. The cells tile the range exactly, so their width is rounded a little. A cell
    holds low <= m < high.

    Attributes:
        range: Lowest and highest mass, in the unit of the mass.
        resolution: Standard deviation of a narrow peak over its mass.
        mask: Intervals of mass that serve no window as sideband, such as known resonances.
    """

    range: Interval
    resolution: float = 0.01
    mask: tuple[Interval, ...] = ()

    def __post_init__(self) -> None:
        low, high = (float(end) for end in self.range)
        object.__setattr__(self, "range", (low, high))
        object.__setattr__(self, "mask", tuple((float(a), float(b)) for a, b in self.mask))
        if problem := self._problem():
            message, suggestion = problem
            raise InputError(BAD_SPECTRUM.finding(message, suggestion=suggestion))

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        low, high = self.range
        return round(math.log(high / low) * CELLS / (WINDOW_RESOLUTIONS * self.resolution))

    @cached_property
    def edges(self) -> Floats:
        """Edges of the cells, with shape (cells + 1,)."""
        return np.geomspace(*self.range, self.n_cells + 1)

    @cached_property
    def masked(self) -> Bools:
        """Cells that overlap a masked interval, with shape (cells,)."""
        found = np.zeros(self.n_cells, dtype=bool)
        for start, stop in self.mask:
            found |= (self.edges[1:] > start) & (self.edges[:-1] < stop)
        return found

    @cached_property
    def windows(self) -> tuple[LocalWindow, ...]:
        """The windows, low to high, one starting at each cell."""
        return tuple(self._window(first) for first in range(self.n_cells - CELLS + 1))

    def count(self, mass: ArrayLike, weight: ArrayLike | None = None) -> Floats:
        """Number of events, or sum of weights, in each cell.

        Args:
            mass: Masses, with shape (N,); those outside the range are ignored.
            weight: Weights, with shape (N,).

        Returns:
            Contents, with shape (cells,).
        """
        cells = np.searchsorted(self.edges, np.asarray(mass, dtype=np.float64), side="right")
        weights = None if weight is None else np.asarray(weight, dtype=np.float64)
        sums = np.bincount(cells, weights, minlength=self.edges.size + 1)
        return sums[1:-1].astype(np.float64)

    def _problem(self) -> tuple[str, str] | None:
        """What is wrong, and what to do about it."""
        low, high = self.range
        between = f"between {low:g} and {high:g}"
        if not (0.0 < low < high and math.isfinite(high)):
            return f"there are no logarithmic windows {between}", "start above zero, such as 0.3 20"
        if not 0.0 < self.resolution <= COARSEST:
            problem = f"the resolution {self.resolution:g} is not in (0, {COARSEST:g}]"
            return problem, "give the width of a narrow peak over its mass, such as 0.01"
        if empty := [interval for interval in self.mask if not interval[0] < interval[1]]:
            start, stop = empty[0]
            return f"the mask {start:g} to {stop:g} is empty", "give the lower mass first"
        if self.n_cells < CELLS + 2 * (GUARD + FEWEST):
            problem = f"no window of resolution {self.resolution:g} has sidebands {between}"
            return problem, "widen the range or give a finer resolution"
        if self.n_cells > MOST_CELLS:
            problem = f"a resolution of {self.resolution:g} makes {self.n_cells:,} windows"
            return problem, "give the width of a narrow peak over its mass, such as 0.01"
        return None

    def _window(self, first: int) -> LocalWindow:
        free = np.flatnonzero(~self.masked)
        start, stop = first - GUARD, first + CELLS + GUARD
        below = free[(free < start) & (free >= start - REACH)][-SIDEBAND:]
        above = free[(free >= stop) & (free < stop + REACH)][:SIDEBAND]
        cells: Indices = np.concatenate([below, above]) - first
        known = bool(self.masked[first : first + CELLS].any())
        return LocalWindow(first, tuple(cells.tolist()), below.size, known)
