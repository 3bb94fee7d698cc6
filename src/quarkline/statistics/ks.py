"""Two-sample Kolmogorov-Smirnov test, for weighted samples too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from quarkline.engine.core.results import Result
from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Bools, Floats
from quarkline.statistics.significance import tail_fraction

PERMUTATIONS_AT_ONCE = 256


@dataclass(frozen=True)
class KsResult(Result, kind="ks-test"):
    """How far two samples lie apart.

    Attributes:
        statistic: Largest distance of the two cumulative distributions.
        p_value: Probability of such a distance or a larger one, if both have one parent.
        effective_first: Effective number (sum w)^2 / sum w^2 of the first sample.
        effective_second: The same of the second sample.
        permutations: Number of permutations behind the p-value; 0 for the asymptotic formula.
    """

    statistic: float
    p_value: float
    effective_first: float
    effective_second: float
    permutations: int = 0


def ks_two_sample(
    first: ArrayLike,
    second: ArrayLike,
    *,
    first_weight: ArrayLike | None = None,
    second_weight: ArrayLike | None = None,
    effective: tuple[float, float] | None = None,
    permutations: int = 0,
    seed: int = 1,
) -> KsResult:
    """Test whether two samples have one parent distribution.

    The asymptotic p-value is Kolmogorov's distribution at (sqrt(n) + 0.12 + 0.11 / sqrt(n)) D, with
    1/n = 1/n1 + 1/n2 and effective numbers n1, n2 (Stephens, J. R. Stat. Soc. B 32 (1970) 115).
    With permutations the p-value is the fraction, (k + 1) / (n + 1), of random exchanges of
    events, which keep their weights, with at least the observed distance.

    Args:
        first: Values of the first sample, with shape (N,).
        second: Values of the second sample, with shape (M,).
        first_weight: Weights of the first sample; None for one each.
        second_weight: Weights of the second sample.
        effective: Effective numbers of the samples where events are not independent; None for
            (sum w)^2 / sum w^2.
        permutations: Number of permutations; 0 takes the asymptotic formula.
        seed: Seed of the permutations.

    Returns:
        The test; statistic and p-value are NaN if a sample is empty.
    """
    samples = [np.asarray(values, dtype=np.float64).ravel() for values in (first, second)]
    weights = [
        np.ones(values.size) if weight is None else np.asarray(weight, dtype=np.float64).ravel()
        for values, weight in zip(samples, (first_weight, second_weight), strict=True)
    ]
    numbers = effective or (effective_size(weights[0]), effective_size(weights[1]))
    if min(numbers) == 0.0:
        return KsResult(np.nan, np.nan, *numbers)
    values = np.concatenate(samples)
    order = np.argsort(values, kind="stable")
    weight = np.concatenate(weights)[order]
    in_first = (np.arange(values.size) < samples[0].size)[order]
    ordered = values[order]
    last = np.append(ordered[1:] > ordered[:-1], True)
    statistic = float(_distance(weight, in_first[None], last)[0])
    if not permutations:
        return KsResult(statistic, asymptotic_p(statistic, *numbers), *numbers)
    drawn = rng(seed, "ks-permutations")
    reached = 0
    for start in range(0, permutations, PERMUTATIONS_AT_ONCE):
        number = min(PERMUTATIONS_AT_ONCE, permutations - start)
        exchanged = drawn.permuted(np.tile(in_first, (number, 1)), axis=1)
        reached += int((_distance(weight, exchanged, last) >= statistic * (1 - 1e-12)).sum())
    p_value = tail_fraction(reached, permutations).value
    return KsResult(statistic, p_value, *numbers, permutations)


def _distance(weight: Floats, in_first: Bools, last: Bools) -> Floats:
    """Largest distances for exchanges (P, N) of ordered events; ties count after the last one."""
    parts = [np.cumsum(weight * side, axis=1) for side in (in_first, ~in_first)]
    first, second = (part[:, last] / part[:, -1:] for part in parts)
    return np.asarray(np.abs(first - second).max(axis=1))


def effective_size(weight: Floats) -> float:
    """Events of equal weight that would be as informative: (sum w)^2 / sum w^2."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def asymptotic_p(statistic: float, first: float, second: float) -> float:
    """Kolmogorov's p-value of a distance of two samples of these effective sizes (Stephens)."""
    root = np.sqrt(first * second / (first + second))
    return float(special.kolmogorov((root + 0.12 + 0.11 / root) * statistic))
