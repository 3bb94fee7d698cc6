"""The hunts in the windows of a spectrum: data and toys go through the same local fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from scipy import special

from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Floats, total
from quarkline.statistics.backgrounds import Polynomial
from quarkline.statistics.batch import HuntBatch, effective_counts, hunt_chunk
from quarkline.statistics.chunks import CHUNK, over_chunks
from quarkline.statistics.model import HuntRates
from quarkline.statistics.rates import Counts, LinearRates
from quarkline.statistics.spectrum_grid import CELLS, SIDEBAND, LocalWindow
from quarkline.statistics.toys import starting_fit


@lru_cache(maxsize=4096)
def local_rates(sidebands: tuple[int, ...], degree: int) -> HuntRates:
    """The fit problems of a window, shared by all windows with the same sideband cells.

    The background is a polynomial in ln m, integrated over each cell and over the window.

    Args:
        sidebands: Sideband cells as distances from the window's first, ascending.
        degree: Degree of the polynomial.
    """
    low = np.array(sidebands, dtype=np.float64)
    shape = Polynomial(reach(sidebands), degree)
    orthonormal, to_basis = np.linalg.qr(shape.integrals(low, low + 1.0))
    to_shape = np.linalg.inv(to_basis)
    window = shape.integrals(np.zeros(1), np.full(1, float(CELLS))) @ to_shape
    flat = to_basis @ shape.flat
    return HuntRates(
        shape=shape,
        sidebands=LinearRates(orthonormal, flat),
        null=LinearRates(np.concatenate([orthonormal, window]), flat),
        to_shape=to_shape,
    )


def reach(sidebands: tuple[int, ...]) -> tuple[float, float]:
    """Where a window's fit begins and ends, in cells from its first."""
    return float(min(sidebands[0], 0)), float(max(sidebands[-1] + 1, CELLS))


@dataclass(frozen=True, eq=False)
class CellContents:
    """Contents of the cells of N spectra.

    Attributes:
        sums: Counts, or sums of weights, with shape (cells, N).
        squares: Sums of squared weights, with shape (cells, N); None for plain counts.
    """

    sums: Floats
    squares: Floats | None = None

    def around(self, windows: Sequence[LocalWindow]) -> Counts:
        """Sidebands and, last, window of some windows with equal sidebands, side by side.

        Returns:
            Counts of (windows x N) spectra, those of the first window first.
        """
        squares = None if self.squares is None else _gathered(self.squares, windows)
        return effective_counts(_gathered(self.sums, windows), squares)


def _gathered(values: Floats, windows: Sequence[LocalWindow]) -> Floats:
    parts = []
    for window in windows:
        beside = values[window.first + np.array(window.sidebands, dtype=np.intp)]
        parts.append(np.concatenate([beside, total(values[window.cells])[None]]))
    return np.concatenate(parts, axis=1)


def local_hunts(data: CellContents, windows: Sequence[LocalWindow], degree: int) -> HuntBatch:
    """Hunt in one spectrum in every window, with shape (windows,).

    Args:
        data: One spectrum.
        windows: The windows, at least one.
        degree: Degree of the background.
    """
    alike: dict[tuple[int, ...], list[int]] = {}
    for index, window in enumerate(windows):
        alike.setdefault(window.sidebands, []).append(index)
    hunts = [
        hunt_chunk(local_rates(sidebands, degree), data.around([windows[i] for i in members]))
        for sidebands, members in alike.items()
    ]
    order = np.argsort(np.concatenate(list(alike.values())))
    return HuntBatch.joined(hunts, (len(windows),)).take(order)


