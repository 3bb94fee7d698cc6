"""Toys for a mass scan: the same events hunted in at every window."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.findings import WorkError
from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Floats, Indices
from quarkline.statistics.backgrounds import BACKGROUNDS
from quarkline.statistics.batch import hunt_chunk
from quarkline.statistics.binning import HuntBinning
from quarkline.statistics.chunks import CHUNK, over_chunks
from quarkline.statistics.model import hunt_model
from quarkline.statistics.poisson_fit import fit_rates
from quarkline.statistics.rates import Counts, LinearRates
from quarkline.statistics.toys import NO_NULL_FIT, starting_fit


def range_fit(
    binning: HuntBinning,
    mass: ArrayLike,
    degree: int,
    *,
    weight: ArrayLike | None = None,
    background: str = "polynomial",
) -> tuple[Floats, float | None]:
    """Fit the background to the whole range, window included.

    Args:
        binning: The binning; its bins tile the window too.
        mass: Masses, with shape (N,).
        degree: Degree of the background.
        weight: Weights, with shape (N,).
        background: Name of the background shape.

    Returns:
        Coefficients of the shape in events a bin, with shape (degree + 1,), and the scale
        s = <w^2>/<w> of weighted events, else None.

    Raises:
        WorkError: If the fit cannot be certified.
    """
    contents = binning.histogram(mass, weight)
    scale = None
    if weight is not None:
        total = contents.sum()
        scale = float((binning.histogram(mass, np.asarray(weight) ** 2)).sum() / total)
        contents = contents / scale
    shape = BACKGROUNDS[background](binning.range, degree)
    edges = binning.edges
    rows, to_basis = np.linalg.qr(shape.integrals(edges[:-1], edges[1:]) / binning.width)
    model = LinearRates(rows, to_basis @ shape.flat)
    fit = fit_rates(model, Counts(np.maximum(contents, 0.0)[:, None], np.ones((contents.size, 1))))
    if not fit.certified[0]:
        raise WorkError(NO_NULL_FIT.finding("the background fit to the whole range failed"))
    return np.linalg.solve(to_basis, fit.coefficients[:, 0]) * (scale or 1.0), scale


class ToyScan:
    """Poisson counts between the edges of all windows' bins together, added up for each window.

    Args:
        positions: The binnings, one a window.
        degree: Degree of the background.
        density: Coefficients of the expected background in events a bin, with shape (degree + 1,).
        scale: Weight s of a toy count; None for plain counts.
        background: Name of the background shape.
    """

    def __init__(
        self,
        positions: list[HuntBinning],
        degree: int,
        density: Floats,
        scale: float | None = None,
        background: str = "polynomial",
    ) -> None:
        self._models = [hunt_model(place, degree, background) for place in positions]
        self._scale = scale
        own = [np.concatenate([place.low_edges, place.high_edges]) for place in positions]
        edges = np.unique(np.concatenate(own))
        self._ends = [np.searchsorted(edges, values) for values in own]
        self._windows = [len(place.low_edges) - 1 for place in positions]
        integrals = self._models[0].shape.integrals(edges[:-1], edges[1:]) @ density
        self._means = np.maximum(integrals / positions[0].width, 0.0) / (scale or 1.0)
        expected = self._cells(self._means[None])
        self._starts = [
            (starting_fit(model.sidebands, cells[:-1, 0]), starting_fit(model.null, cells[:, 0]))
            for model, cells in zip(self._models, expected, strict=True)
        ]

    def z(self, n_toys: int, *, seed: int = 1, workers: int = 1) -> Floats:
        """Local significances of toys, with shape (toys, windows); NaN where a fit failed.

        Args:
            n_toys: Number of toys.
            seed: Seed of the toys.
            workers: Number of threads.
        """

        def chunk(start: int, stop: int) -> Floats:
            drawn = rng(seed, "scan-toys", start // CHUNK)
            return self._hunt(drawn.poisson(self._means, (stop - start, self._means.size)))

        return np.concatenate(over_chunks(chunk, n_toys, workers=workers))

    def _hunt(self, drawn: Indices) -> Floats:
        found = []
        for model, starts, seen in zip(self._models, self._starts, self._cells(drawn), strict=True):
            first, second = starts
            exposure = self._exposure(seen)
            starting = first @ seen[:-1], second @ seen
            if self._scale is not None:
                starting = starting[0] * self._scale, starting[1] * self._scale
            found.append(hunt_chunk(model, Counts(seen, exposure), starting).z)
        return np.stack(found, axis=1)

    def _exposure(self, seen: Floats) -> Floats:
        if self._scale is None:
            return np.ones((len(seen), 1))
        return np.where(seen > 0.0, 1.0 / self._scale, 1.0)

    def _cells(self, contents: Floats | Indices) -> list[Floats]:
        """Contents (N, intervals) added up to sidebands and window of each position, (bins, N)."""
        sums = np.zeros((contents.shape[1] + 1, len(contents)))
        np.cumsum(contents.T, axis=0, out=sums[1:])
        cells = []
        for ends, window in zip(self._ends, self._windows, strict=True):
            bins = np.diff(sums[ends], axis=0)
            cells.append(np.concatenate([np.delete(bins, window, axis=0), bins[window][None]]))
        return cells
