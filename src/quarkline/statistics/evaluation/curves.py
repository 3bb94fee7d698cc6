"""ROC curves of a classifier of several classes, with areas and bootstrap errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Bools, Floats, Indices
from quarkline.statistics.evaluation.bootstrap import HUNDRED, Bootstrap, with_error
from quarkline.statistics.evaluation.events import ScoredEvents, summed
from quarkline.statistics.roc import auc, share_below, sorted_sample

BINS = 1024  # of equal numbers of events: what replicas of an area are taken from
REST = "rest"
Series = tuple[float, ...]


@dataclass(frozen=True)
class ClassRoc:
    """Efficiencies of one class against others, for all cuts score >= threshold.

    Attributes:
        name: The class kept on purpose.
        against: The class rejected; "rest" for all others.
        status: "ok", or why there is no curve.
        auc: Area under the curve with weights, and its bootstrap error.
        auc_unweighted: Area with a weight of one for each event.
        thresholds: Falling, with shape (points,).
        efficiency: Of the class, with shape (points,).
        mistaken: Efficiency of what is rejected, with shape (points,).
        events: Number of events of the class and of what is rejected.
        negative: How many of them have a negative weight.
    """

    name: str
    against: str
    status: str
    auc: Quantity
    auc_unweighted: float
    thresholds: tuple[float, ...]
    efficiency: tuple[float, ...]
    mistaken: tuple[float, ...]
    events: tuple[int, int]
    negative: tuple[int, int]


@dataclass(frozen=True)
class RocCurves(Result, kind="roc-curves"):
    """Each class against the rest by its own score, and the signal against each other class.

    Attributes:
        signal: Name of the signal class.
        classes: A curve a class, against the rest.
        pairs: Signal against each other class, by the signal's score; empty for two classes.
        mean_auc: Unweighted mean over the classes' areas that exist.
        replicas: Bootstrap replicas behind the errors.
    """

    signal: str
    classes: tuple[ClassRoc, ...]
    pairs: tuple[ClassRoc, ...]
    mean_auc: Quantity
    replicas: int

    @property
    def of_signal(self) -> ClassRoc:
        """Signal against all background."""
        return next(curve for curve in self.classes if curve.name == self.signal)


def roc_curves(
    events: ScoredEvents, *, bootstrap: Bootstrap = HUNDRED, points: int = 200
) -> RocCurves:
    """Draw the curves and measure their areas.

    With weights of both signs efficiencies are ratios of signed sums. They estimate the true ones
    without bias, but a curve need not be monotone, nor stay within 0 and 1; it is neither sorted
    nor clipped, and the area is the signed sum over pairs of events, with ties half. A class whose
    weights do not add up to more than zero has no curve.

    Args:
        events: Scored events.
        bootstrap: How errors are found.
        points: About how many points a curve has between 0 and 1 on either axis.
    """
    number = len(events.classes)
    replicas = _replicas(events, bootstrap)
    rest = tuple(
        _curve(events, chosen, chosen, ~_of(events, chosen), replicas[:, chosen], points)
        for chosen in range(number)
    )
    pairs = tuple(
        _curve(
            events, events.signal, other, _of(events, other), replicas[:, number + other], points
        )
        for other in range(number)
        if number > 2 and other != events.signal
    )
    means = _mean(replicas[:, :number])
    mean = with_error(float(_mean(np.array([[curve.auc.value for curve in rest]]))[0]), means)
    return RocCurves(events.classes[events.signal], rest, pairs, mean, bootstrap.replicas)


def auc_replicas(events: ScoredEvents, bootstrap: Bootstrap) -> Floats:
    """Areas of each class against the rest in each replica, with shape (replicas, C).

    They are taken from 1024 bins of about equal numbers of events.

    Args:
        events: Scored events.
        bootstrap: How replicas are drawn.
    """
    return _replicas(events, bootstrap)[:, : len(events.classes)]


def _of(events: ScoredEvents, chosen: int) -> Bools:
    return np.asarray(events.label == chosen)


def _mean(areas: Floats) -> Floats:
    known = np.isfinite(areas)
    numbers = known.sum(axis=1)
    sums = np.where(known, areas, 0.0).sum(axis=1)
    return np.where(numbers > 0, sums / np.maximum(numbers, 1), np.nan)


def _curve(
    events: ScoredEvents, chosen: int, other: int, rejected: Bools, replicas: Floats, points: int
) -> ClassRoc:
    sides = [
        sorted_sample(events.score[rows, chosen], events.weight[rows])
        for rows in (_of(events, chosen), rejected)
    ]
    weights = [weight for _, weight in sides]
    status = _status(events, chosen, other, weights)
    area, raw = Quantity(np.nan), np.nan
    thresholds, efficiency, mistaken = _points(sides, points) if status == "ok" else ((), (), ())
    if status == "ok":
        (kept, _), (lost, _) = sides
        value = auc(kept, lost, signal_weight=weights[0], background_weight=weights[1])
        area, raw = with_error(value, replicas), auc(kept, lost)
    return ClassRoc(
        events.classes[chosen],
        REST if other == chosen else events.classes[other],
        status,
        area,
        raw,
        thresholds,
        efficiency,
        mistaken,
        (weights[0].size, weights[1].size),
        (int((weights[0] < 0.0).sum()), int((weights[1] < 0.0).sum())),
    )


def _status(events: ScoredEvents, chosen: int, other: int, weights: list[Floats]) -> str:
    others = "the rest" if other == chosen else events.classes[other]
    for name, weight in zip((events.classes[chosen], others), weights, strict=True):
        if not weight.size:
            return f"no events of {name}"
        if not weight.sum() > 0.0:
            return f"the weights of {name} add up to {weight.sum():.3g}"
    return "ok"


def _points(samples: Sequence[tuple[Floats, Floats]], points: int) -> tuple[Series, Series, Series]:
    """Thresholds, efficiencies and mistakes, of what is kept and what is lost, each in order.

    The thresholds fall; there either efficiency takes even steps, and small ones where the
    mistakes are few.
    """
    even = np.linspace(0.0, 1.0, points + 1)
    steps = [even, np.unique(np.concatenate([even, 1.0 - np.geomspace(1e-6, 1.0, points)]))]
    wanted = [
        values[np.round(share * (values.size - 1)).astype(np.intp)]
        for (values, _), share in zip(samples, steps, strict=True)
    ]
    thresholds = np.unique(np.concatenate(wanted))[::-1]
    shares = [1.0 - share_below(sample, thresholds, "left") for sample in samples]
    above = float(np.nextafter(thresholds[0], np.inf))
    return (
        (above, *thresholds.tolist()),
        (0.0, *shares[0].tolist()),
        (0.0, *shares[1].tolist()),
    )


def _replicas(events: ScoredEvents, bootstrap: Bootstrap) -> Floats:
    """Areas of each class against the rest, then of the signal against each class, (R, 2 C)."""
    number = len(events.classes)
    cells = [_even_bins(column) * number + events.label for column in events.score.T]
    replicas = []
    for factor in bootstrap.factors(events.group):
        weight = events.weight * factor
        areas, pairs = [], [np.nan] * number
        for chosen, own in enumerate(cells):
            table = summed(weight, own, BINS * number).reshape(BINS, number)
            areas.append(_binned_area(table[:, chosen], table.sum(axis=1) - table[:, chosen]))
            if chosen == events.signal:
                pairs = [_binned_area(table[:, chosen], other) for other in table.T]
        replicas.append([*areas, *pairs])
    return np.array(replicas).reshape(-1, 2 * number)


def _even_bins(score: Floats) -> Indices:
    """Bins of about equal numbers of events; equal scores share a bin."""
    ordered = np.sort(score)
    edges = (
        ordered[np.linspace(0, ordered.size - 1, BINS + 1)[1:-1].astype(np.intp)]
        if len(ordered)
        else ordered
    )
    return np.searchsorted(np.unique(edges), score, side="left").astype(np.intp)


def _binned_area(kept: Floats, lost: Floats) -> float:
    """Area under the curve of two histograms of the score, ties half."""
    total = kept.sum() * lost.sum()
    below = np.cumsum(lost) - lost / 2.0
    return float(kept @ below / total) if kept.sum() > 0.0 and lost.sum() > 0.0 else np.nan
