"""Errors where parameters end at a bound: they stay there while the others move, as in Minuit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.results import FittedParameter, LikelihoodFit


def held_at_bounds(model: Model, data: Data, fitted: LikelihoodFit) -> LikelihoodFit:
    """A fit whose parameters at a bound have no part in the errors of the others.

    The likelihood still falls across such a bound, so that its curvature there says nothing about
    the interval, and a correlation would let the parameter leave its range. Errors of the others
    are those with it held. Its own is where the likelihood has fallen by about 1/2, as Minuit
    has it from the slope g at the bound: with h half the range, h (1 - cos(1 / sqrt(g h))), which
    is 1 / (2 g) if the range is wide (F. James, Minuit manual, section 1.2.1).

    Args:
        model: The likelihood.
        data: What was fitted.
        fitted: The fit.
    """
    stuck = [name for name in fitted.quality.at_limit if name in fitted.free]
    if not stuck or not fitted.covariance:
        return fitted
    values = {name: fitted.by_name[name].value for name in stuck}
    rest = fit(model, data, start=fitted.values, fixed=values)
    slopes = np.abs(model.nll_gradient(fitted.values, data)[1])
    own = {
        name: _error(float(slopes[at]), float(model.high[at] - model.low[at]) / 2)
        for name in stuck
        for at in [model.index(name)]
    }
    errors = {name: rest.by_name[name].error for name in rest.free} | own
    return replace(
        fitted,
        parameters=tuple(_with_error(row, errors) for row in fitted.parameters),
        covariance=_covariance(fitted, rest, own),
    )


def _error(slope: float, half: float) -> float:
    """The error that Minuit gives a parameter at a bound."""
    if math.isinf(half):
        return 1 / (2 * slope) if slope else math.inf
    angle = min(1 / math.sqrt(slope * half), math.pi) if slope else math.pi
    return half * (1 - math.cos(angle))


def _with_error(row: FittedParameter, errors: dict[str, float]) -> FittedParameter:
    return replace(row, error=errors[row.name]) if row.name in errors else row


def _covariance(
    fitted: LikelihoodFit, rest: LikelihoodFit, own: dict[str, float]
) -> tuple[tuple[float, ...], ...]:
    """The covariance without the parameters at a bound, with these on the diagonal."""
    table = np.diag([own.get(name, 0.0) ** 2 for name in fitted.free])
    inside = [at for at, name in enumerate(fitted.free) if name not in own]
    if inside:
        order = [rest.free.index(fitted.free[at]) for at in inside]
        table[np.ix_(inside, inside)] = np.array(rest.covariance)[np.ix_(order, order)]
    return tuple(tuple(map(float, row)) for row in table)
