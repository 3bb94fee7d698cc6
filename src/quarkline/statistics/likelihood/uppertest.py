"""Tests of signal strengths: the statistic q-tilde of the data and of data without signal."""

from __future__ import annotations

import math
from dataclasses import dataclass

from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.minimum import Minimum
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.profiles import BETTER, profiled
from quarkline.statistics.likelihood.signal import Signal


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
    for it.

    Attributes:
        signal: The signal.
        data: What is tested; None if data are not looked at.
        best: The best fit of the data; None without them.
        background: Parameters without signal, with shape (P,).
    """

    def __init__(self, model: Model, data: Data | None, *, poi: str | None = None) -> None:
        self.signal = Signal.of(model, poi)
        self.data = data
        self.best = None if data is None else self.signal.best(data)
        start = None if self.best is None else self.best.values
        self.background = self.signal.given(0.0, data, start)
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

    def _q(self, value: float) -> float | None:
        if self.data is None or self.best is None:
            return None
        if self.best_value > value:
            return 0.0
        found = self._held(self.data, value, self._near_data, self.best.values)
        if found is None:
            return None
        if found.nll < self.best.nll - BETTER:  # the free fit had stopped in another minimum
            self.best = self.signal.best(self.data, found.values)
            self._tested = {}
        return 2.0 * max(found.nll - self.best.nll, 0.0)

    def _q_asimov(self, value: float) -> float | None:
        found = self._held(self._asimov, value, self._near_asimov, self.background)
        return None if found is None else 2.0 * max(found.nll - self._asimov_nll, 0.0)

    def _held(
        self, data: Data, value: float, near: dict[float, Floats], best: Floats
    ) -> Minimum | None:
        """The fit with the signal held, from that of the nearest value, else from the best fit."""
        starts = [near[min(near, key=lambda at: abs(at - value))]] if near else []
        for start in (*starts, best):
            found = profiled(self.signal.model, data, start, {self.signal.poi: value})
            if found.converged and math.isfinite(found.nll):
                near[value] = found.values
                return found
        return None
