"""Whether scores are probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats
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
        ece: Expected calibration error: mean distance of the two, by weight (Naeini, Cooper and
            Hauskrecht, AAAI (2015) 2901).
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
    factors = list(bootstrap.factors(events.group)) if len(events) < 200_000 else None

    def replicated(values: Floats) -> Quantity:
        drawn = factors if factors is not None else bootstrap.factors(events.group)
        replicas = [_mean(values, events.weight * factor) for factor in drawn]
        return with_error(_mean(values, events.weight), replicas)

    return Calibration(
        tuple(
            _class_calibration(events, chosen, truth[:, chosen], edges, bootstrap)
            for chosen in range(len(events.classes))
        ),
        replicated(brier),
        replicated(loss),
        bootstrap.replicas,
    )


def _mean(values: Floats, weight: Floats) -> float:
    total = float(weight.sum())
    return float(values @ weight) / total if total > 0.0 else np.nan


def _class_calibration(
    events: ScoredEvents, chosen: int, truth: Floats, edges: Floats, bootstrap: Bootstrap
) -> ClassCalibration:
    score, count = events.score[:, chosen], edges.size - 1
    cells = np.searchsorted(edges[1:-1], score, side="right").astype(np.intp)

    def filled(values: Floats) -> Floats:
        return summed(values, cells, count)

    def sums(weight: Floats) -> Floats:
        return np.stack([filled(weight), filled(weight * score), filled(weight * truth)])

    total, predicted, observed = sums(events.weight)
    positive = total > 0.0
    guard = np.where(positive, total, 1.0)
    shares = [np.where(positive, part / guard, np.nan) for part in (predicted, observed)]
    residual = events.weight * (truth - np.nan_to_num(shares[1])[cells])
    variance = grouped_variance(residual, events.group, cells, count)
    replicas = [_ece(sums(events.weight * factor)) for factor in bootstrap.factors(events.group)]
    return ClassCalibration(
        events.classes[chosen],
        tuple(edges.tolist()),
        tuple(shares[0].tolist()),
        tuple(shares[1].tolist()),
        tuple(np.where(positive, np.sqrt(variance) / guard, np.nan).tolist()),
        tuple(total.tolist()),
        with_error(_ece(np.stack([total, predicted, observed])), replicas),
    )


def _ece(sums: Floats) -> float:
    """Of weights, weighted scores and weights of the class in bins, (3, bins)."""
    used = sums[:, sums[0] > 0.0]
    total = float(used[0].sum())
    return float(np.abs(used[1] - used[2]).sum()) / total if total else np.nan
