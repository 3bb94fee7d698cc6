"""Toys of the hunt in all events weighted by a likelihood ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Floats
from quarkline.statistics.batch import fit_batch
from quarkline.statistics.binning import HuntBinning, Spectrum
from quarkline.statistics.chunks import CHUNK, over_chunks
from quarkline.statistics.cuts import likelihood_ratio_weights


@dataclass(frozen=True, eq=False)
class ReweightedToys:
    """Local significances of toys; NaN where a fit failed.

    Attributes:
        inclusive: Of the fit to all events, with shape (N,).
        weighted: Of the fit to weighted events, with shape (N,); 0 without an inclusive excess.
    """

    inclusive: Floats
    weighted: Floats


def reweighted_hunts(
    expected: Floats,
    score: Floats,
    binning: HuntBinning,
    degree: int,
    n_toys: int,
    *,
    seed: int = 1,
    background: str = "polynomial",
    workers: int = 1,
) -> ReweightedToys:
    """Draw counts in cells of score and mass, and do with every toy what is done with data.

    A toy's signal fraction mu comes from its own fit without weights, and its weights from
    `likelihood_ratio_weights` with that mu; without an excess there, it has none.

    Args:
        expected: Background in each interval of the score, with shape (Q, sideband bins + 1), the
            window last.
        score: Probability of data against background in each interval, with shape (Q,).
        binning: The binning.
        degree: Degree of the background that is fitted.
        n_toys: Number of toys.
        seed: Seed of the toys.
        background: Name of the background shape that is fitted.
        workers: Number of threads; the numbers do not depend on it.
    """

    def chunk(start: int, stop: int) -> tuple[Floats, Floats]:
        generator = rng(seed, "reweighted-toys", start // CHUNK)
        drawn = generator.poisson(expected, (stop - start, *expected.shape)).astype(np.float64)
        plain = Spectrum.from_cells(binning, drawn.sum(axis=1))
        inclusive = fit_batch(plain, degree, background=background)
        weighted = np.where(inclusive.failed, np.nan, 0.0)
        excess = np.flatnonzero(inclusive.signal > 0.0)
        mu = np.minimum(inclusive.signal[excess] / inclusive.n_window[excess], 1.0)
        weights = likelihood_ratio_weights(score, mu[:, None])
        sums, squares = (
            np.matmul(power[:, None, :], drawn[excess])[:, 0] for power in (weights, weights**2)
        )
        spectrum = Spectrum.from_cells(binning, sums, squares)
        weighted[excess] = fit_batch(spectrum, degree, background=background).z
        return inclusive.z, weighted

    parts = over_chunks(chunk, n_toys, workers=workers)
    return ReweightedToys(*(np.concatenate(items) for items in zip(*parts, strict=True)))
