"""Background-only toy spectra: drawn as bin contents from the null fit, hunted in like the data."""

from __future__ import annotations

import numpy as np

from quarkline.engine.core.findings import Rule, WorkError
from quarkline.engine.core.results import Quantity
from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Floats
from quarkline.statistics.batch import HuntBatch, hunt_chunk, scaled_counts
from quarkline.statistics.binning import Spectrum
from quarkline.statistics.chunks import CHUNK, over_chunks
from quarkline.statistics.model import hunt_model
from quarkline.statistics.poisson_fit import fit_rates
from quarkline.statistics.rates import Counts, LinearRates
from quarkline.statistics.significance import tail_fraction

NO_NULL_FIT = Rule(
    "QL-STAT-010",
    "toys are drawn from a converged null fit",
    "Toy spectra follow the background-only fit of the data. If that fit cannot be certified there "
    "is nothing to draw from.",
)

SAME_Q0 = 1e-6  # two q0 closer than this are the same: low counts repeat exactly
LEAST_EXPECTED = 1e-3  # of the mean content: a floor for the weights of the starting fit


def expected_background(
    spectrum: Spectrum, degree: int, *, background: str = "polynomial"
) -> Spectrum:
    """What the background-only fit to sidebands and window expects.

    Args:
        spectrum: One spectrum.
        degree: Degree of the background.
        background: Name of the background shape.

    Returns:
        The expected contents. For a weighted spectrum the sums of squared weights are s times the
        contents, with s = <w^2>/<w> of each bin; bins without entries take it from all others.

    Raises:
        WorkError: If the fit cannot be certified.
    """
    model = hunt_model(spectrum.binning, degree, background)
    fit = fit_rates(model.null, scaled_counts(spectrum))
    if not fit.certified[0]:
        raise WorkError(NO_NULL_FIT.finding("the background-only fit did not converge"))
    expected, squares = fit.rates[:, 0], spectrum.cells_w2
    if squares is None:
        return Spectrum.from_cells(spectrum.binning, expected)
    contents = spectrum.cells
    everywhere = squares.sum() / contents.sum() if contents.sum() > 0.0 else 1.0
    scale = np.where(squares > 0.0, squares / np.where(squares > 0.0, contents, 1.0), everywhere)
    return Spectrum.from_cells(spectrum.binning, expected, scale * expected)


def toy_hunts(
    expected: Spectrum,
    degree: int,
    n_toys: int,
    *,
    seed: int = 1,
    background: str = "polynomial",
    workers: int = 1,
) -> HuntBatch:
    """Hunt in toy spectra with the given expectation.

    Every bin is drawn as a Poisson count; in a weighted spectrum as s times a Poisson count with
    mean (expected / s), the model that the weighted likelihood states. Equal seeds give equal toys
    for any number of workers, and more toys begin with the same ones.

    Args:
        expected: Expected contents, such as those of `expected_background`.
        degree: Degree of the background that is fitted.
        n_toys: Number of toys.
        seed: Seed of the toys.
        background: Name of the background shape that is fitted.
        workers: Number of threads.
    """
    model = hunt_model(expected.binning, degree, background)
    means, squares = expected.cells, expected.cells_w2
    scale = None if squares is None else _scale(means, squares)
    starts = starting_fit(model.sidebands, means[:-1]), starting_fit(model.null, means)

    def chunk(start: int, stop: int) -> HuntBatch:
        drawn = rng(seed, "hunt-toys", start // CHUNK)
        counts = toy_counts(drawn, means, stop - start, scale)
        contents = counts.seen / counts.exposure
        return hunt_chunk(model, counts, (starts[0] @ contents[:-1], starts[1] @ contents))

    parts = over_chunks(chunk, n_toys, workers=workers)
    return HuntBatch.joined(parts, (n_toys,))


def toy_counts(
    drawn: np.random.Generator, means: Floats, number: int, scale: Floats | None
) -> Counts:
    """Draw bin contents of `number` toys as (scaled) Poisson counts; an empty bin has s = 1."""
    if scale is None:
        seen = drawn.poisson(means, (number, means.size)).T.astype(np.float64, order="C")
        return Counts(seen, np.ones((means.size, 1)))
    seen = drawn.poisson(means / scale, (number, means.size)).T.astype(np.float64, order="C")
    return Counts(seen, np.where(seen > 0.0, 1.0 / scale[:, None], 1.0))


def toy_p_value(q0: float, toys: HuntBatch) -> Quantity:
    """The fraction of toys at least as signal-like as the data, with its binomial error.

    It is (k + 1) / (n + 1) of the toys whose fits converged, and 1 where q0 = 0: unlike the
    asymptotic formula, which gives 1/2 there, it counts the toys without excess.
    """
    return tail_fraction(toys_exceeding(q0, toys), int((~toys.failed).sum()))


def toys_exceeding(q0: float, toys: HuntBatch) -> int:
    """How many toys are at least as signal-like as the data."""
    return int((toys.q0[~toys.failed] >= q0 - SAME_Q0).sum())


def _scale(means: Floats, squares: Floats) -> Floats:
    return np.divide(squares, means, out=np.ones_like(means), where=means > 0.0)


def starting_fit(model: LinearRates, means: Floats) -> Floats:
    """Least squares around an expectation, as a matrix (k, m) to apply to contents."""
    weights = 1.0 / np.maximum(means, LEAST_EXPECTED * max(means.mean(), LEAST_EXPECTED))
    weighted = model.matrix.T * weights
    return np.linalg.solve(weighted @ model.matrix, weighted)
