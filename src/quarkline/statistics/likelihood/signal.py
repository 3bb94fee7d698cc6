"""The signal of a likelihood: its parameter, and fits in which it is free and not negative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.minimum import Minimum
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.profiles import profiled
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.statistics.likelihood.spec import Parameter

NO_POI = Rule(
    "QL-FIT-040",
    "a parameter is measured",
    "Rankings, impacts, limits and significances are about one parameter, usually the strength of "
    "the signal. The likelihood names none; say which one is meant.",
)
WIDER = 10.0  # factor by which an upper bound that holds the best fit is moved
MOST_WIDER = 12
NEAR_BOUND = 1e-4


def poi_of(model: Model, name: str | None = None) -> str:
    """The parameter that is meant: the named one, or the one the model measures.

    Raises:
        InputError: If the model measures none, or has no parameter of that name.
    """
    found = name or model.spec.poi
    if found is None:
        factors = [row.name for row in model.spec.parameters if row.role == "norm-factor"]
        raise InputError(
            NO_POI.finding(
                f"`{model.spec.name}` does not say which parameter is measured",
                suggestion=did_you_mean("", factors, what="norm factors"),
            )
        )
    model.index(found)
    return found


def doubts(fitted: LikelihoodFit, poi: str) -> Iterator[str]:
    """Why shifts and errors of a fit's measured parameter may be no measure of anything.

    Args:
        fitted: The fit.
        poi: The parameter.
    """
    if not fitted.quality.converged:
        yield "the fit did not converge"
    if poi not in fitted.free:
        yield f"`{poi}` was fixed in the fit, so nothing can move it"
    elif poi in fitted.quality.at_limit:
        yield (
            f"`{poi}` ended at its bound, which holds it against shifts and cuts off its error: "
            "widen its range"
        )


@dataclass
class Signal:
    """Fits for test statistics of a positive signal (section 2.2 of arXiv:1007.1727).

    The signal is free and not negative, even if the model declares it constant or allows for less.
    Its upper bound gives way where it would hold the best fit.

    Attributes:
        poi: Its parameter.
        model: The likelihood with these bounds.
        high: The upper bound as the likelihood has it.
        notes: What was unusual, in words.
    """

    poi: str
    model: Model
    high: float
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, model: Model, poi: str | None = None) -> Signal:
        """The signal of a likelihood.

        Args:
            model: The likelihood.
            poi: Parameter of the signal; None for the model's.
        """
        name = poi_of(model, poi)
        row = model.spec.parameters[model.index(name)]
        notes = []
        if row.fixed:
            notes.append(f"`{name}` is declared constant; it was fitted for this")
        if row.low > 0.0:
            notes.append(f"the lower bound of `{name}`, {row.low:g}, was moved to 0")
        free = replace(row, low=0.0, fixed=False, initial=max(row.initial, 0.0))
        return cls(name, _with(model, free), row.high, notes)

    @property
    def index(self) -> int:
        """Where its parameter is."""
        return self.model.index(self.poi)

    def best(self, data: Data, start: Floats | None = None) -> Minimum:
        """The best fit with the signal free."""
        found = profiled(self.model, data, self.model.initial if start is None else start, {})
        for _ in range(MOST_WIDER):
            row = self.model.spec.parameters[self.index]
            if not _held(found.values[self.index], row.high):
                break
            self.model = _with(self.model, replace(row, high=WIDER * max(row.high, 1.0)))
            found = profiled(self.model, data, found.values, {})
        if found.values[self.index] > self.high:
            self.notes.append(
                f"the best fit lies above the upper bound of `{self.poi}`, {self.high:g}, "
                "which was moved"
            )
        if not found.converged:
            self.notes.append("the free fit did not converge")
        return found

    def given(self, strength: float, data: Data | None, start: Floats | None = None) -> Floats:
        """All parameters with the signal at a strength: best for the data, or nominal without."""
        values = (self.model.initial if start is None else start).copy()
        values[self.index] = strength
        if data is None:
            return values
        found = profiled(self.model, data, values, {self.poi: strength})
        if not found.converged:
            self.notes.append(f"the fit with `{self.poi}` = {strength:g} did not converge")
        return found.values


def _with(model: Model, parameter: Parameter) -> Model:
    """The model with other bounds of one parameter."""
    rows = tuple(parameter if row.name == parameter.name else row for row in model.spec.parameters)
    return Model(replace(model.spec, parameters=rows))


def _held(value: float, bound: float) -> bool:
    return bool(np.isfinite(bound) and value > bound - NEAR_BOUND * max(abs(bound), 1.0))
