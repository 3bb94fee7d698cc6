"""Significance of a counting experiment behind every cut on the signal's score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Bools, Floats, Indices
from quarkline.statistics.asimov import SIGNIFICANCES
from quarkline.statistics.evaluation.bootstrap import HUNDRED, Bootstrap, band, with_error
from quarkline.statistics.evaluation.events import ScoredEvents, cumulative_variance, summed

Series = tuple[float, ...]


@dataclass(frozen=True)
class BestThreshold:
    """The cut with the largest significance.

    Attributes:
        threshold: The cut, with the spread of the best cuts of the replicas; NaN if no cut is
            allowed.
        significance: There, with its bootstrap error at this cut.
        optimism: How much of it is due to choosing the cut with the same events: the median, over
            replicas, of the significance at the replica's best cut in the replica less that in
            the events themselves (Efron, J. Am. Stat. Assoc. 78 (1983) 316).
        signal: Signal events behind the cut.
        background: Background events behind it.
    """

    threshold: Quantity
    significance: Quantity
    optimism: float
    signal: float
    background: float


@dataclass(frozen=True)
class MeritScan:
    """One figure of merit at all thresholds.

    Attributes:
        name: Which, such as "Asimov".
        significance: At each threshold; NaN where the cut is not allowed.
        low: Lower end of the central 68.3 % of the replicas at each threshold.
        high: Upper end.
        best: The largest one.
        perfect: Value of a perfect classification; None where it has no bound.
    """

    name: str
    significance: Series
    low: Series
    high: Series
    best: BestThreshold
    perfect: float | None


@dataclass(frozen=True)
class SignificanceScan(Result, kind="significance-scan"):
    """Yields and significances of all cuts score >= threshold.

    Attributes:
        thresholds: Rising, with shape (points,).
        signal: Signal events expected behind each cut.
        background: Background events expected.
        background_error: Standard deviation of the background: the given relative error and the
            statistical one of the simulation, in quadrature.
        n_background: Number of simulated background events, not weighted.
        relative_error: The given relative error of the background.
        min_background: Simulated background events that a cut must keep.
        merits: Figures of merit.
        negative: Number of events with a negative weight: signal, background.
        replicas: Bootstrap replicas behind the bands.
    """

    thresholds: Series
    signal: Series
    background: Series
    background_error: Series
    n_background: tuple[int, ...]
    relative_error: float
    min_background: int
    merits: tuple[MeritScan, ...]
    negative: tuple[int, int]
    replicas: int

    def merit(self, name: str) -> MeritScan:
        """One figure of merit by name."""
        return next(merit for merit in self.merits if merit.name == name)


def score_thresholds() -> Floats:
    """Cuts on a probability: even steps of 0.005, and even in its logit towards 0 and 1."""
    tail = special.expit(np.linspace(-12.0, -4.6, 38))
    return np.unique(np.concatenate([np.linspace(0.0, 1.0, 201), tail, 1.0 - tail]))


def significance_scan(
    events: ScoredEvents,
    *,
    thresholds: ArrayLike | None = None,
    relative_error: float = 0.0,
    min_background: int = 10,
    bootstrap: Bootstrap = HUNDRED,
) -> SignificanceScan:
    """Scan cuts on the signal's score.

    A cut is allowed if it keeps at least `min_background` simulated background events, and a
    background whose weights add up to more than zero. Of equally good cuts the highest is taken.

    Args:
        events: Scored events whose weights are expected events, of everything that is expected.
        thresholds: Cuts; None for `score_thresholds()`.
        relative_error: Relative systematic error of the background.
        min_background: Simulated background events that a cut must keep.
        bootstrap: How errors are found.
    """
    cuts = score_thresholds() if thresholds is None else np.unique(np.asarray(thresholds, float))
    signal = events.is_signal
    cells = np.searchsorted(cuts, events.signal_score, side="right")
    columns = np.where(signal, 0, 1) * (cuts.size + 1) + cells
    order = cells.astype(np.intp)
    added = np.where(
        signal, 0.0, cumulative_variance(np.where(signal, 0.0, events.weight), events.group, order)
    )

    def above(weight: Floats) -> Floats:
        """Sums (2, points) of signal and background at and above each cut."""
        filled = summed(weight, columns, 2 * (cuts.size + 1))
        return filled.reshape(2, -1)[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]

    def yields(factor: Floats) -> Floats:
        """Signal, background and its standard deviation, (3, points)."""
        s, b = above(events.weight * factor)
        variance = np.maximum(above(added * factor)[1], 0.0)
        return np.stack([s, b, np.sqrt(variance + (relative_error * b) ** 2)])

    expected = yields(np.ones(len(events)))
    numbers = above(np.ones(len(events)))[1]
    allowed = (numbers >= min_background) & (expected[1] > 0.0)
    drawn = np.array([yields(factor) for factor in bootstrap.factors(events.group)])
    replicas = drawn.reshape(-1, *expected.shape)
    merits = tuple(_scan(name, cuts, expected, replicas, allowed) for name in SIGNIFICANCES)
    negative = events.weight < 0.0
    s, b, error = (tuple(row.tolist()) for row in expected)
    return SignificanceScan(
        tuple(cuts.tolist()),
        s,
        b,
        error,
        tuple(int(number) for number in numbers),
        relative_error,
        min_background,
        merits,
        (int((negative & signal).sum()), int((negative & ~signal).sum())),
        bootstrap.replicas,
    )


def _scan(name: str, cuts: Floats, expected: Floats, replicas: Floats, allowed: Bools) -> MeritScan:
    formula = SIGNIFICANCES[name]
    values = np.where(allowed, formula(*expected), np.nan)
    drawn = np.where(allowed, formula(*np.moveaxis(replicas, 1, 0)), np.nan)
    low, high = band(drawn)
    total = max(float(expected[0, 0]), 0.0) if cuts.size else 0.0
    return MeritScan(
        name,
        tuple(values.tolist()),
        tuple(low.tolist()),
        tuple(high.tolist()),
        _best(cuts, expected, values, drawn),
        float(np.sqrt(total)) if name == "s/sqrt(s+b)" else None,
    )


def _best(cuts: Floats, expected: Floats, values: Floats, drawn: Floats) -> BestThreshold:
    if not np.isfinite(values).any():
        nothing = Quantity(np.nan)
        return BestThreshold(nothing, nothing, np.nan, np.nan, np.nan)
    place = _highest(values[None])[0]
    known = np.isfinite(drawn).any(axis=1)
    places, rows = _highest(drawn[known]), np.flatnonzero(known)
    gained = drawn[rows, places] - values[places]
    optimism = float(np.nanmedian(gained)) if np.isfinite(gained).any() else np.nan
    return BestThreshold(
        with_error(float(cuts[place]), cuts[places]),
        with_error(float(values[place]), drawn[:, place]),
        optimism,
        float(expected[0, place]),
        float(expected[1, place]),
    )


def _highest(values: Floats) -> Indices:
    """Place of the largest value of each row (R, points), the last of equal ones."""
    ranked = np.where(np.isnan(values), -np.inf, values)[:, ::-1]
    return np.asarray(values.shape[1] - 1 - np.argmax(ranked, axis=1), dtype=np.intp)
