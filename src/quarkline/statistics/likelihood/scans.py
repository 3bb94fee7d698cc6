"""Scans: the profiled likelihood along one parameter, or over the plane of two."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from quarkline.statistics.likelihood.many import Problem, Runner
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.profiles import as_fitted, profiles
from quarkline.statistics.likelihood.results import (
    LikelihoodFit,
    LikelihoodScan,
    LikelihoodSurface,
)

STEPS = 30
WIDTH = 3.0  # standard deviations to both sides, unless a range is given
GUESS = 1.0  # half a range where the fit gives no error


def scan_values(
    model: Model,
    fitted: LikelihoodFit,
    parameter: str,
    *,
    low: float | None = None,
    high: float | None = None,
    steps: int = STEPS,
) -> tuple[float, ...]:
    """Where a scan looks: evenly from three standard deviations below to three above the best.

    Args:
        model: The likelihood.
        fitted: Its fit.
        parameter: The parameter, whose bounds are not crossed unless `low` or `high` are beyond.
        low: Where it begins.
        high: Where it ends.
        steps: Number of points.
    """
    index = model.index(parameter)
    row = fitted.by_name[parameter]
    width = WIDTH * (row.error or row.before or GUESS)
    first = max(row.value - width, model.low[index]) if low is None else low
    last = min(row.value + width, model.high[index]) if high is None else high
    return tuple(np.linspace(first, last, steps).tolist())


def scan(
    model: Model,
    data: Data,
    fitted: LikelihoodFit,
    parameter: str,
    values: ArrayLike | None = None,
    *,
    runner: Runner | None = None,
) -> LikelihoodScan:
    """-2 ln of the profile likelihood ratio at each value (eq. 7 of arXiv:1007.1727).

    The height is 2 (NLL of the fit with the parameter fixed there - NLL of the free fit). It is
    negative where a fit has found a lower minimum than the free one, as it stands.

    Args:
        model: The likelihood.
        data: What was fitted.
        fitted: Its fit.
        parameter: The parameter.
        values: Where it is fixed; None for `scan_values`.
        runner: What does the fits; None does them here.
    """
    chosen = scan_values(model, fitted, parameter) if values is None else _floats(values)
    points = [{parameter: value} for value in chosen]
    heights = _heights(model, data, fitted, points, runner)
    return LikelihoodScan(parameter, chosen, tuple(heights), fitted.by_name[parameter].value)


def surface(
    model: Model,
    data: Data,
    fitted: LikelihoodFit,
    parameters: tuple[str, str],
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    runner: Runner | None = None,
) -> LikelihoodSurface:
    """-2 ln of the profile likelihood ratio over a grid of two parameters; see `scan`.

    Args:
        model: The likelihood.
        data: What was fitted.
        fitted: Its fit.
        parameters: The two.
        x: Where the first is fixed; None for `scan_values`.
        y: Where the second is fixed.
        runner: What does the fits; None does them here.
    """
    first, second = parameters
    across = scan_values(model, fitted, first) if x is None else _floats(x)
    along = scan_values(model, fitted, second) if y is None else _floats(y)
    points = [{first: one, second: two} for one in across for two in along]
    heights = _heights(model, data, fitted, points, runner)
    rows = tuple(
        tuple(heights[row * len(along) : (row + 1) * len(along)]) for row in range(len(across))
    )
    best = fitted.by_name[first].value, fitted.by_name[second].value
    return LikelihoodSurface(parameters, across, along, rows, best)


def _heights(
    model: Model,
    data: Data,
    fitted: LikelihoodFit,
    points: Sequence[dict[str, float]],
    runner: Runner | None,
) -> list[float | None]:
    problem = Problem(as_fitted(model, fitted), data, fitted.values)
    found = profiles(problem, points, runner)
    return [None if row is None else _height(row[1], fitted.nll) for row in found]


def _height(nll: float, best: float) -> float | None:
    height = 2.0 * (nll - best)
    return height if math.isfinite(height) else None


def _floats(values: ArrayLike) -> tuple[float, ...]:
    return tuple(np.asarray(values, dtype=float).ravel().tolist())
