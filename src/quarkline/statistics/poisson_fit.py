"""Fit Poisson rates exactly: Newton where positivity does not bind, an interior point elsewhere."""

from __future__ import annotations

import numpy as np

from quarkline.statistics.arrays import Floats
from quarkline.statistics.batched import solve
from quarkline.statistics.interior import interior
from quarkline.statistics.newton import newton
from quarkline.statistics.rates import Counts, LinearRates, RateFit


def fit_rates(model: LinearRates, counts: Counts, start: Floats | None = None) -> RateFit:
    """Maximise the Poisson likelihood of every spectrum over rates >= 0.

    Args:
        model: The rates.
        counts: The counts of N spectra.
        start: Coefficients to start from, with shape (k, N); None takes weighted least squares.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if start is None:
            start = least_squares(model, counts)
        coefficients, gap = newton(model, counts, start)
        fit = _unconstrained(model, counts, coefficients, gap)
        _put_nothing_for_nothing(counts, fit)
        if (rest := np.flatnonzero(~fit.certified)).size:
            fit.put(rest, interior(model, counts.take(rest)))
    return fit


def least_squares(model: LinearRates, counts: Counts) -> Floats:
    """Coefficients (k, N) of the fit to the contents with squared errors n + 1."""
    weights = counts.exposure / (counts.seen + 1.0)
    factors = model.curvature(counts.exposure * weights)
    return solve(factors, model.project(counts.seen * weights))


def _unconstrained(
    model: LinearRates, counts: Counts, coefficients: Floats, gap: Floats
) -> RateFit:
    """The outcome of Newton's method, certified where no rate is negative."""
    rates = model.rates(coefficients)
    certified = np.isfinite(gap) & (rates >= 0.0).all(axis=0)
    return RateFit(
        coefficients=coefficients,
        rates=rates,
        weights=np.where(counts.filled, counts.seen / rates**2, 0.0),
        gap=gap,
        certified=certified,
        bound=np.zeros_like(certified),
        unique=np.ones_like(certified),
    )


def _put_nothing_for_nothing(counts: Counts, fit: RateFit) -> None:
    """Spectra without any entry have all rates zero."""
    nothing = np.flatnonzero(~counts.filled.any(axis=0))
    fit.coefficients[:, nothing] = 0.0
    fit.rates[:, nothing] = 0.0
    fit.gap[nothing] = 0.0
    fit.certified[nothing] = True
