"""Minima of the likelihood with some parameters fixed: what rankings, scans and tests are made of.

A fit that does not converge from where it was to start is tried again: from the nominal values, and
with all the fall-backs of a whole fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from quarkline.engine.core.findings import InputError
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.check import NAMES
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.many import InProcess, Problem, Runner
from quarkline.statistics.likelihood.minimum import Minimum, minimum
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.results import FittedParameter, LikelihoodFit
from quarkline.statistics.likelihood.spec import Parameter

BETTER = 1e-4  # by how much one minimum has to be below another to count as another one


def as_fitted(model: Model, fitted: LikelihoodFit) -> Model:
    """A model that frees and holds the parameters that a fit has freed and held.

    What is compared with a fit has to be fitted like it: `fit` may hold what the model frees.

    Args:
        model: The likelihood.
        fitted: A fit of it.

    Raises:
        InputError: If the fit is of other parameters.
    """
    if model.names != tuple(row.name for row in fitted.parameters):
        raise InputError(
            NAMES.finding(
                f"the fit and `{model.spec.name}` have different parameters",
                suggestion="fit this likelihood first",
            )
        )
    rows = tuple(map(_as_fitted, model.spec.parameters, fitted.parameters))
    same = rows == model.spec.parameters
    return model if same else Model(replace(model.spec, parameters=rows))


def _as_fitted(row: Parameter, found: FittedParameter) -> Parameter:
    if not found.fixed:
        return replace(row, fixed=False)
    low, high = min(row.low, found.value), max(row.high, found.value)
    return replace(row, fixed=True, initial=found.value, low=low, high=high)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def profiled(model: Model, data: Data, start: Floats, fixed: Mapping[str, float]) -> Minimum:
    """The minimum with some parameters fixed; the lowest of several attempts if one fails.

    Numbers that overflow on the way are no minimum, and end an attempt without a warning.

    Args:
        model: The likelihood.
        data: What is fitted.
        start: Where the first attempt starts, with shape (P,).
        fixed: Parameters that are held, with their values.
    """
    first = minimum(model, data, start=start, fixed=fixed)
    if first.converged:
        return first
    second = minimum(model, data, start=model.initial, fixed=fixed)
    if second.converged:
        return second
    return _thorough(model, data, min(first, second, key=lambda found: found.nll), fixed)


def _thorough(model: Model, data: Data, best: Minimum, fixed: Mapping[str, float]) -> Minimum:
    whole = fit(model, data, start=best.values, fixed=fixed, covariance=False)
    if whole.quality.converged or whole.nll < best.nll:
        return replace(best, values=whole.values, nll=whole.nll, converged=whole.quality.converged)
    return best


def profile(problem: Problem, fixed: Mapping[str, float]) -> dict[str, Any]:
    """`profiled` from the problem's start, as JSON values; nulls where it did not converge."""
    found = profiled(problem.model, problem.data, problem.start, fixed)
    if not (found.converged and np.isfinite(found.nll)):
        return {"values": None, "nll": None}
    return {"values": found.values.tolist(), "nll": float(found.nll)}


def profiles(
    problem: Problem, points: Sequence[Mapping[str, float]], runner: Runner | None = None
) -> list[tuple[Floats, float] | None]:
    """Values of all parameters and -ln L at the minimum for each set of fixed parameters.

    Each fit starts from the problem's start, so that results do not depend on order or chunks.

    Args:
        problem: What is fitted, and where the fits start.
        points: Fixed parameters of each fit, with their values.
        runner: What does the fits; None does them here.

    Returns:
        One entry for each point; None where no fit converged.
    """
    rows = (runner or InProcess()).run(profile, problem, [dict(point) for point in points])
    return [
        None if row["values"] is None else (np.array(row["values"]), row["nll"]) for row in rows
    ]
