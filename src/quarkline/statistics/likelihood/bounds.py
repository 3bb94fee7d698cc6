"""Covariances where parameters end at a bound: they stay there while the others move."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from quarkline.statistics.arrays import Bools, Floats
from quarkline.statistics.likelihood.minimum import CLOSE, Minimum
from quarkline.statistics.likelihood.model import Data, Model


def covariance_within_bounds(model: Model, data: Data, best: Minimum) -> Floats:
    """Covariance of the fitted parameters, with shape (F, F) for F of them.

    It is the inverse of the second derivatives, but a parameter that a bound keeps from a larger
    likelihood has no part in the errors of the others: these are as with it held, and it is
    correlated with none. The curvature at such a bound says nothing about the interval, and a
    correlation would let the parameter leave its range. Its own error is where the likelihood has
    fallen by about 1/2, as Minuit has it from the slope g at the bound: with h half the range,
    h (1 - cos(1 / sqrt(g h))), which is 1 / (2 g) if the range is wide (F. James, Minuit manual,
    section 1.2.1); but not more than the curvature alone gives.

    A parameter whose likelihood is largest at its bound, as that of an Asimov signal of 0, is like
    any other.

    Args:
        model: The likelihood.
        data: What was fitted.
        best: The minimum, with the second derivatives there.
    """
    whole = best.covariance()
    slopes = model.nll_gradient(best.values, data)[1] if _at_bound(model, best).any() else None
    if slopes is None or not (pressed := _pressed(model, best, slopes)).any():
        return whole
    inside = ~pressed[best.free]
    table = np.zeros_like(whole)
    rest = replace(best, free=best.free & ~pressed).covariance()
    table[np.ix_(inside, inside)] = rest
    places = np.flatnonzero(best.free)
    for row in np.flatnonzero(~inside):
        at = places[row]
        own = _error(abs(float(slopes[at])), float(model.high[at] - model.low[at]) / 2)
        table[row, row] = np.fmin(own**2, whole[row, row] if whole[row, row] > 0 else math.nan)
    return table


def _at_bound(model: Model, best: Minimum) -> Bools:
    return best.free & ((best.values <= model.low) | (best.values >= model.high))


def _pressed(model: Model, best: Minimum, slopes: Floats) -> Bools:
    """Fitted parameters at a bound beyond which the likelihood would be larger."""
    outwards = np.where(best.values <= model.low, slopes > 0.0, slopes < 0.0)
    gain = slopes**2 / 2 > CLOSE * np.diag(best.hessian)
    return np.asarray(_at_bound(model, best) & outwards & gain)


def _error(slope: float, half: float) -> float:
    """The error that Minuit gives a parameter at a bound."""
    if math.isinf(half):
        return 1 / (2 * slope)
    return half * (1 - math.cos(min(1 / math.sqrt(slope * half), math.pi)))
