"""Whether a classifier scores the events it was trained on differently from others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats
from quarkline.statistics.evaluation.bootstrap import HUNDRED, Bootstrap, with_error
from quarkline.statistics.evaluation.curves import auc_replicas
from quarkline.statistics.evaluation.events import (
    ScoredEvents,
    effective_number,
    grouped_variance,
    summed,
)
from quarkline.statistics.ks import KsResult, ks_two_sample
from quarkline.statistics.roc import auc

Series = tuple[float, ...]
BINS, GROUPS = 10, 10  # most bins of chi2, and effective groups for each


@dataclass(frozen=True)
class ScoreShape:
    """One class's distribution of the signal's score, normalised to one.

    Attributes:
        edges: With shape (bins + 1,).
        train: Share in each bin, of the events trained on.
        train_error: Its standard deviation.
        test: Share of the events not trained on.
        test_error: Its standard deviation.
    """

    edges: Series
    train: Series
    train_error: Series
    test: Series
    test_error: Series


@dataclass(frozen=True)
class ClassOvertraining:
    """One class, by the signal's score for distributions and its own for the area.

    Attributes:
        name: The class.
        events: Number of events trained on, and of others.
        shape: Distributions of the signal's score.
        ks: Kolmogorov-Smirnov test of the two, with effective numbers of groups.
        chi2: Of the difference in bins, with the covariance of groups.
        ndf: Degrees of freedom; 0 if there is nothing to compare.
        p_chi2: Probability of such a chi2 or a larger one, by Hotelling's distribution.
        auc_train: Area against the rest, of events trained on.
        auc_test: Of the others.
        auc_difference: Training less test, with an error that knows which events are in both.
    """

    name: str
    events: tuple[int, int]
    shape: ScoreShape
    ks: KsResult
    chi2: float
    ndf: int
    p_chi2: float
    auc_train: Quantity
    auc_test: Quantity
    auc_difference: Quantity


@dataclass(frozen=True)
class Overtraining(Result, kind="overtraining"):
    """Training against out-of-fold scores.

    Attributes:
        signal: Name of the signal class.
        classes: A row a class.
        replicas: Bootstrap replicas behind the errors of areas.
    """

    signal: str
    classes: tuple[ClassOvertraining, ...]
    replicas: int


def overtraining(
    train: ScoredEvents, test: ScoredEvents, *, bins: int = 25, bootstrap: Bootstrap = HUNDRED
) -> Overtraining:
    """Compare scores of events that a model was trained on with those of others.

    With folds both samples may be the same events, scored by models that have and that have not
    seen them. Errors of areas and chi2 then take the correlation from groups that are in both; the
    p-value of the Kolmogorov-Smirnov test does not, and is too large.

    Args:
        train: Events as scored by models trained on them.
        test: Events as scored by models not trained on them, of the same classes.
        bins: Number of equal bins of the distributions that are drawn.
        bootstrap: How errors of areas are found.

    Raises:
        ValueError: If the classes or the signal differ.
    """
    if (train.classes, train.signal) != (test.classes, test.signal):
        msg = f"classes {train.classes} and {test.classes} are compared"
        raise ValueError(msg)
    replicas = [auc_replicas(events, bootstrap) for events in (train, test)]
    rows = tuple(
        _compared(train, test, chosen, bins, replicas[0][:, chosen], replicas[1][:, chosen])
        for chosen in range(len(train.classes))
    )
    return Overtraining(train.classes[train.signal], rows, bootstrap.replicas)


def _compared(
    train: ScoredEvents,
    test: ScoredEvents,
    chosen: int,
    bins: int,
    train_areas: Floats,
    test_areas: Floats,
) -> ClassOvertraining:
    sides = [events[events.label == chosen] for events in (train, test)]
    edges = np.linspace(0.0, 1.0, bins + 1)
    shapes = [_shape(side, edges) for side in sides]
    chi2, ndf, p_chi2 = _chi2(*sides)
    areas = [_area(events, chosen) for events in (train, test)]
    return ClassOvertraining(
        train.classes[chosen],
        (len(sides[0]), len(sides[1])),
        ScoreShape(_series(edges), *(_series(part) for shape in shapes for part in shape)),
        _ks(*sides),
        chi2,
        ndf,
        p_chi2,
        with_error(areas[0], train_areas),
        with_error(areas[1], test_areas),
        with_error(areas[0] - areas[1], train_areas - test_areas),
    )


def _area(events: ScoredEvents, chosen: int) -> float:
    score, of_class = events.score[:, chosen], events.label == chosen
    weights = [events.weight[side] for side in (of_class, ~of_class)]
    if not all(weight.sum() > 0.0 for weight in weights):
        return np.nan
    return auc(
        score[of_class],
        score[~of_class],
        signal_weight=weights[0],
        background_weight=weights[1],
    )


def _ks(train: ScoredEvents, test: ScoredEvents) -> KsResult:
    return ks_two_sample(
        train.signal_score,
        test.signal_score,
        first_weight=train.weight,
        second_weight=test.weight,
        effective=(
            effective_number(train.weight, train.group),
            effective_number(test.weight, test.group),
        ),
    )


def _shape(events: ScoredEvents, edges: Floats) -> tuple[Floats, Floats]:
    """Shares (bins,) with their errors; NaN if the weights do not add up to more than zero."""
    total, count = float(events.weight.sum()), edges.size - 1
    if not total > 0.0:
        return np.full(count, np.nan), np.full(count, np.nan)
    cells = np.searchsorted(edges[1:-1], events.signal_score, side="right").astype(np.intp)
    share = summed(events.weight, cells, count) / total
    return share, np.sqrt(grouped_variance(events.weight, events.group, cells, count)) / total


def _chi2(train: ScoredEvents, test: ScoredEvents) -> tuple[float, int, float]:
    """Distance of two normalised distributions in units of their covariance, its rank, and p.

    The covariance is a sum over groups, so that chi2 follows Hotelling's distribution, with the
    effective number of groups (Hotelling, Ann. Math. Stat. 2 (1931) 360).
    """
    if not (train.weight.sum() > 0.0 and test.weight.sum() > 0.0):
        return np.nan, 0, np.nan
    distance, influence, effective = _difference(train, test, BINS)
    fewer = int(np.clip(effective / GROUPS, 2, BINS))
    if fewer < BINS:
        distance, influence, effective = _difference(train, test, fewer)
    variances, directions = np.linalg.eigh(influence.T @ influence)
    known = variances > 1e-9 * max(variances[-1], 0.0)
    ndf = int(known.sum())
    chi2 = float(((directions[:, known].T @ distance) ** 2 / variances[known]).sum())
    if not ndf or effective < ndf + 2:
        return np.nan, 0, np.nan
    scale = (effective - ndf) / (ndf * (effective - 1.0))
    return chi2, ndf, float(special.fdtrc(ndf, effective - ndf, scale * chi2))


def _difference(train: ScoredEvents, test: ScoredEvents, bins: int) -> tuple[Floats, Floats, float]:
    """Difference of the shares in bins of equal numbers, and what each group adds to it.

    Returns:
        Difference (bins,), parts (groups, bins), and the effective number of groups.
    """
    pooled = np.sort(np.concatenate([train.signal_score, test.signal_score]))
    inner = np.unique(pooled[np.linspace(0, pooled.size - 1, bins + 1)[1:-1].astype(np.intp)])
    groups, place = np.unique(np.concatenate([train.group, test.group]), return_inverse=True)
    size = inner.size + 1
    shares, parts = [], []
    for events, rows in ((train, place[: len(train)]), (test, place[len(train) :])):
        cells = rows * size + np.searchsorted(inner, events.signal_score, side="left")
        sums = summed(events.weight, cells, groups.size * size)
        table = sums.reshape(groups.size, size) / sums.sum()
        shares.append(table.sum(axis=0))
        parts.append(table - table.sum(axis=1, keepdims=True) * shares[-1])
    influence = parts[0] - parts[1]
    squares = (influence**2).sum(axis=1)
    most = float((squares**2).sum())
    return shares[0] - shares[1], influence, float(squares.sum()) ** 2 / most if most else 0.0


def _series(values: Floats) -> Series:
    return tuple(values.tolist())
