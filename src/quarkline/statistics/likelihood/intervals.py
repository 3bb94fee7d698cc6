"""Asymmetric errors: where the profiled likelihood has fallen by 1/2, as MINOS finds them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from quarkline.statistics.likelihood.minimum import Minimum, minimum
from quarkline.statistics.likelihood.model import Data, Model

MOST_FITS = 30
TOLERANCE = 1e-5  # of an error, at which the crossing counts as found
BETTER = 1e-4  # fall of the nll below its minimum that makes a new minimum


@dataclass(frozen=True, eq=False)
class Side:
    """One end of an interval.

    Attributes:
        error: Distance to the best value, positive; None if the likelihood does not fall by 1/2
            within the bounds, or a fit failed.
        better: A fit with a larger likelihood than the best one, if one was met.
    """

    error: float | None
    better: Minimum | None = None


def side(model: Model, data: Data, best: Minimum, at: int, sign: int, error: float) -> Side:
    """Find one end of the interval of a parameter, all others being fitted anew everywhere.

    The square root s of twice the fall of the profiled likelihood is nearly linear in the
    parameter, and its slope follows from the gradient at the fit, since the other parameters are at
    their optimum: Newton's method on s = 1, kept inside a bracket.

    Args:
        model: The likelihood.
        data: What was fitted.
        best: The best fit.
        at: Index of the parameter.
        sign: 1 for the upper end, -1 for the lower.
        error: Symmetric error, where the search begins.
    """
    centre = float(best.values[at])
    most = sign * (float((model.high if sign > 0 else model.low)[at]) - centre)
    inside, outside = 0.0, math.inf
    distance, near = min(error, most), best
    for _ in range(MOST_FITS):
        if not (distance > 0.0 and math.isfinite(distance)):
            break
        value = centre + sign * distance
        found = minimum(
            model, data, start=near.values, fixed={model.names[at]: value}, free=best.free
        )
        if not found.converged:
            break
        fall = found.nll - best.nll
        if fall < -BETTER:
            return Side(None, found)
        size = math.sqrt(max(2 * fall, 0.0))
        slope = sign * float(model.nll_gradient(found.values, data)[1][at])
        if abs(size - 1.0) < TOLERANCE:
            return Side(distance)
        inside, outside = (distance, outside) if size < 1.0 else (inside, distance)
        if inside == most:
            break
        near = found
        distance = min(_next(distance, size, slope, inside, outside), most)
    return Side(None)


def _next(distance: float, size: float, slope: float, inside: float, outside: float) -> float:
    """Newton's guess of where s is 1, or a safe one if that leaves the bracket."""
    guess = distance + (1.0 - size) * size / slope if slope > 0.0 else math.nan
    if inside < guess < min(outside, 4 * distance):
        return guess
    return 2 * distance if math.isinf(outside) else (inside + outside) / 2