def sideband_p_values(
    data: CellContents, windows: Sequence[LocalWindow], hunts: HuntBatch, degree: int
) -> Floats:
    """Asymptotic p-value of each window's likelihood chi^2 beside it, with shape (windows,).

    The chi^2 is that of Baker and Cousins, NIM 221 (1984) 437.
    """
    values = []
    for window, coefficients in zip(windows, hunts.coefficients, strict=True):
        rates = local_rates(window.sidebands, degree)
        low = np.array(window.sidebands, dtype=np.float64)
        expected = np.maximum(rates.shape.integrals(low, low + 1.0) @ coefficients, 0.0)
        counts = data.around([window]).without_last
        seen, exposure = counts.seen[:, 0], np.broadcast_to(counts.exposure, counts.seen.shape)
        mean = expected * exposure[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(seen > 0.0, seen * np.log(seen / mean), 0.0)
        chi2 = 2.0 * float((mean - seen + logs).sum())
        values.append(special.chdtrc(low.size - degree - 1, max(chi2, 0.0)))
    return np.array(values)


def expected_cells(
    cells: int, windows: Sequence[LocalWindow], hunts: HuntBatch, degree: int
) -> Floats:
    """Background expected in every cell: the sideband fits of all windows, joined smoothly.

    A cell's expectation is the mean of the fits whose reach holds it, weighted by the tricube
    function of its distance to their windows, as in local regression (Cleveland, J. Am. Stat.
    Assoc. 74 (1979) 829). Cells that no fit reaches expect nothing.

    Args:
        cells: Number of cells.
        windows: The windows.
        hunts: Their hunts; failed ones are left out.
        degree: Degree of the background.
    """
    sums, weights = np.zeros(cells), np.zeros(cells)
    for index, window in enumerate(windows):
        if hunts.failed[index]:
            continue
        start, stop = reach(window.sidebands)
        low = np.arange(start, stop)
        distance = np.abs(low + 0.5 - CELLS / 2) / max(CELLS / 2 - start, stop - CELLS / 2)
        weight = (1.0 - distance**3) ** 3
        shape = local_rates(window.sidebands, degree).shape
        place = slice(window.first + int(start), window.first + int(stop))
        sums[place] += weight * (shape.integrals(low, low + 1.0) @ hunts.coefficients[index])
        weights[place] += weight
    return np.maximum(np.divide(sums, weights, out=np.zeros(cells), where=weights > 0.0), 0.0)


class SpectrumToys:
    """Background-only toys of a whole spectrum: Poisson counts in cells that all windows share.

    Toys of a weighted spectrum are s times a Poisson count with mean (expected / s).

    Args:
        windows: The windows to hunt in.
        degree: Degree of the background.
        expected: Expected contents of the cells, with shape (cells,).
        scale: Weight s = <w^2>/<w> of a count in each cell, with shape (cells,); None for counts.
    """

    def __init__(
        self,
        windows: Sequence[LocalWindow],
        degree: int,
        expected: Floats,
        scale: Floats | None = None,
    ) -> None:
        self._windows = [(window, local_rates(window.sidebands, degree)) for window in windows]
        self._scale = None if scale is None else scale[:, None]
        self._means = expected / (1.0 if scale is None else scale)
        self._starts = []
        for window, rates in self._windows:
            contents = _gathered(expected[:, None], [window])[:, 0]
            first = starting_fit(rates.sidebands, contents[:-1])
            self._starts.append((first, starting_fit(rates.null, contents)))

    def z(self, n_toys: int, *, seed: int = 1, workers: int = 1) -> Floats:
        """Local significances of toys, with shape (toys, windows); NaN where a fit failed.

        Args:
            n_toys: Number of toys.
            seed: Seed of the toys.
            workers: Number of threads; the numbers do not depend on it.
        """

        def chunk(start: int, stop: int) -> Floats:
            drawn = rng(seed, "spectrum-toys", start // CHUNK)
            counts = drawn.poisson(self._means, (stop - start, self._means.size))
            return self._hunt(np.ascontiguousarray(counts.T, dtype=np.float64))

        return np.concatenate(over_chunks(chunk, n_toys, workers=workers))

    def _hunt(self, counts: Floats) -> Floats:
        cells = CellContents(counts)
        if self._scale is not None:
            cells = CellContents(counts * self._scale, counts * self._scale**2)
        found = []
        for (window, rates), (first, null) in zip(self._windows, self._starts, strict=True):
            seen = cells.around([window])
            contents = seen.seen / seen.exposure
            found.append(hunt_chunk(rates, seen, (first @ contents[:-1], null @ contents)).z)
        return np.stack(found, axis=1)


def local_scale(data: CellContents) -> Floats | None:
    """Weight s = <w^2>/<w> of a count around each cell, with shape (cells,); None for counts.

    It is that of the cells within a sideband's length, or of all where these are empty.
    """
    if data.squares is None:
        return None
    sums, squares = (_moving(values[:, 0]) for values in (data.sums, data.squares))
    everywhere = float(data.squares.sum() / data.sums.sum()) if data.sums.sum() > 0.0 else 1.0
    filled = (sums > 0.0) & (squares > 0.0)
    scale: Floats = np.full(sums.shape, everywhere)
    return np.divide(squares, sums, out=scale, where=filled)


def _moving(values: Floats) -> Floats:
    """Sums over the cells within SIDEBAND of each."""
    summed = np.convolve(values, np.ones(2 * SIDEBAND + 1))[SIDEBAND : SIDEBAND + values.size]
    return cast("Floats", summed)
