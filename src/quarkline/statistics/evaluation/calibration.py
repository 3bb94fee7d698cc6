"""Whether scores are probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats, Indices
from quarkline.statistics.evaluation.bootstrap import HUNDRED, Bootstrap, with_error
from quarkline.statistics.evaluation.events import ScoredEvents, grouped_variance, summed

Series = tuple[float, ...]
LEAST = 1e-15  # a probability of zero for the true class would cost without bound


@dataclass(frozen=True)
class ClassCalibration:
    """Mean score against share of the class, in equal bins of the score.

    Attributes:
        name: The class.
        edges: With shape (bins + 1,).
        predicted: Weighted mean score in each bin; NaN where no weight is.
        observed: Share of the class in the weights of each bin.
        error: Its standard deviation, with events of a group as one.
        weight: Sum of weights in each bin.
        ece: Expected calibration error: mean distance of the two, by weight, also of bins of
            negative weight (Naeini, Cooper and Hauskrecht, AAAI (2015) 2901).
    """

    name: str
    edges: Series
    predicted: Series
    observed: Series
    error: Series
    weight: Series
    ece: Quantity


@dataclass(frozen=True)
class Calibration(Result, kind="calibration"):
    """Reliability of all classes.

    Attributes:
        classes: A curve a class.
        brier: Mean over events of the sum over classes of (score - truth)^2 (Brier, Mon. Weather
            Rev. 78 (1950) 1); 0 is perfect.
        log_loss: Mean of -ln(score of the true class) in nats.
        replicas: Bootstrap replicas behind the errors.
    """

    classes: tuple[ClassCalibration, ...]
    brier: Quantity
    log_loss: Quantity
    replicas: int


def calibration(
    events: ScoredEvents, *, bins: int = 10, bootstrap: Bootstrap = HUNDRED
) -> Calibration:
    """Compare scores with how often they are right.

    The shares of the classes belong to the question: scores are probabilities under the weights a
    model was trained with, so give the events those, not expected yields.

    Args:
        events: Scored events.
        bins: Number of equal bins from 0 to 1.
        bootstrap: How errors are found.
    """
    rows = range(len(events))
    truth = np.zeros_like(events.score)
    truth[rows, events.label] = 1.0
    brier = ((events.score - truth) ** 2).sum(axis=1)
    loss = -np.log(np.clip(events.score[rows, events.label], LEAST, None))
    edges = np.linspace(0.0, 1.0, bins + 1)
    cells = [np.searchsorted(edges[1:-1], score, side="right") for score in events.score.T]
    excess = np.ascontiguousarray((events.score - truth).T)  # rows that are fast to read

    def numbers(weight: Floats) -> list[float]:
        """The classes' calibration errors, then Brier's score and the loss."""
        total = float(weight.sum())
        if not total > 0.0:
            return [np.nan] * (len(cells) + 2)
        wrong = [
            float(np.abs(summed(weight * part, own, bins)).sum())
            for part, own in zip(excess, cells, strict=True)
        ]
        return [part / total for part in (*wrong, float(brier @ weight), float(loss @ weight))]

    drawn = [numbers(events.weight * factor) for factor in bootstrap.factors(events.group)]
    replicas = np.array(drawn).reshape(-1, len(cells) + 2).T
    found = [with_error(*pair) for pair in zip(numbers(events.weight), replicas, strict=True)]
    return Calibration(
        tuple(
            _class_calibration(events, chosen, truth[:, chosen], cells[chosen], edges, ece)
            for chosen, ece in enumerate(found[:-2])
        ),
        found[-2],
        found[-1],
        bootstrap.replicas,
    )


def _class_calibration(
    events: ScoredEvents, chosen: int, truth: Floats, cells: Indices, edges: Floats, ece: Quantity
) -> ClassCalibration:
    score, weight, count = events.score[:, chosen], events.weight, edges.size - 1
    total = summed(weight, cells, count)
    positive = total > 0.0
    guard = np.where(positive, total, 1.0)
    predicted, observed = (
        np.where(positive, summed(weight * part, cells, count) / guard, np.nan)
        for part in (score, truth)
    )
    residual = weight * (truth - np.nan_to_num(observed)[cells])
    variance = grouped_variance(residual, events.group, cells, count)
    error = np.where(positive, np.sqrt(variance) / guard, np.nan)
    return ClassCalibration(
        events.classes[chosen],
        tuple(edges.tolist()),
        tuple(predicted.tolist()),
        tuple(observed.tolist()),
        tuple(error.tolist()),
        tuple(total.tolist()),
        ece,
    )
