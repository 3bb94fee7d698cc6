"""What systematic variations do to the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats
from quarkline.statistics.asimov import asimov_significance
from quarkline.statistics.evaluation.binned import automatic_edges
from quarkline.statistics.evaluation.bootstrap import HUNDRED, Bootstrap, with_error
from quarkline.statistics.evaluation.events import ScoredEvents, summed
from quarkline.statistics.roc import auc

Series = tuple[float, ...]


@dataclass(frozen=True)
class ScoreShift:
    """One side of one systematic.

    Attributes:
        name: The systematic.
        side: "up" or "down".
        mean: Mean of the varied less the nominal score of the signal class, by nominal weight.
        rms: Root mean square of that difference.
        largest: Largest relative change of the expected background in a bin of the score.
        largest_bin: Edges of that bin.
        yields: Relative change of the expected events of each class.
        auc: Area of signal against background, varied less nominal.
        significance: Binned Asimov significance, varied less nominal.
        unmatched: Events of either side that the other does not have.
    """

    name: str
    side: str
    mean: Quantity
    rms: float
    largest: float
    largest_bin: tuple[float, float]
    yields: Series
    auc: float
    significance: float
    unmatched: int


@dataclass(frozen=True)
class ScoreShifts(Result, kind="score-shifts"):
    """All variations, those that move the score's distribution most first.

    Attributes:
        classes: Names of the classes.
        shifts: By falling largest relative change of a bin.
        edges: Bins of the score.
        auc: Nominal area of signal against background.
        significance: Nominal binned Asimov significance.
    """

    classes: tuple[str, ...]
    shifts: tuple[ScoreShift, ...]
    edges: Series
    auc: float
    significance: float


@dataclass(frozen=True, eq=False)
class VariedEvents:
    """Events under one side of one systematic.

    Attributes:
        name: The systematic.
        side: "up" or "down".
        events: With their varied scores and weights.
        row: Number of each event's row, the same as of the nominal one, with shape (M,).
    """

    name: str
    side: str
    events: ScoredEvents
    row: NDArray[np.uint64]


def score_shifts(
    nominal: ScoredEvents,
    row: ArrayLike,
    varied: Sequence[VariedEvents],
    *,
    edges: ArrayLike | None = None,
    bootstrap: Bootstrap = HUNDRED,
) -> ScoreShifts:
    """Compare varied with nominal scores.

    Args:
        nominal: Nominal events.
        row: A number for each row that no other row has, with shape (N,).
        varied: Sides of systematics; rows that are on one side only are counted as unmatched.
        edges: Bins of the signal's score; None for the automatic ones of the nominal events.
        bootstrap: How the error of the mean shift is found.
    """
    cells = automatic_edges(nominal) if edges is None else np.asarray(edges, dtype=np.float64)
    known = np.asarray(row, dtype=np.uint64)
    shifts = [_shift(nominal, known, side, cells, bootstrap) for side in varied]
    ordered = sorted(shifts, key=lambda shift: -abs(np.nan_to_num(shift.largest)))
    return ScoreShifts(
        nominal.classes,
        tuple(ordered),
        tuple(cells.tolist()),
        signal_auc(nominal),
        binned_total(nominal, cells),
    )


def signal_auc(events: ScoredEvents) -> float:
    """Area of signal against all background; NaN if the weights of either are not positive."""
    signal = events.is_signal
    weights = events.weight[signal], events.weight[~signal]
    if not all(weight.sum() > 0.0 for weight in weights):
        return np.nan
    score = events.signal_score
    return auc(
        score[signal], score[~signal], signal_weight=weights[0], background_weight=weights[1]
    )


def binned_total(events: ScoredEvents, edges: Floats) -> float:
    """Asimov significances of bins of the signal's score in quadrature."""
    s, b = (_filled(events, edges, side) for side in (events.is_signal, ~events.is_signal))
    return float(np.sqrt(np.nansum(asimov_significance(s, b) ** 2)))


def _filled(events: ScoredEvents, edges: Floats, chosen: NDArray[np.bool_]) -> Floats:
    cells = np.searchsorted(edges[1:-1], events.signal_score[chosen], side="right")
    return summed(events.weight[chosen], cells, edges.size - 1)


def _shift(
    nominal: ScoredEvents,
    row: NDArray[np.uint64],
    side: VariedEvents,
    edges: Floats,
    bootstrap: Bootstrap,
) -> ScoreShift:
    _, here, there = np.intersect1d(row, side.row, assume_unique=True, return_indices=True)
    both = nominal[here]
    moved = side.events.signal_score[there] - both.signal_score
    changes = [_mean(moved, both.weight * factor) for factor in bootstrap.factors(both.group)]
    before, after = (_filled(events, edges, ~events.is_signal) for events in (nominal, side.events))
    relative = _relative(after, before)
    place = int(np.argmax(np.abs(np.nan_to_num(relative)))) if relative.size else 0
    yields = [
        summed(events.weight, events.label, len(nominal.classes))
        for events in (side.events, nominal)
    ]
    return ScoreShift(
        side.name,
        side.side,
        with_error(_mean(moved, both.weight), changes),
        float(np.sqrt(max(_mean(moved**2, both.weight), 0.0))),
        float(relative[place]),
        (float(edges[place]), float(edges[place + 1])),
        tuple(_relative(*yields).tolist()),
        signal_auc(side.events) - signal_auc(nominal),
        binned_total(side.events, edges) - binned_total(nominal, edges),
        len(nominal) + len(side.events) - 2 * here.size,
    )


def _mean(values: Floats, weight: Floats) -> float:
    total = float(weight.sum())
    return float(values @ weight) / total if total > 0.0 else np.nan


def _relative(varied: Floats, nominal: Floats) -> Floats:
    positive = nominal > 0.0
    return np.where(positive, varied / np.where(positive, nominal, 1.0) - 1.0, np.nan)
