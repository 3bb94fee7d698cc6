"""What the fit doctor looks at: a likelihood, its data and its fit, with what follows from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.results import (
    FittedParameter,
    GoodnessOfFit,
    LikelihoodFit,
    LikelihoodScan,
)
from quarkline.statistics.likelihood.spec import Gaussian, Parameter

LEAST = 1e-9
"""Expected events below which a bin counts as empty in quotients."""


@dataclass(frozen=True, eq=False)
class Patient:
    """A likelihood with its fit.

    Attributes:
        model: The likelihood.
        data: What was fitted.
        fitted: Its fit.
        scans: Scans along one parameter.
        goodness: The test of the fit, if one was asked for.
        hidden: Places of bins whose counts are not told.
    """

    model: Model
    data: Data
    fitted: LikelihoodFit
    scans: Sequence[LikelihoodScan] = ()
    goodness: GoodnessOfFit | None = None
    hidden: Collection[int] = ()

    @cached_property
    def values(self) -> Floats:
        """Parameters after the fit, with shape (P,)."""
        return self.fitted.values

    @cached_property
    def expected(self) -> Floats:
        """Expected events after the fit, with shape (bins,)."""
        return self.model.expected(self.values)

    @cached_property
    def nominal(self) -> Floats:
        """Initial values, with a measured parameter of 0 at 1, so that its signal is there."""
        found = self.model.initial.copy()
        at = self.poi_index
        if at is not None and found[at] == 0.0:
            found[at] = 1.0
        return found

    @property
    def poi_index(self) -> int | None:
        """Where the measured parameter is; None if there is none."""
        poi = self.model.spec.poi
        return None if poi is None else self.model.index(poi)

    @cached_property
    def information(self) -> Floats:
        """Information of each bin on each parameter after the fit: slope² / expectation.

        Fisher's, of a Poisson count, with all other parameters held; shape (bins, P).
        """
        return self._information(self.values)

    @cached_property
    def nominal_information(self) -> Floats:
        """The same before the fit."""
        return self._information(self.nominal)

    @cached_property
    def hessian(self) -> Floats:
        """Second derivatives of the nll after the fit, with shape (P, P)."""
        return self.model.hessian(self.values, self.data)

    @cached_property
    def inside(self) -> list[int]:
        """The parameters that were fitted and are not at a bound."""
        names = [name for name in self.fitted.free if name not in self.fitted.quality.at_limit]
        return [self.model.index(name) for name in names]

    @cached_property
    def centres(self) -> dict[str, float]:
        """What auxiliary measurements gave for the parameters that have one."""
        rows = [row for row in self.model.spec.parameters if row.constraint is not None]
        pairs = zip(rows, self.data.measured.tolist(), strict=True)
        return {row.name: _centre(row, measured) for row, measured in pairs}

    def constrained(self, *roles: str) -> Iterator[tuple[FittedParameter, float]]:
        """Fitted parameters with an auxiliary measurement, and its error."""
        free = set(self.fitted.free)
        for row in self.fitted.parameters:
            if row.name in free and row.before and (not roles or row.role in roles):
                yield row, row.before

    def bins(self) -> Iterator[tuple[str, int, int]]:
        """Channel, bin counted from 0, and place among all bins."""
        for channel, part in self.model.channels.items():
            for at in range(part.start, part.stop):
                yield channel, at - part.start, at

    def seen(self) -> list[tuple[str, int, int]]:
        """The bins whose counts may be told."""
        return [one for one in self.bins() if one[2] not in self.hidden]

    def variance(self, kept: Sequence[int], of: int) -> float:
        """Variance of a parameter with only these fitted; NaN if the curvature is not positive."""
        part = self.hessian[np.ix_(kept, kept)]
        try:
            found = np.linalg.inv(part)[kept.index(of), kept.index(of)]
        except np.linalg.LinAlgError:
            return float("nan")
        return float(found) if found > 0 else float("nan")

    def _information(self, values: Floats) -> Floats:
        slopes = self.model.rate_slopes(values)
        return np.asarray(slopes**2 / np.maximum(self.model.expected(values), LEAST)[:, None])


def _centre(row: Parameter, measured: float) -> float:
    constraint = row.constraint
    if constraint is None or isinstance(constraint, Gaussian):
        return measured
    return measured / constraint.tau
