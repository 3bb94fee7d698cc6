"""Scored events of known class: what every evaluation of a classifier starts from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quarkline.statistics.arrays import Bools, Floats, Indices

Groups = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class ScoredEvents:
    """N events with a score for each of C classes; made by `scored_events`.

    Attributes:
        score: With shape (N, C), such as probabilities.
        label: Number of the true class, with shape (N,).
        weight: Expected number of events behind each event, signed, with shape (N,).
        group: Which events are not independent, such as passes of one generated event through
            the detector, as equal numbers, with shape (N,).
        classes: Names of the classes.
        signal: Number of the signal class.
    """

    score: Floats
    label: Indices
    weight: Floats
    group: Groups
    classes: tuple[str, ...]
    signal: int

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, rows: Any) -> ScoredEvents:
        """Some of the events, by mask, index or slice."""
        parts = {name: getattr(self, name)[rows] for name in ("score", "label", "weight", "group")}
        return replace(self, **parts)

    @property
    def is_signal(self) -> Bools:
        """Which events are signal, with shape (N,)."""
        return np.asarray(self.label == self.signal)

    @property
    def signal_score(self) -> Floats:
        """The score of the signal class, with shape (N,)."""
        return self.score[:, self.signal]

    @property
    def negative(self) -> tuple[int, ...]:
        """Number of events with a negative weight, by class."""
        return tuple(np.bincount(self.label[self.weight < 0.0], minlength=len(self.classes)))


def scored_events(
    score: ArrayLike,
    label: ArrayLike,
    *,
    classes: tuple[str, ...],
    signal: str | None = None,
    weight: ArrayLike | None = None,
    group: ArrayLike | None = None,
) -> ScoredEvents:
    """Check and pack scored events.

    Args:
        score: Scores of the classes, with shape (N, C).
        label: Number of the true class of each event, with shape (N,).
        classes: Names of the C classes.
        signal: Which class is the signal; by default the first.
        weight: Weights, which may be negative; None for one each.
        group: Equal integers for events that are not independent; None if all are.

    Raises:
        ValueError: If shapes do not fit, a label names no class, the signal is no class, or a
            score or weight is not finite.
    """
    values = np.asarray(score, dtype=np.float64)
    true = np.asarray(label, dtype=np.intp)
    weights = np.ones(len(true)) if weight is None else np.asarray(weight, dtype=np.float64)
    groups = np.arange(len(true)) if group is None else np.asarray(group)
    if values.shape != (len(true), len(classes)) or {weights.shape, groups.shape} != {true.shape}:
        msg = (
            f"scores {values.shape}, labels {true.shape}, weights {weights.shape} and groups "
            f"{groups.shape} do not belong to {len(classes)} classes"
        )
        raise ValueError(msg)
    if true.size and not 0 <= true.min() <= true.max() < len(classes):
        msg = f"labels {true.min()} to {true.max()} do not number {len(classes)} classes"
        raise ValueError(msg)
    if signal is not None and signal not in classes:
        msg = f"signal '{signal}' is none of the classes {', '.join(classes)}"
        raise ValueError(msg)
    for name, array in (("scores", values), ("weights", weights)):
        bad = int((~np.isfinite(array)).sum())
        if bad:
            msg = f"{bad} {name} are not finite"
            raise ValueError(msg)
    return ScoredEvents(
        values,
        true,
        weights,
        groups.astype(np.int64).view(np.uint64)
        if groups.dtype.kind != "u"
        else groups.astype("u8"),
        classes,
        classes.index(signal) if signal is not None else 0,
    )


def summed(weight: Floats, bins: Indices, count: int) -> Floats:
    """Sum of weights in each bin, with shape (count,).

    Args:
        weight: With shape (N,).
        bins: Bin of each event, with shape (N,).
        count: Number of bins.
    """
    return np.bincount(bins, weights=weight, minlength=count).astype(np.float64, copy=False)


def cumulative_variance(weight: Floats, group: Groups, rank: Indices) -> Floats:
    """What each event adds to sum_groups (sum w)^2 when events are added by falling rank.

    The sum over events with a rank of at least r is then the variance of their sum of weights,
    with events of a group as one.

    Args:
        weight: With shape (N,).
        group: With shape (N,).
        rank: With shape (N,), the highest first.
    """
    order = np.lexsort((-rank, group))
    sums = np.cumsum(weight[order])
    first = np.append(True, group[order][1:] != group[order][:-1])
    before = np.append(0.0, sums[:-1])
    start = np.maximum.accumulate(np.where(first, np.arange(order.size), 0))
    within = sums - before[start]  # of the group so far, with this event
    earlier = np.where(first, 0.0, within - weight[order])
    added = np.empty(order.size)
    added[order] = within**2 - earlier**2
    return added


def grouped_variance(weight: Floats, group: Groups, bins: Indices, count: int) -> Floats:
    """Variance of the sum of weights in each bin, with events of a group as one.

    Args:
        weight: With shape (N,).
        group: With shape (N,).
        bins: Bin of each event, with shape (N,).
        count: Number of bins.

    Returns:
        With shape (count,).
    """
    order = np.lexsort((group, bins))
    ordered, cells = group[order], bins[order]
    if not order.size:
        return np.zeros(count)
    first = np.append(True, (ordered[1:] != ordered[:-1]) | (cells[1:] != cells[:-1]))
    starts = np.flatnonzero(first)
    sums = np.add.reduceat(weight[order], starts)
    return summed(sums**2, cells[starts], count)


def effective_number(weight: Floats, group: Groups) -> float:
    """Independent events of weight one that would be as informative: (sum w)^2 / variance."""
    variance = float(grouped_variance(weight, group, np.zeros(len(weight), np.intp), 1)[0])
    return float(weight.sum()) ** 2 / variance if variance else 0.0
