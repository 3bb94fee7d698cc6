"""Upper limits by CLs with pseudo-data, where counts are too small for formulae."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.cls import BANDS
from quarkline.statistics.likelihood.limits import asymptotic_limit
from quarkline.statistics.likelihood.many import InProcess, Problem, Runner
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.profiles import profiled
from quarkline.statistics.likelihood.results import CLsLimit, LimitPoint
from quarkline.statistics.likelihood.signal import Signal
from quarkline.statistics.likelihood.uppertest import UpperTest

VALUES = 9
MARGIN = 1.4  # how far the values tested go beyond the limits of large samples
MOST_ROUNDS = 4
SAME_Q = 1e-6  # two statistics closer than this are the same: small counts repeat


def toy_limit(
    model: Model,
    data: Data | None,
    *,
    poi: str | None = None,
    level: float = 0.95,
    toys: int = 2000,
    seed: int = 1,
    observed: bool = True,
    runner: Runner | None = None,
) -> CLsLimit:
    """The value of the signal excluded at a confidence level, from the distributions of toys.

    For each value tested, q-tilde (eq. 16 of arXiv:1007.1727) is computed for toys with that
    signal and toys without, drawn with the other parameters at their best values for the data
    given the signal. CLs is the ratio of the fractions k / n of toys at or above the data, with
    half a toy for none. Expected ones are quantiles of CLs over toys without signal. The values
    tested span the limits of large samples and are added to as needed; between them ln CLs is
    linear in the signal.

    Args:
        model: The likelihood.
        data: What is tested; None if data are not looked at.
        poi: Parameter of the signal; None for the model's.
        level: Confidence level.
        toys: Toys for each value and hypothesis.
        seed: Seed of the toys; toys of equal number are drawn alike for all values.
        observed: Whether the limit of the data is found, too; see `asymptotic_limit`.
        runner: What does the fits; None does them here.
    """
    observed = observed and data is not None
    first = asymptotic_limit(model, data, poi=poi, level=level, observed=observed)
    found = [limit for limit in (*first.expected, first.observed) if limit is not None]
    if not found:
        return _result(first, {}, level, observed=observed, note=first.note)
    test = UpperTest(model, data, poi=poi, observed=observed)
    work = _Toys(test, toys, seed, runner or InProcess())
    points: dict[float, LimitPoint] = {}
    fresh: Sequence[float] = np.geomspace(min(found) / MARGIN, max(found) * MARGIN, VALUES).tolist()
    for _ in range(MOST_ROUNDS):
        points |= {value: work.point(value) for value in fresh}
        fresh = _missing(points, level)
        if not fresh:
            break
    return _result(first, points, level, observed=observed, note="; ".join(work.notes))


def toy_statistic(problem: Problem, argument: Mapping[str, Any]) -> float | None:
    """q-tilde of one toy drawn where the problem starts; None if a fit failed.

    Args:
        problem: The model, and the parameters of the toys.
        argument: `toy`, its number; `seed`; `with_signal`, which toys these are; `poi`; `value`,
            the signal that is tested.
    """
    model, poi, value = problem.model, argument["poi"], argument["value"]
    kind = "with" if argument["with_signal"] else "without"
    drawn = rng(argument["seed"], "limit-toys", kind, argument["toy"])
    toy = model.toy(problem.start, drawn)
    held = profiled(model, toy, problem.start, {poi: value})
    signal = Signal(poi, model, float(model.high[model.index(poi)]))
    best = signal.best(toy, held.values)
    if not (held.converged and best.converged):
        return None
    if best.values[model.index(poi)] > value:
        return 0.0
    return 2.0 * max(held.nll - best.nll, 0.0)


@dataclass
class _Toys:
    """CLs of single values of the signal."""

    test: UpperTest
    number: int
    seed: int
    runner: Runner

    @property
    def notes(self) -> list[str]:
        return self.test.signal.notes

    def point(self, value: float) -> LimitPoint:
        """CLs of one value."""
        signal, data = self.test.signal, self.test.data
        start = None if self.test.best is None else self.test.best.values
        with_signal = self._statistics(value, signal.given(value, data, start), signal=True)
        without = self._statistics(value, self.test.background, signal=False)
        each = _fractions(with_signal, without) / _fractions(without, without)
        expected = np.quantile(each, ndtr(np.array(BANDS, dtype=float)))
        observed = self.test(value).q
        if observed is not None:
            seen = np.array([observed])
            observed = float((_fractions(with_signal, seen) / _fractions(without, seen))[0])
        return LimitPoint(value, observed, tuple(expected.tolist()))

    def _statistics(self, value: float, values: Floats, *, signal: bool) -> Floats:
        model = self.test.signal.model
        arguments = [
            {
                "toy": toy,
                "seed": self.seed,
                "with_signal": signal,
                "poi": self.test.signal.poi,
                "value": value,
            }
            for toy in range(self.number)
        ]
        problem = Problem(model, model.asimov(values), values)
        found = self.runner.run(toy_statistic, problem, arguments)
        kept = np.array([row for row in found if row is not None])
        if len(kept) < len(found):
            self.notes.append(
                f"{len(found) - len(kept)} of {len(found)} toys at {value:.4g} were not fitted"
            )
        return kept


def _fractions(toys: Floats, values: Floats) -> Floats:
    """The share k / n of toys at or above each value, with half a toy for none."""
    below = np.searchsorted(np.sort(toys), values - SAME_Q)
    return np.asarray(np.maximum(len(toys) - below, 0.5) / len(toys))


def _curves(points: Mapping[float, LimitPoint]) -> list[list[float]]:
    """CLs by value: of the five bands, and of the data where these are looked at."""
    rows = [points[value] for value in sorted(points)]
    bands = [[row.expected[band] for row in rows] for band in range(len(BANDS))]
    observed = [row.observed for row in rows if row.observed is not None]
    return [*bands, observed] if len(observed) == len(rows) else bands


def _missing(points: Mapping[float, LimitPoint], level: float) -> list[float]:
    """Further values where a limit lies outside of those that were tested."""
    lowest, highest = min(points), max(points)
    curves = _curves(points)
    more = []
    if any(curve[0] < 1.0 - level for curve in curves):
        more.append(lowest / MARGIN**2)
    if any(curve[-1] > 1.0 - level for curve in curves):
        more.append(highest * MARGIN)
    return more


def _crossing(values: Sequence[float], curve: Sequence[float], level: float) -> float | None:
    """Where a curve of CLs last falls to 1 - level, linear in its logarithm."""
    logs = np.log(np.array(curve)) - np.log(1.0 - level)
    falls = [at for at in range(len(logs) - 1) if logs[at] >= 0.0 > logs[at + 1]]
    if not falls:
        return None
    at = falls[-1]
    share = logs[at] / (logs[at] - logs[at + 1])
    return float(values[at] + share * (values[at + 1] - values[at]))


def _result(
    first: CLsLimit,
    points: Mapping[float, LimitPoint],
    level: float,
    *,
    observed: bool,
    note: str,
) -> CLsLimit:
    values = sorted(points)
    limits = [_crossing(values, curve, level) for curve in _curves(points)] if points else []
    limits += [None] * (len(BANDS) + 1 - len(limits))
    wanted = limits if observed else limits[: len(BANDS)]
    return CLsLimit(
        poi=first.poi,
        level=level,
        observed=limits[len(BANDS)],
        expected=tuple(limits[: len(BANDS)]),
        injected=None,
        injected_value=None,
        points=tuple(points[value] for value in values),
        method="toys",
        complete=all(limit is not None for limit in wanted),
        note=note,
    )
