"""Receiver operating characteristic of a score, with its area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Bools, Floats


@dataclass(frozen=True)
class RocResult(Result, kind="roc"):
    """Signal against background efficiency of all cuts score >= t.

    Attributes:
        auc: Area under the curve with its standard deviation; 0.5 for a useless score.
        background_efficiency: From 0 to 1, in steps at the scores, with shape (points,).
        signal_efficiency: Of the same cuts.
        n_signal: Number of signal events.
        n_background: Number of background events.
    """

    auc: Quantity
    background_efficiency: tuple[float, ...]
    signal_efficiency: tuple[float, ...]
    n_signal: int
    n_background: int


def roc_curve(
    signal: ArrayLike,
    background: ArrayLike,
    *,
    signal_weight: ArrayLike | None = None,
    background_weight: ArrayLike | None = None,
) -> RocResult:
    """The curve of all cuts on a score, and its area.

    Points on a straight line between their neighbours are left out. The error of the area is
    DeLong's (Biometrics 44 (1988) 837), with weighted sums for weighted events.

    Args:
        signal: Scores of signal events, with shape (N,).
        background: Scores of background events, with shape (M,).
        signal_weight: Weights of the signal events; None for one each.
        background_weight: Weights of the background events.

    Returns:
        The curve; without signal or background it has no points and a NaN area.
    """
    first, second = (
        sorted_sample(signal, signal_weight),
        sorted_sample(background, background_weight),
    )
    numbers = (first[0].size, second[0].size)
    if min(numbers) == 0:
        return RocResult(Quantity(np.nan), (), (), *numbers)
    area, error = _area(first, second)
    cuts = np.unique(np.concatenate([first[0], second[0]]))[::-1]
    efficiencies = 1.0 - np.stack(
        [share_below(second, cuts, "left"), share_below(first, cuts, "left")]
    )
    points = np.concatenate([np.zeros((2, 1)), efficiencies], axis=1)
    kept = points[:, _corners(points)]
    return RocResult(
        Quantity(area, error, error), tuple(kept[0].tolist()), tuple(kept[1].tolist()), *numbers
    )


def auc(
    signal: ArrayLike,
    background: ArrayLike,
    *,
    signal_weight: ArrayLike | None = None,
    background_weight: ArrayLike | None = None,
) -> float:
    """Area under the curve: the probability that signal scores above background, ties half.

    Args:
        signal: Scores of signal events, with shape (N,).
        background: Scores of background events, with shape (M,).
        signal_weight: Weights of the signal events; None for one each.
        background_weight: Weights of the background events.
    """
    first, second = (
        sorted_sample(signal, signal_weight),
        sorted_sample(background, background_weight),
    )
    if not min(first[0].size, second[0].size):
        return float("nan")
    return float(np.average(_placements(first, second), weights=first[1]))


def sorted_sample(scores: ArrayLike, weight: ArrayLike | None) -> tuple[Floats, Floats]:
    """Scores in order, with their weights."""
    values = np.asarray(scores, dtype=np.float64).ravel()
    given = np.ones(values.size) if weight is None else np.asarray(weight, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    return values[order], given.ravel()[order]


def _area(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> tuple[float, float]:
    """Area and standard deviation, from the placement of every event in the other sample."""
    above, below = _placements(first, second), 1.0 - _placements(second, first)
    area = float(np.average(above, weights=first[1]))
    variance = _mean_variance(above, first[1]) + _mean_variance(below, second[1])
    return area, float(np.sqrt(variance))


def _placements(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> Floats:
    """Share of the second sample below each event of the first, ties half."""
    return (share_below(second, first[0], "left") + share_below(second, first[0], "right")) / 2


def _mean_variance(values: Floats, weight: Floats) -> float:
    """Squared error of a weighted mean; infinite for a single event."""
    shares = weight / weight.sum()
    spread = float(shares**2 @ (values - shares @ values) ** 2)
    return spread / (1.0 - float(shares @ shares)) if values.size > 1 else np.inf


def share_below(
    sample: tuple[Floats, Floats], at: Floats, side: Literal["left", "right"]
) -> Floats:
    """Share of a sample below each value, or also at it."""
    sums = np.concatenate([[0.0], np.cumsum(sample[1])]) / sample[1].sum()
    return np.take(sums, np.searchsorted(sample[0], at, side=side))


def _corners(points: Floats) -> Bools:
    """Points (2, P) where the direction of the curve changes, and both ends."""
    steps = np.diff(points, axis=1)
    turns = np.abs(steps[0, 1:] * steps[1, :-1] - steps[0, :-1] * steps[1, 1:]) > 1e-15
    return np.concatenate([[True], turns, [True]])
