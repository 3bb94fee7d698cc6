"""Upper limits by CLs with the formulae of large samples, without a range to search in."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from scipy.optimize import brentq

from quarkline.statistics.likelihood.cls import BANDS, asimov_root, expected_cls, observed_cls
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.results import CLsLimit, LimitPoint
from quarkline.statistics.likelihood.uppertest import Tested, UpperTest

TOLERANCE = 1e-5  # of the limit
LEAST_ROOT = 1e-4  # of q_A, below which a signal has no effect
MOST_STEPS = 16
MOST_SEARCHES = 3  # for lower minima where a limit was found
FASTER = 100.0  # from one value without effect to the next
FARTHEST = 1e12  # signals larger than this times their nominal value are not tested
NUDGE = 1e-3
LEAST_CLS = 1e-300
NO_SENSITIVITY = "the data say nothing about `{}`: no value of it changes the likelihood"


def cls_points(
    model: Model, data: Data | None, values: list[float], *, poi: str | None = None
) -> tuple[LimitPoint, ...]:
    """CLs of some values of the signal, as pyhf's `hypotest(test_stat="qtilde")` has them.

    Args:
        model: The likelihood.
        data: What is tested; None if data are not looked at.
        values: Values of the signal.
        poi: Parameter of the signal; None for the model's.
    """
    test = UpperTest(model, data, poi=poi)
    for value in values:
        test(value)
        test.search_lower(value)
    return tuple(_point(test(value)) for value in values)


def asymptotic_limit(
    model: Model,
    data: Data | None,
    *,
    poi: str | None = None,
    level: float = 0.95,
    injected: float | None = None,
    observed: bool = True,
) -> CLsLimit:
    """The value of the signal that is excluded at a confidence level, observed and expected.

    A limit is where CLs (see `cls`) falls to 1 - level. No range is needed: the search begins where
    the limits are if sqrt(q_A) is proportional to the signal, and steps outwards until CLs is below
    1 - level; Brent's method does the rest. All limits share their fits.

    A result always comes back. Where a limit is not found, it is None, `complete` is false, and
    `note` says why.

    Args:
        model: The likelihood.
        data: What is tested; None if data are not looked at: then nuisance parameters of expected
            limits are nominal, else at their best values without signal.
        poi: Parameter of the signal; None for the model's.
        level: Confidence level.
        injected: Strength of a signal for which the limit is expected, too.
        observed: Whether the limit of the data is found, too; if not, they only give the other
            parameters for the expected ones.
    """
    search = _Search(UpperTest(model, data, poi=poi, observed=observed), level)
    search.test(0.0)
    expected = tuple(search.expected(n) for n in BANDS)
    in_data = search.observed() if search.test.observed else None
    notes = [*search.test.signal.notes, *search.notes]
    expected_with = None
    if injected is not None:
        other = _Search(UpperTest(model, _with_signal(search.test, injected), poi=poi), level)
        expected_with = other.observed()
        notes += [f"injected signal: {note}" for note in other.notes]
    found = [x for x in (*expected, in_data, expected_with) if x is not None]
    high = search.test.signal.high
    if beyond := [x for x in found if x > high]:
        notes.append(
            f"{len(beyond)} of {len(found)} limits lie above the upper bound of "
            f"`{search.test.signal.poi}`, {high:g}, which was not applied"
        )
    wanted = len(BANDS) + search.test.observed + (injected is not None)
    return CLsLimit(
        poi=search.test.signal.poi,
        level=level,
        observed=in_data,
        expected=expected,
        injected=expected_with,
        injected_value=injected,
        points=tuple(_point(row) for row in search.test.tested if row.q_asimov is not None),
        method="asymptotic",
        complete=len(found) == wanted,
        note="; ".join(dict.fromkeys(notes)),
    )


@dataclass
class _Search:
    """Where CLs crosses 1 - level."""

    test: UpperTest
    level: float
    notes: list[str] = field(default_factory=list)

    def expected(self, n: int) -> float | None:
        """The expected limit of band `n`."""
        wanted = asimov_root(n, self.level)

        def height(row: Tested) -> float | None:
            root = _root(row)
            return None if root is None else root - wanted

        return self._crossing(height, wanted)

    def observed(self) -> float | None:
        """The limit of the data."""
        wanted = math.log(1.0 - self.level)

        def height(row: Tested) -> float | None:
            if row.q is None or row.q_asimov is None:
                return None
            return wanted - math.log(max(observed_cls(row.q, row.q_asimov), LEAST_CLS))

        return self._crossing(height, asimov_root(0, self.level), offset=self.test.best_value)

    def _crossing(
        self, height: Callable[[Tested], float | None], root: float, *, offset: float = 0.0
    ) -> float | None:
        """Where a rising function of the signal that is negative at 0 crosses 0.

        Args:
            height: The function; None where a fit failed.
            root: sqrt(q_A) about there.
            offset: From where the signal counts in that.
        """
        try:
            width = self._width()
            if width is None:
                self.notes.append(NO_SENSITIVITY.format(self.test.signal.poi))
                return None
            found = self._crossed(height, offset + root * width)
            for _ in range(MOST_SEARCHES):
                if not self.test.search_lower(found):
                    break
                found = self._crossed(height, found)
            return found
        except _UnfoundError as error:
            self.notes.append(str(error))
        return None

    def _crossed(self, height: Callable[[Tested], float | None], guess: float) -> float:
        low, high = self._bracket(height, guess)
        least = TOLERANCE**2 * high
        return float(brentq(lambda at: self._at(height, at), low, high, xtol=least, rtol=TOLERANCE))

    def _width(self) -> float | None:
        """A standard deviation of the signal: its value over the root of q_A there."""
        value = first = max(float(self.test.signal.model.initial[self.test.signal.index]), 1.0)
        while value <= FARTHEST * first:
            root = self._at(_root, value)
            if root > LEAST_ROOT:
                return value / root
            value *= FASTER
        return None

    def _bracket(
        self, height: Callable[[Tested], float | None], guess: float
    ) -> tuple[float, float]:
        """Two values of the signal with the limit between them, as near as known."""
        high = guess
        for _ in range(MOST_STEPS):
            reached = self._reached(height, high)
            pairs = [(row.value, height(row)) for row in self.test.tested]
            known = {value: found for value, found in pairs if found is not None}
            if above := [value for value, found in known.items() if found >= 0.0]:
                top = min(above)
                return max((value for value in known if value < top), default=0.0), top
            high = 2.0 * max(known) if reached else (max(known, default=0.0) + high) / 2.0
        name = self.test.signal.poi
        msg = f"CLs stays above {1 - self.level:.3g} up to `{name}` = {high:.4g}"
        raise _UnfoundError(msg)

    def _reached(self, height: Callable[[Tested], float | None], value: float) -> bool:
        """Whether the height at a value, or beside it, is known."""
        try:
            self._at(height, value)
        except _UnfoundError:
            return False
        return True

    def _at(self, height: Callable[[Tested], float | None], value: float) -> float:
        """The height at a value, or beside it if no fit converges there."""
        for near in (value, value * (1.0 + NUDGE), value * (1.0 - NUDGE)):
            if (found := height(self.test(near))) is not None:
                return found
        msg = f"no fit with `{self.test.signal.poi}` near {value:.6g} converged"
        raise _UnfoundError(msg)


class _UnfoundError(Exception):
    """Why a limit was not found, in words."""


def _root(row: Tested) -> float | None:
    return None if row.q_asimov is None else math.sqrt(row.q_asimov)


def _point(row: Tested) -> LimitPoint:
    if row.q_asimov is None:
        return LimitPoint(row.value, None, ())
    observed = None if row.q is None else observed_cls(row.q, row.q_asimov)
    return LimitPoint(row.value, observed, expected_cls(row.q_asimov))


def _with_signal(test: UpperTest, strength: float) -> Data:
    """What is expected with a signal, other parameters as `UpperTest` has them without it."""
    start = None if test.best is None else test.best.values
    values = test.signal.given(strength, test.data, start)
    return test.signal.model.asimov(values, shift_measurements=True)
