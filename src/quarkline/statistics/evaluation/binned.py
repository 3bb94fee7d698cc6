"""Significance of all bins of a score together, and bins chosen without looking at the signal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats
from quarkline.statistics.asimov import asimov_significance
from quarkline.statistics.evaluation.bootstrap import HUNDRED, Bootstrap, with_error
from quarkline.statistics.evaluation.events import (
    ScoredEvents,
    effective_number,
    grouped_variance,
    summed,
)

Series = tuple[float, ...]
AUTOMATIC = "automatic"


@dataclass(frozen=True)
class BinnedSignificance:
    """Signal and background in bins of the signal's score.

    Attributes:
        name: What the bins are called.
        edges: Rising, with shape (bins + 1,).
        signal: Signal events expected in each bin.
        background: Background events.
        background_error: Standard deviation: relative error and statistics of the simulation.
        n_background: Simulated background events in each bin, not weighted.
        significance: Asimov significance of each bin; NaN where the background is not positive.
        total: Root of the sum of squares over bins with a background.
        total_uncertain: The same with the background's errors, uncorrelated between bins.
        left_out: Signal events in bins whose background is not positive.
    """

    name: str
    edges: Series
    signal: Series
    background: Series
    background_error: Series
    n_background: tuple[int, ...]
    significance: Series
    total: Quantity
    total_uncertain: Quantity
    left_out: float


@dataclass(frozen=True)
class BinnedSignificances(Result, kind="binned-significances"):
    """Several binnings of one score.

    Attributes:
        binnings: One a binning.
        effective_background: Effective number of simulated background events.
        relative_error: Relative systematic error of the background in every bin.
        replicas: Bootstrap replicas behind the errors.
    """

    binnings: tuple[BinnedSignificance, ...]
    effective_background: float
    relative_error: float
    replicas: int

    def binning(self, name: str) -> BinnedSignificance:
        """One binning by name."""
        return next(binning for binning in self.binnings if binning.name == name)


def automatic_edges(events: ScoredEvents, *, least: int = 10) -> Floats:
    """Edges with at least `least` simulated background events in every bin, twice as many a bin.

    From the highest score downwards the first bin ends at the score of the `least`-th background
    event, the next holds twice as many, and so on; the last reaches the lowest score. Neither the
    signal nor any weight is looked at, except that a bin whose background does not add up to more
    than zero goes on to the next. The k-th highest of N scores of background has an expected share
    of k / (N + 1) of the background above it, so the share k / N that is found is not biased by
    the choice (David and Nagaraja, Order Statistics (2003) 2.5).

    Args:
        events: Scored events.
        least: Simulated background events in the highest bin.

    Returns:
        Rising, from 0 to 1, or further where scores lie beyond.

    Raises:
        ValueError: If `least` is not positive.
    """
    if least < 1:
        msg = f"a bin needs at least one background event, not {least}"
        raise ValueError(msg)
    away = ~events.is_signal
    order = np.argsort(-events.signal_score[away], kind="stable")
    score, weight = events.signal_score[away][order], events.weight[away][order]
    sums = np.append(0.0, np.cumsum(weight))
    lowest, highest = _reach(events.signal_score)
    edges, start, wanted = [highest], 0, least
    while score.size - (start + wanted) >= 2 * wanted:
        edge = score[start + wanted - 1]
        stop = int(np.searchsorted(-score, -edge, side="right"))  # events of equal score together
        wanted = 2 * wanted if sums[stop] - sums[start] > 0.0 else wanted + (stop - start)
        if sums[stop] - sums[start] > 0.0 and edge < edges[-1]:
            edges.append(float(edge))
            start = stop
    return np.array([*([lowest] if edges[-1] > lowest else []), *edges[::-1]])


def binned_significance(
    events: ScoredEvents,
    *,
    binnings: dict[str, ArrayLike] | None = None,
    least: int = 10,
    relative_error: float = 0.0,
    bootstrap: Bootstrap = HUNDRED,
) -> BinnedSignificances:
    """Add the Asimov significances of bins of the signal's score in quadrature.

    Args:
        events: Scored events whose weights are expected events.
        binnings: Edges by name, beside the automatic ones; None for 10 and 20 equal bins.
        least: Simulated background events in the highest automatic bin.
        relative_error: Relative systematic error of the background in every bin.
        bootstrap: How errors are found.
    """
    lowest, highest = _reach(events.signal_score)
    given = (
        binnings
        if binnings is not None
        else {f"{count} equal bins": np.linspace(lowest, highest, count + 1) for count in (10, 20)}
    )
    every = {AUTOMATIC: automatic_edges(events, least=least), **given}
    away = ~events.is_signal
    return BinnedSignificances(
        tuple(
            _binned(name, events, np.asarray(edges, dtype=np.float64), relative_error, bootstrap)
            for name, edges in every.items()
        ),
        effective_number(events.weight[away], events.group[away]),
        relative_error,
        bootstrap.replicas,
    )


def _reach(score: Floats) -> tuple[float, float]:
    """Where bins of a probability begin and end, or of what lies beyond."""
    return float(score.min(initial=0.0)), float(score.max(initial=1.0))


def _binned(
    name: str, events: ScoredEvents, edges: Floats, relative_error: float, bootstrap: Bootstrap
) -> BinnedSignificance:
    count = edges.size - 1
    cells = np.searchsorted(edges[1:-1], events.signal_score, side="right")
    inside = (events.signal_score >= edges[0]) & (events.signal_score <= edges[-1])
    signal = events.is_signal
    columns = np.where(inside, np.where(signal, 0, count) + cells, 2 * count).astype(np.intp)

    def filled(weight: Floats) -> Floats:
        sums = summed(weight, columns, 2 * count + 1)
        return sums[:-1].reshape(2, count)

    used = inside & ~signal
    variance = grouped_variance(events.weight[used], events.group[used], cells[used], count)
    s, b = filled(events.weight)
    error = np.sqrt(variance + (relative_error * b) ** 2)
    share = np.where(b > 0.0, error / np.where(b > 0.0, b, 1.0), 0.0)
    drawn = np.array([filled(events.weight * factor) for factor in bootstrap.factors(events.group)])
    drawn = drawn.reshape(-1, 2, count)
    each = asimov_significance(s, b)
    return BinnedSignificance(
        name,
        _series(edges),
        _series(s),
        _series(b),
        _series(error),
        tuple(int(number) for number in filled(np.ones(len(events)))[1]),
        _series(each),
        with_error(float(_total(each)), _total(asimov_significance(drawn[:, 0], drawn[:, 1]))),
        with_error(
            float(_total(asimov_significance(s, b, error))),
            _total(asimov_significance(drawn[:, 0], drawn[:, 1], share * drawn[:, 1])),
        ),
        float(s[b <= 0.0].sum()),
    )


def _total(significance: Floats) -> Floats:
    """Over the last axis; bins without an answer add nothing."""
    return np.asarray(np.sqrt(np.nansum(significance**2, axis=-1)))


def _series(values: Floats) -> Series:
    return tuple(values.tolist())
