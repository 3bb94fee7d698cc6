"""Goodness of fit: the data against the saturated model, by the chi-square law or by toys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import gammaln, xlogy
from scipy.stats import chi2

from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.many import InProcess, Problem, Runner
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.profiles import as_fitted, profiled
from quarkline.statistics.likelihood.results import GoodnessOfFit, LikelihoodFit
from quarkline.statistics.likelihood.spec import Gaussian
from quarkline.statistics.significance import tail_fraction


def goodness_of_fit(
    model: Model,
    data: Data,
    fitted: LikelihoodFit,
    *,
    toys: int = 0,
    seed: int = 1,
    runner: Runner | None = None,
) -> GoodnessOfFit:
    """-2 ln of the likelihood's ratio to that of a model which fits every number exactly.

    The saturated model expects in each bin what was counted, and of each auxiliary measurement
    what it gave (S. Baker and R. Cousins, NIM 221 (1984) 437; R. Cousins, "Generalization of
    chisquare goodness-of-fit test for binned data using saturated models", 2013). For large counts
    the statistic follows a chi-square with as many degrees of freedom as there are bins, less the
    free parameters without auxiliary measurement. Toys need no large counts: bins and measurements
    are drawn at the fitted values, and p is (k + 1) / (n + 1) for k of n toys at least as far off.

    Args:
        model: The likelihood.
        data: What was fitted.
        fitted: Its fit.
        toys: Number of toys; 0 for none.
        seed: Seed of the toys.
        runner: What fits the toys; None does it here.
    """
    model = as_fitted(model, fitted)
    statistic = 2.0 * (fitted.nll - saturated_nll(model, data))
    free = [row for row in model.spec.parameters if row.constraint is None and not row.fixed]
    degrees = len(data.counts) - len(free)
    p = float(chi2.sf(statistic, degrees)) if degrees > 0 else math.nan
    arguments = [{"toy": number, "seed": seed} for number in range(toys)]
    found = (runner or InProcess()).run(
        saturated_toy, Problem(model, data, fitted.values), arguments
    )
    values = [value for value in found if value is not None]
    exceeding = sum(value >= statistic for value in values)
    p_toys = tail_fraction(exceeding, len(values)).value if values else None
    return GoodnessOfFit(statistic, degrees, p, p_toys, len(values))


def saturated_toy(problem: Problem, argument: Mapping[str, Any]) -> float | None:
    """The statistic of one toy drawn where the problem starts; None if its fit failed.

    Args:
        problem: The model, and the parameters of the toys.
        argument: `toy`, its number, and `seed`.
    """
    drawn = rng(argument["seed"], "goodness-toys", argument["toy"])
    toy = problem.model.toy(problem.start, drawn)
    found = profiled(problem.model, toy, problem.start, {})
    return 2.0 * (found.nll - saturated_nll(problem.model, toy)) if found.converged else None


def saturated_nll(model: Model, data: Data) -> float:
    """-ln L of a model that expects every count and every measurement exactly as it is."""
    constraints = [row.constraint for row in model.spec.parameters if row.constraint is not None]
    widths = [row.width for row in constraints if isinstance(row, Gaussian)]
    counted = np.array([not isinstance(row, Gaussian) for row in constraints], dtype=bool)
    return (
        _poisson(data.counts)
        + _poisson(data.measured[counted])
        + float(np.log(math.sqrt(2.0 * math.pi) * np.array(widths)).sum())
    )


def _poisson(counts: Floats) -> float:
    """-ln of the Poisson probability of each count with itself as mean, summed."""
    return float((counts - xlogy(counts, counts) + gammaln(counts + 1.0)).sum())
