"""The result of a learning-rate scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.results import Result


@dataclass(frozen=True)
class LearningRateScan(Result, kind="learning-rate-scan"):
    """The loss of one batch after another, each with a larger learning rate.

    Attributes:
        rates: The learning rates, up to where the loss diverged.
        losses: The loss before the step of each rate.
        smoothed: Running mean of the losses.
        steepest: The rate where the smoothed loss falls fastest in the rate's logarithm.
        minimum: The rate where it is lowest.
        chosen: The rate that was used.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    steepest: float
    minimum: float
    chosen: str


def running_mean(values: Sequence[float], width: int) -> NDArray[np.float64]:
    """Mean of each value with `width // 2` before it and `(width - 1) // 2` after it.

    At the ends, of those that exist.
    """
    sums = np.cumsum(np.concatenate([[0.0], np.asarray(values, dtype=np.float64)]))
    place = np.arange(len(values))
    first = np.maximum(place - width // 2, 0)
    last = np.minimum(place + (width - 1) // 2 + 1, len(values))
    return np.asarray((sums[last] - sums[first]) / (last - first))


def steepest_descent(rates: NDArray[np.float64], smoothed: NDArray[np.float64]) -> int:
    """The place before the lowest loss where it falls fastest in the rate's logarithm."""
    slope = np.gradient(smoothed, np.log(rates))
    return int(np.argmin(slope[: int(np.argmin(smoothed)) + 1]))
