"""Tests of signal strengths: the statistic q-tilde of the data and of data without signal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.minimum import Minimum, minimum
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.profiles import BETTER, profiled
from quarkline.statistics.likelihood.signal import Signal
from quarkline.statistics.likelihood.spec import Gaussian

STARTS = 4  # from which lower minima are looked for


@dataclass(frozen=True)
class Tested:
    """One tested value of the signal.

    Attributes:
        value: The value.
        q: q-tilde of the data; None without data, or if a fit failed.
        q_asimov: q-tilde of the Asimov data without signal; None if a fit failed.
    """

    value: float
    q: float | None
    q_asimov: float | None


class UpperTest:
    """q-tilde of one likelihood for any value of its signal (eq. 16 of arXiv:1007.1727).

    The Asimov data are what the model expects without signal, with the other parameters at their
    best values for the data without signal, and auxiliary measurements to match; without data, at
    their nominal values. With these data the best fit is where they were made, so no fit is needed
    for it. Data that are not `observed` give these values alone, and are not tested themselves.

    Attributes:
        signal: The signal.
        data: What is tested; None if data are not looked at.
        observed: Whether there are data that are tested.
        best: The best fit of the data; None without them.
        background: Parameters without signal, with shape (P,).
    """

    def __init__(
        self, model: Model, data: Data | None, *, poi: str | None = None, observed: bool = True
    ) -> None:
        self.signal = Signal.of(model, poi)
        self.data = data
        self.observed = observed and data is not None
        self._elsewhere = other_starts(self.signal.model)
        self._branches: list[Floats] = []
        self.best = None if data is None else self._best(data)
        start = None if self.best is None else self.best.values
        self.background = self.signal.given(0.0, data, start)
        if data is not None:
            self._lower(data, 0.0, self.background)
            self.background = self._lowest(data, 0.0, [self.background, *self._branches])
        self._asimov = self.signal.model.asimov(self.background, shift_measurements=True)
        self._asimov_nll = self.signal.model.nll(self.background, self._asimov)
        self._near_data: dict[float, Floats] = {}
        self._near_asimov: dict[float, Floats] = {0.0: self.background}
        self._tested: dict[float, Tested] = {}

    @property
    def tested(self) -> list[Tested]:
        """All that was tested, by value."""
        return [self._tested[value] for value in sorted(self._tested)]

    @property
    def best_value(self) -> float:
        """Best value of the signal; 0 without data."""
        return 0.0 if self.best is None else float(self.best.values[self.signal.index])

    def __call__(self, value: float) -> Tested:
        """Test a value of the signal, once."""
        if value not in self._tested:
            self._tested[value] = Tested(value, self._q(value), self._q_asimov(value))
        return self._tested[value]

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def search_lower(self, value: float) -> bool:
        """Look for lower minima at a value from other starts, and remember where they are.

        Returns:
            Whether one was found: then what was tested counts no more.
        """
        found = [
            self._lower(data, value, near[value])
            for data, near in ((self.data, self._near_data), (self._asimov, self._near_asimov))
            if data is not None and value in near
        ]
        if any(found):
            self._tested = {}
            if self.data is not None and self.best is not None:
                self.best = self._best(self.data, self.best.values, *self._branches)
        return any(found)

    def _lower(self, data: Data, value: float, known: Floats) -> bool:
        """Whether a minimum below a known one is reached from elsewhere."""
        fixed = {self.signal.poi: value}
        least = self.signal.model.nll(known, data) - BETTER
        rows = [minimum(self.signal.model, data, start=x, fixed=fixed) for x in self._elsewhere]
        lower = [row for row in rows if row.converged and row.nll < least]
        if lower:
            self._branches.append(min(lower, key=lambda row: row.nll).values)
        return bool(lower)

    def _lowest(self, data: Data, value: float, starts: list[Floats]) -> Floats:
        fixed = {self.signal.poi: value}
        rows = [profiled(self.signal.model, data, start, fixed) for start in starts]
        return min(rows, key=lambda row: (not row.converged, row.nll)).values

    def _best(self, data: Data, *starts: Floats) -> Minimum:
        chosen = starts or (self.signal.model.initial, *self._elsewhere)
        rows = [self.signal.best(data, start) for start in chosen]
        return min(rows, key=lambda row: (not row.converged, row.nll))

    def _q(self, value: float) -> float | None:
        if self.data is None or self.best is None or not self.observed:
            return None
        if self.best_value > value:
            return 0.0
        found = self._held(self.data, value, self._near_data, self.best.values)
        if found is None:
            return None
        if found.nll < self.best.nll - BETTER:  # the free fit had stopped in another minimum
            self.best = self._best(self.data, found.values)
            self._tested = {}
        return 2.0 * max(found.nll - self.best.nll, 0.0)

    def _q_asimov(self, value: float) -> float | None:
        found = self._held(self._asimov, value, self._near_asimov, self.background)
        return None if found is None else 2.0 * max(found.nll - self._asimov_nll, 0.0)

    def _held(
        self, data: Data, value: float, near: dict[float, Floats], best: Floats
    ) -> Minimum | None:
        """The lowest of the fits from that of the nearest value, and from other known minima.

        From the best fit if all of them fail.
        """
        nearest = [near[min(near, key=lambda at: abs(at - value))]] if near else [best]
        fixed = {self.signal.poi: value}
        for starts in ([*nearest, *self._branches], [best]):
            rows = [profiled(self.signal.model, data, start, fixed) for start in starts]
            good = [row for row in rows if row.converged and math.isfinite(row.nll)]
            if good:
                found = min(good, key=lambda row: row.nll)
                near[value] = found.values
                return found
        return None


def other_starts(model: Model) -> list[Floats]:
    """Starts away from the nominal values: constrained parameters drawn from their errors.

    One-sided variations give likelihoods of several minima, which no single start tells apart.
    """
    rows = model.spec.parameters
    widths = np.array(
        [
            row.constraint.width
            if isinstance(row.constraint, Gaussian) and row.role == "systematic" and not row.fixed
            else 0.0
            for row in rows
        ]
    )
    if not widths.any():
        return []
    drawn = rng(1, "other-starts").standard_normal((STARTS, len(rows)))
    return [np.clip(model.initial + widths * row, model.low, model.high) for row in drawn]
