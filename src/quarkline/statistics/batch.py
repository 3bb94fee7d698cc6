"""Hunts in many spectra at once: the statistic, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np

from quarkline.statistics.arrays import Bools, Floats, Indices, total
from quarkline.statistics.binning import Spectrum
from quarkline.statistics.chunks import over_chunks
from quarkline.statistics.model import HuntRates, hunt_model
from quarkline.statistics.poisson_fit import fit_rates
from quarkline.statistics.rates import Counts, RateFit
from quarkline.statistics.weighted import NormalEquations, SortedQR, WeightedSystem


class FitStatus(StrEnum):
    """How the fits of a hunt ended.

    Attributes:
        CONVERGED: Both fits are at their optimum, certified by the duality gap.
        DEGENERATE: So they are, but the sidebands do not fix the background in the window: they
            have fewer filled bins than coefficients. q0 is unique, signal and background are not.
        FAILED: A fit could not be certified; there are no numbers.
    """

    CONVERGED = "converged"
    DEGENERATE = "degenerate"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class HuntBatch:
    """The bump-hunt statistic of many spectra; every array has their leading shape.

    Attributes:
        n_window: Contents of the window.
        signal: Signal S = n_window - B, of any sign.
        signal_error: Its standard deviation, from the curvature of the likelihood.
        background: Background B in the window from the sidebands alone.
        background_error: Its standard deviation, from the curvature; NaN without any event and
            where the sidebands do not fix the background, as is `signal_error`.
        q0: -2 ln of the likelihood ratio, 0 where the signal is negative; NaN where a fit failed.
        coefficients: Of the sideband fit, in the shape's own basis, with a last axis more.
        failed: Whether a fit could not be certified.
        degenerate: Whether the sidebands do not fix the background.
        bound: Whether some expectation is held at zero.
    """

    n_window: Floats
    signal: Floats
    signal_error: Floats
    background: Floats
    background_error: Floats
    q0: Floats
    coefficients: Floats
    failed: Bools
    degenerate: Bools
    bound: Bools

    @property
    def z(self) -> Floats:
        """Local significance sqrt(q0)."""
        return np.sqrt(self.q0)

    def status(self, index: int | tuple[int, ...] = ()) -> FitStatus:
        """How the fits of one spectrum ended."""
        if self.failed[index]:
            return FitStatus.FAILED
        return FitStatus.DEGENERATE if self.degenerate[index] else FitStatus.CONVERGED

    def take(self, indices: Indices) -> HuntBatch:
        """Some of the spectra along the first axis."""
        return HuntBatch(**{item.name: getattr(self, item.name)[indices] for item in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence[HuntBatch], shape: tuple[int, ...]) -> HuntBatch:
        """Join flat batches and give them a leading shape."""
        arrays = {}
        for item in fields(cls):
            whole = np.concatenate([getattr(part, item.name) for part in parts])
            arrays[item.name] = whole.reshape((*shape, *whole.shape[1:]))
        return cls(**arrays)


def fit_batch(
    spectrum: Spectrum, degree: int, *, background: str = "polynomial", workers: int = 1
) -> HuntBatch:
    """Hunt in every spectrum.

    Args:
        spectrum: One or many spectra of a binning.
        degree: Degree of the background.
        background: Name of the background shape.
        workers: Number of threads; the numbers do not depend on it.

    Raises:
        InputError: If the sidebands have too few bins for the degree, or a weighted bin has no
            positive sum.
    """
    model = hunt_model(spectrum.binning, degree, background)
    counts = scaled_counts(spectrum)

    def chunk(start: int, stop: int) -> HuntBatch:
        return hunt_chunk(model, counts.take(slice(start, stop)))

    parts = over_chunks(chunk, counts.seen.shape[1], workers=workers)
    return HuntBatch.joined(parts, spectrum.window.shape)


def scaled_counts(spectrum: Spectrum) -> Counts:
    """Contents of sidebands and, last, window as counts of a scaled Poisson.

    A sum of weights n_w is taken as s times a Poisson count, with s = <w^2>/<w> of the bin; an
    empty bin has s = 1 (Bohm and Zech, NIM A 748 (2014) 1).

    Raises:
        InputError: If a weighted bin has no positive sum.
    """
    spectrum.check()
    bins = spectrum.binning.n_sidebands + 1
    squares = spectrum.cells_w2
    contents = spectrum.cells.reshape(-1, bins).T
    return effective_counts(contents, None if squares is None else squares.reshape(-1, bins).T)


def effective_counts(contents: Floats, squares: Floats | None) -> Counts:
    """Counts, or sums of weights as scaled Poisson counts.

    Args:
        contents: Contents of m bins of N spectra, with shape (m, N).
        squares: Sums of squared weights, with shape (m, N); None for plain counts.
    """
    if squares is None:
        return Counts(contents, np.ones((len(contents), 1)))
    filled = squares > 0.0
    exposure = np.divide(contents, squares, out=np.ones_like(contents), where=filled)
    return Counts(np.where(filled, contents * exposure, 0.0), exposure)


def hunt_chunk(
    model: HuntRates, counts: Counts, starts: tuple[Floats, Floats] | None = None
) -> HuntBatch:
    """Both fits and the statistic for a chunk of spectra.

    Args:
        model: The fit problems.
        counts: Contents of sidebands and, last, window, for N spectra.
        starts: Coefficients to start both fits from, each with shape (k, N).
    """
    first, second = starts or (None, None)
    free = fit_rates(model.sidebands, counts.without_last, first)
    null = fit_rates(model.null, counts, second)
    failed = ~(free.certified & null.certified)
    window = (counts.seen[-1] / counts.exposure[-1]).copy()
    background = model.window_row @ free.coefficients
    error = np.where(free.unique, _window_error(model, free), np.nan)
    q0 = np.where(window >= background, np.maximum(likelihood_ratio(counts, free, null), 0.0), 0.0)
    return HuntBatch(
        n_window=window,
        signal=np.where(failed, np.nan, window - background),
        signal_error=np.where(
            failed, np.nan, np.hypot(error, np.sqrt(window / counts.exposure[-1]))
        ),
        background=np.where(failed, np.nan, background),
        background_error=np.where(failed, np.nan, error),
        q0=np.where(failed, np.nan, q0),
        coefficients=(model.to_shape @ free.coefficients).T,
        failed=failed,
        degenerate=~free.unique,
        bound=free.bound | null.bound,
    )


def likelihood_ratio(counts: Counts, free: RateFit, null: RateFit) -> Floats:
    """-2 ln of L(null) / L(sidebands, window as seen), summed bin by bin to keep its precision."""
    expected = np.concatenate([free.rates, (counts.seen[-1:] / counts.exposure[-1:])])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(counts.filled, counts.seen * np.log(null.rates / expected), 0.0)
    return 2.0 * total(counts.exposure * (null.rates - expected) - logs)


def _window_error(model: HuntRates, free: RateFit) -> Floats:
    """Standard deviation of the background in the window, with shape (N,)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = _row_error(model, NormalEquations, free.weights)
        unknown = np.flatnonzero(~np.isfinite(error) & free.weights.any(axis=0))
        error[unknown] = _row_error(model, SortedQR, free.weights[:, unknown])
    return error


def _row_error(model: HuntRates, system: type[WeightedSystem], weights: Floats) -> Floats:
    row = np.repeat(model.window_row[:, None], weights.shape[1], axis=1)
    return np.sqrt(model.window_row @ system(model.sidebands, weights).solve(row))
