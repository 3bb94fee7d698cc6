"""From tail probabilities to standard deviations and back, and intervals for counted numbers."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from quarkline.engine.core.results import Quantity
from quarkline.statistics.arrays import Floats

ONE_SIGMA = 0.6826894921370859  # probability within one standard deviation


def p_from_z(z: ArrayLike) -> Floats:
    """One-sided tail probability p = 1 - Phi(z) of a significance in standard deviations.

    Evaluated as Phi(-z), so far tails keep their precision; it underflows to zero beyond z = 38.
    """
    return cast("Floats", special.ndtr(-np.asarray(z, dtype=np.float64)))


def z_from_p(p: ArrayLike) -> Floats:
    """Significance z with 1 - Phi(z) = p; infinite for p = 0."""
    return cast("Floats", -special.ndtri(np.asarray(p, dtype=np.float64)))


def excess_significance(
    observed: ArrayLike, background: ArrayLike, background_error: ArrayLike
) -> Floats:
    """Signed significance of counts over an expected background that is itself known to an error.

    The background is treated as if it came from a count in a control region (Z_Bi of Cousins,
    Linnemann and Tucker, NIM A 595 (2008) 480). Deficits are negative, and a count nearer to the
    background than half of the outcomes has significance 0 (Choudalakis and Casadei, Eur. Phys.
    J. Plus 127 (2012) 25).

    Args:
        observed: Counts, of any shape.
        background: Expected backgrounds, of the same shape, not negative.
        background_error: Their standard deviations; 0 for a background that is exactly known.
    """
    n, b, error = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.float64) for x in (observed, background, background_error))
    )
    excess = np.maximum(z_from_p(_tail(n, b, error)), 0.0)
    deficit = np.maximum(-z_from_p(_tail(n + 1.0, b, error)), 0.0)
    return np.where(n >= b, excess, -deficit)


def _tail(n: Floats, b: Floats, error: Floats) -> Floats:
    """Probability of at least n counts, for a background b with an error."""
    known = (error <= 0.0) | (b <= 0.0)
    tau = b / np.where(known, 1.0, error) ** 2
    counted = special.betainc(np.maximum(n, 1.0), 1.0 + tau * b, 1.0 / (1.0 + tau))
    exact = special.gammainc(np.maximum(n, 1.0), b)
    return np.where(n <= 0.0, 1.0, np.where(known, exact, counted))


def poisson_interval(count: ArrayLike, level: float = ONE_SIGMA) -> tuple[Floats, Floats]:
    """Central confidence interval of a Poisson mean (Garwood, Biometrika 28 (1936) 437).

    Args:
        count: Observed numbers, of any shape; weighted sums are interpolated.
        level: Coverage of the interval.

    Returns:
        Lower and upper ends, of the shape of `count`.
    """
    seen = np.asarray(count, dtype=np.float64)
    tail = (1.0 - level) / 2.0
    low = np.where(seen > 0.0, special.gammaincinv(np.where(seen > 0.0, seen, 1.0), tail), 0.0)
    return low, special.gammaincinv(seen + 1.0, 1.0 - tail)


def binomial_interval(
    passed: ArrayLike, trials: ArrayLike, level: float = ONE_SIGMA
) -> tuple[Floats, Floats]:
    """Central confidence interval of an efficiency (Clopper and Pearson, Biometrika 26 (1934) 404).

    Args:
        passed: How many passed, of any shape.
        trials: Out of how many, of the same shape.
        level: Coverage of the interval.

    Returns:
        Lower and upper ends; 0 and 1 where nothing was tried.
    """
    k, n = np.broadcast_arrays(
        np.asarray(passed, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    )
    tail = (1.0 - level) / 2.0
    some, rest = np.maximum(k, 1.0), np.maximum(n - k, 1.0)
    low = np.where(k > 0.0, special.betaincinv(some, n - k + 1.0, tail), 0.0)
    high = np.where(k < n, special.betaincinv(k + 1.0, rest, 1.0 - tail), 1.0)
    return low, high


def tail_fraction(exceeding: int, trials: int) -> Quantity:
    """A p-value from toys or permutations: (k + 1) / (n + 1), with its binomial error.

    Counting the observation as one of the trials makes it a valid p-value that is never zero
    (Davison and Hinkley, Bootstrap Methods and their Application (1997) 4.2). The errors are the
    distances to the Clopper-Pearson interval of k / n.
    """
    value = (exceeding + 1) / (trials + 1)
    low, high = binomial_interval(exceeding, trials)
    return Quantity(value, up=max(float(high) - value, 0.0), down=max(value - float(low), 0.0))
