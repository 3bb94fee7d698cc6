"""Mass spectra for a bump hunt: sideband bins tiled outward from one counting window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.findings import InputError, Rule
from quarkline.statistics.arrays import Floats

BAD_WINDOW = Rule(
    "QL-STAT-001",
    "the window lies inside the mass range",
    "A bump hunt counts events in one window and predicts its background from the bins on its "
    "sides. The range must be increasing, the window must be increasing, and it must lie inside "
    "the range.",
)
NAN_MASS = Rule(
    "QL-STAT-002",
    "every mass is a number",
    "A mass that is not a number (NaN) belongs to no bin. It usually comes from a square root of a "
    "negative number or a division by zero in the mass expression; exclude such events by a "
    "selection that says why.",
)
BAD_WEIGHT = Rule(
    "QL-STAT-007",
    "every weight is a finite number",
    "A weight that is NaN or infinite makes every sum it enters meaningless. It usually comes from "
    "a division by zero in the weight expression; exclude such events by a selection.",
)
NEGATIVE_SUM = Rule(
    "QL-STAT-003",
    "the weights of a bin have a positive sum",
    "The scaled Poisson likelihood treats the sum of weights of a bin as a count in units of "
    "<w^2>/<w>. Negative weights are fine as long as every bin with entries keeps a positive sum; "
    "otherwise use wider bins or drop the negative weights.",
)
BAD_BINS = Rule(
    "QL-STAT-004",
    "the window has at least one bin",
    "`bins` is the number of bins across the window and sets the width of the sideband bins.",
)

TILING_TOLERANCE = 1e-9  # of a bin: rounding may not cost the outermost bin


@dataclass(frozen=True)
class HuntBinning:
    """Sideband bins of width (window width) / bins, tiled outward from a counting window.

    The incomplete bin at either end of the range is dropped and its events are ignored. A sideband
    bin holds low <= m < high, the window low < m < high. So an event exactly on the upper edge of
    the window belongs to the first high sideband bin, one exactly on the lower edge to none. Edges
    are rounded to 13 digits of the range, so that decimal numbers mean what they say.

    Attributes:
        range: Lowest and highest mass, in the unit of the mass.
        window: Lower and upper edge of the counting window.
        bins: Number of bins across the window.
    """

    range: tuple[float, float] = (5.0, 16.0)
    window: tuple[float, float] = (9.0, 10.6)
    bins: int = 11

    def __post_init__(self) -> None:
        (low, high), (start, stop) = self.range, self.window
        object.__setattr__(self, "range", (float(low), float(high)))
        object.__setattr__(self, "window", (float(start), float(stop)))
        if self.bins < 1:
            raise InputError(BAD_BINS.finding(f"{self.bins} bins in the window", suggestion="11"))
        if not (math.isfinite(low) and math.isfinite(high) and low <= start < stop <= high):
            raise InputError(
                BAD_WINDOW.finding(
                    f"window {start:g} to {stop:g} is not inside the range {low:g} to {high:g}",
                    suggestion="give a window as `low high` with range low <= low < high <= "
                    "range high",
                )
            )

    @property
    def width(self) -> float:
        """Width of a bin."""
        return (self.window[1] - self.window[0]) / self.bins

    @cached_property
    def low_edges(self) -> Floats:
        """Edges of the bins below the window, with shape (bins below + 1,)."""
        count = self._complete_bins(self.window[0] - self.range[0])
        below = self._rounded(self.window[0] - self.width * np.arange(count, 0, -1))
        return np.append(below, self.window[0])

    @cached_property
    def high_edges(self) -> Floats:
        """Edges of the bins above the window, with shape (bins above + 1,)."""
        count = self._complete_bins(self.range[1] - self.window[1])
        above = self._rounded(self.window[1] + self.width * np.arange(1, count + 1))
        return np.append(self.window[1], above)

    @cached_property
    def edges(self) -> Floats:
        """Edges of all bins with those of the window between them, for showing a spectrum."""
        inside = self._rounded(self.window[0] + self.width * np.arange(1, self.bins))
        return np.concatenate([self.low_edges, inside, self.high_edges])

    @cached_property
    def centres(self) -> Floats:
        """Centres of the sideband bins, low to high, with shape (sideband bins,)."""
        sides = (self.low_edges, self.high_edges)
        return np.concatenate([(edges[1:] + edges[:-1]) / 2 for edges in sides])

    @property
    def n_sidebands(self) -> int:
        """Number of sideband bins."""
        return len(self.low_edges) + len(self.high_edges) - 2

    def count(self, mass: ArrayLike, weight: ArrayLike | None = None) -> Spectrum:
        """Count events, or sum their weights, in the sideband bins and the window.

        Args:
            mass: Masses, with shape (N,), in the unit of the range.
            weight: Weights, with shape (N,).

        Raises:
            InputError: If a mass is NaN, or a weight is not finite.
        """
        masses = np.asarray(mass, dtype=np.float64).ravel()
        if nans := int(np.isnan(masses).sum()):
            raise InputError(
                NAN_MASS.finding(
                    f"{nans:,} of {masses.size:,} masses are not a number",
                    suggestion="exclude them by a selection",
                    evidence={"nan": nans, "entries": masses.size},
                )
            )
        edges = np.concatenate([self.low_edges, self.high_edges])
        cells = np.searchsorted(edges, masses, side="right")
        on_low_edge = masses == self.window[0]
        cells[on_low_edge] = 0  # the window is open below: with the ignored ones
        if weight is None:
            return self._spectrum(np.bincount(cells, minlength=edges.size + 1).astype(float))
        weights = _finite(np.asarray(weight, dtype=np.float64).ravel())
        sums, squares = (
            np.bincount(cells, power, minlength=edges.size + 1).astype(float)
            for power in (weights, weights**2)
        )
        return self._spectrum(sums, squares)

    def histogram(self, mass: ArrayLike, weight: ArrayLike | None = None) -> Floats:
        """Contents of the bins between `edges`, low <= m < high, for showing a spectrum.

        Args:
            mass: Masses, with shape (N,).
            weight: Weights, with shape (N,).
        """
        cells = np.searchsorted(self.edges, np.asarray(mass, dtype=np.float64), side="right")
        weights = None if weight is None else np.asarray(weight, dtype=np.float64)
        return np.bincount(cells, weights, minlength=self.edges.size + 1)[1:-1].astype(float)

    def _spectrum(self, cells: Floats, squares: Floats | None = None) -> Spectrum:
        """Split cells (below, low bins, window, high bins, above) into a spectrum."""
        window = len(self.low_edges)
        keep = np.r_[1:window, window + 1 : cells.size - 1]
        if squares is None:
            return Spectrum(self, cells[keep], cells[window])
        return Spectrum(self, cells[keep], cells[window], squares[keep], squares[window])

    def _complete_bins(self, length: float) -> int:
        return math.floor(length / self.width + TILING_TOLERANCE)

    def _rounded(self, edges: Floats) -> Floats:
        span = max(abs(self.range[0]), abs(self.range[1]))
        return np.round(edges, 13 - math.ceil(math.log10(span)))


def _finite(weights: Floats) -> Floats:
    if bad := int((~np.isfinite(weights)).sum()):
        raise InputError(
            BAD_WEIGHT.finding(
                f"{bad:,} of {weights.size:,} weights are not finite numbers",
                suggestion="exclude them by a selection",
                evidence={"bad": bad, "entries": weights.size},
            )
        )
    return weights


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Counts, or sums of weights, of one or many spectra with the same binning.

    Attributes:
        binning: The binning.
        sidebands: Contents of the sideband bins, low to high, with shape (..., sideband bins).
        window: Contents of the window, with shape (...).
        sidebands_w2: Sums of squared weights of the sideband bins; None for plain counts.
        window_w2: Sum of squared weights of the window; None for plain counts.
    """

    binning: HuntBinning
    sidebands: Floats
    window: Floats
    sidebands_w2: Floats | None = None
    window_w2: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("sidebands", "window", "sidebands_w2", "window_w2"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, np.asarray(value, dtype=np.float64))
        expected = (*self.window.shape, self.binning.n_sidebands)
        if self.sidebands.shape != expected:
            msg = f"sidebands have shape {self.sidebands.shape}, expected {expected}"
            raise ValueError(msg)

    @property
    def weighted(self) -> bool:
        """Whether the contents are sums of weights."""
        return self.sidebands_w2 is not None

    @property
    def cells(self) -> Floats:
        """Sideband bins and, last, the window, with shape (..., sideband bins + 1)."""
        return np.concatenate([self.sidebands, self.window[..., None]], axis=-1)

    @property
    def cells_w2(self) -> Floats | None:
        """Sums of squared weights in the order of `cells`; None for plain counts."""
        if self.sidebands_w2 is None or self.window_w2 is None:
            return None
        return np.concatenate([self.sidebands_w2, self.window_w2[..., None]], axis=-1)

    @classmethod
    def from_cells(
        cls, binning: HuntBinning, cells: Floats, cells_w2: Floats | None = None
    ) -> Self:
        """Build from arrays in the order of `cells`."""
        if cells_w2 is None:
            return cls(binning, cells[..., :-1], cells[..., -1])
        return cls(binning, cells[..., :-1], cells[..., -1], cells_w2[..., :-1], cells_w2[..., -1])

    @classmethod
    def stack(cls, spectra: Sequence[Spectrum]) -> Spectrum:
        """Join spectra of one binning along a new first axis, to be fitted together.

        Raises:
            ValueError: If the binnings differ, or weighted and plain spectra are mixed.
        """
        first = spectra[0]
        if any(
            item.binning != first.binning or item.weighted != first.weighted for item in spectra
        ):
            raise ValueError("spectra of different binnings, or weighted and plain, do not stack")
        cells = np.stack([item.cells for item in spectra])
        squares = [item.cells_w2 for item in spectra if item.cells_w2 is not None]
        return cls.from_cells(first.binning, cells, np.stack(squares) if squares else None)

    def check(self) -> None:
        """Refuse weighted bins that no Poisson likelihood can describe.

        Raises:
            InputError: If a bin with entries has a sum of weights that is not positive.
        """
        squares = self.cells_w2
        sums = self.cells
        bad = sums < 0 if squares is None else (sums <= 0) & (squares > 0)
        if bad.any():
            worst = float(sums[bad].min())
            raise InputError(
                NEGATIVE_SUM.finding(
                    f"{int(bad.sum())} bins have entries and a sum of weights of zero or less "
                    f"(lowest {worst:g})",
                    suggestion="use wider bins, or exclude negative weights by a selection",
                    evidence={"bins": int(bad.sum()), "lowest": worst},
                )
            )
