"""Confusion matrices: which class events of each class are taken for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats, Indices
from quarkline.statistics.evaluation.bootstrap import HUNDRED, Bootstrap, with_error
from quarkline.statistics.evaluation.events import ScoredEvents, grouped_variance, summed

BACKGROUND = "background"
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ConfusionMatrix(Result, kind="confusion-matrix"):
    """Sums of weights by true class (rows) and predicted class (columns).

    Attributes:
        classes: Names; signal and "background" for a binary matrix.
        rule: How a class is predicted, in words.
        threshold: Score of the signal from which an event is signal; None for the largest score.
        weighted: Sums of weights, (C, C).
        error: Their standard deviations, with events of a group as one, (C, C).
        counts: Numbers of events, (C, C).
        accuracy: Share of the weights on the diagonal, with its bootstrap error.
        accuracy_unweighted: Share of the events.
        f1: 2 TP / (2 TP + FP + FN) of each class, of weights.
        replicas: Bootstrap replicas behind the errors.
    """

    classes: tuple[str, ...]
    rule: str
    threshold: float | None
    weighted: Matrix
    error: Matrix
    counts: tuple[tuple[int, ...], ...]
    accuracy: Quantity
    accuracy_unweighted: float
    f1: tuple[Quantity, ...]
    replicas: int

    @property
    def by_truth(self) -> Floats:
        """Shares of each true class, (C, C); NaN in the row of a class of no weight."""
        weights = np.asarray(self.weighted).reshape(len(self.classes), -1)
        return _divided(weights, weights.sum(axis=1, keepdims=True))


def confusion_matrix(
    events: ScoredEvents,
    *,
    threshold: float | None = None,
    binary: bool = False,
    bootstrap: Bootstrap = HUNDRED,
) -> ConfusionMatrix:
    """Count which class events are taken for.

    Args:
        events: Scored events.
        threshold: An event is signal if the signal's score is at least this, else the other class
            with the largest score; None takes the class with the largest score.
        binary: Whether all classes but the signal are one, and the matrix has the signal first.
        bootstrap: How errors are found.
    """
    truth, taken = events.label, predicted_class(events, threshold)
    classes = events.classes
    if binary:
        truth, taken = (np.where(side == events.signal, 0, 1) for side in (truth, taken))
        classes = (classes[events.signal], BACKGROUND)
    number = len(classes)
    cells = (truth * number + taken).astype(np.intp)

    def table(weight: Floats) -> Floats:
        filled = summed(weight, cells, number**2)
        return filled.reshape(number, number)

    weighted, counts = table(events.weight), table(np.ones(len(events)))
    drawn = [table(events.weight * factor) for factor in bootstrap.factors(events.group)]
    replicas = np.array(drawn).reshape(-1, number, number)
    variance = grouped_variance(events.weight, events.group, cells, number**2)
    scores = zip(_f1(weighted[None])[0], _f1(replicas).T, strict=True)
    return ConfusionMatrix(
        classes,
        _rule(events, threshold),
        threshold,
        _matrix(weighted),
        _matrix(np.sqrt(variance).reshape(number, number)),
        tuple(tuple(int(value) for value in row) for row in counts),
        with_error(float(_accuracy(weighted[None])[0]), _accuracy(replicas)),
        float(_accuracy(counts[None])[0]),
        tuple(with_error(float(value), drawn_values) for value, drawn_values in scores),
        bootstrap.replicas,
    )


def predicted_class(events: ScoredEvents, threshold: float | None = None) -> Indices:
    """Number of the class each event is taken for, with shape (N,); the first of equal scores."""
    if threshold is None:
        return np.asarray(np.argmax(events.score, axis=1), dtype=np.intp)
    others = events.score.copy()
    others[:, events.signal] = -np.inf
    return np.where(
        events.signal_score >= threshold, events.signal, np.argmax(others, axis=1)
    ).astype(np.intp)


def _rule(events: ScoredEvents, threshold: float | None) -> str:
    name = events.classes[events.signal]
    return "largest score" if threshold is None else f"{name} from a score of {threshold:.4g}"


def _accuracy(tables: Floats) -> Floats:
    return _divided(np.trace(tables, axis1=1, axis2=2), tables.sum(axis=(1, 2)))


def _f1(tables: Floats) -> Floats:
    """Of tables (R, C, C), with shape (R, C); rows and columns count each right event twice."""
    right = np.diagonal(tables, axis1=1, axis2=2)
    return _divided(2.0 * right, tables.sum(axis=1) + tables.sum(axis=2))


def _divided(part: Floats, whole: Floats) -> Floats:
    return np.where(whole > 0.0, part / np.where(whole > 0.0, whole, 1.0), np.nan)


def _matrix(values: Floats) -> Matrix:
    return tuple(tuple(row) for row in values.tolist())
