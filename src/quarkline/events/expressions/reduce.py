"""From the instances of an event to one value: `Sum$`, `Min$`, `Max$`, `Length$` and their like.

An event without instances gives 0, as in ROOT. So does one in which no instance passes the
condition of `MinIf$` or `MaxIf$`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions.frame import Frame

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reducer:
    """One reducing function.

    Attributes:
        arity: Number of arguments, which share their instances.
        compute: From the frame and the arguments' values, with shape (n,), to values by event.
        counts: Whether its value is a whole number whatever the arguments are.
    """

    arity: int
    compute: Callable[..., Floats]
    counts: bool = False


def _sum(frame: Frame, values: Floats) -> Floats:
    """The sum, term after term in the order of the instances."""
    sums = np.bincount(frame.events, weights=values, minlength=frame.rows)
    return sums.astype(np.float64, copy=False)


def _length(frame: Frame, _: Floats) -> Floats:
    return frame.counts.astype(np.float64)


def _smallest(frame: Frame, values: Floats) -> Floats:
    return _extreme(np.fmin, values, frame.counts)


def _largest(frame: Frame, values: Floats) -> Floats:
    return _extreme(np.fmax, values, frame.counts)


def _smallest_if(frame: Frame, values: Floats, condition: Floats) -> Floats:
    return _extreme_if(np.fmin, frame, values, condition)


def _largest_if(frame: Frame, values: Floats, condition: Floats) -> Floats:
    return _extreme_if(np.fmax, frame, values, condition)


def _extreme_if(choose: np.ufunc, frame: Frame, values: Floats, condition: Floats) -> Floats:
    passes = condition != 0
    counts = np.bincount(frame.events[passes], minlength=frame.rows)
    return _extreme(choose, values[passes], counts)


def _extreme(choose: np.ufunc, values: Floats, counts: NDArray[np.int64]) -> Floats:
    """The extreme of consecutive values; ROOT passes over NaN, unless it is the first of them."""
    found = np.zeros(len(counts))
    filled = counts > 0
    if filled.any():
        starts = (np.cumsum(counts) - counts)[filled]
        first = values[starts]
        found[filled] = np.where(np.isnan(first), first, choose.reduceat(values, starts))
    return found


REDUCERS: dict[str, Reducer] = {
    "Sum$": Reducer(1, _sum),
    "Min$": Reducer(1, _smallest),
    "Max$": Reducer(1, _largest),
    "MinIf$": Reducer(2, _smallest_if),
    "MaxIf$": Reducer(2, _largest_if),
    "Length$": Reducer(1, _length, counts=True),
}
