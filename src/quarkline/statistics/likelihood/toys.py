"""Fits of pseudo-data: whether pulls are normal and intervals cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.many import InProcess, Problem, Runner
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.profiles import profiled
from quarkline.statistics.likelihood.results import ToyFits
from quarkline.statistics.likelihood.signal import poi_of


def toy_fits(
    model: Model,
    truth: Floats,
    number: int,
    *,
    parameter: str | None = None,
    hold: Sequence[str] = (),
    seed: int = 1,
    runner: Runner | None = None,
) -> ToyFits:
    """Draw pseudo-data, fit them, compare with what they were drawn with.

    Bins and auxiliary measurements are drawn. Toy `i` is a pure function of the seed and `i`, so
    more toys begin with the same ones. An interval holds the truth if -2 ln of the profile
    likelihood ratio is at most 1 there: the interval of MINOS, which should hold it in 68.3 % of
    toys.

    Args:
        model: The likelihood.
        truth: Parameters of the pseudo-data, with shape (P,), such as the values of a fit.
        number: Number of toys.
        parameter: The parameter looked at; None for the model's measured one.
        hold: Parameters that the fits hold at their initial values, whatever the toys have.
        seed: Seed of the toys.
        runner: What does the fits; None does them here.
    """
    name = poi_of(model, parameter)
    fixed = {one: float(model.initial[model.index(one)]) for one in hold}
    common = {"seed": seed, "parameter": name, "fixed": fixed}
    arguments = [{"toy": toy, **common} for toy in range(number)]
    problem = Problem(model, model.asimov(truth), np.asarray(truth, dtype=float))
    found = (runner or InProcess()).run(fit_toy, problem, arguments)
    done = [row for row in found if row is not None]
    return ToyFits(
        parameter=name,
        truth=float(truth[model.index(name)]),
        values=tuple(row["value"] for row in done),
        errors=tuple(row["error"] for row in done),
        failed=number - len(done),
        covered=sum(row["covers"] for row in done) / len(done) if done else 0.0,
    )


def fit_toy(problem: Problem, argument: Mapping[str, Any]) -> dict[str, Any] | None:
    """One toy drawn where the problem starts: best value, error, whether its interval covers.

    Args:
        problem: The model, and the parameters of the toys.
        argument: `toy`, its number, `seed`, the `parameter`, and values of those that are `fixed`.
    """
    model, name = problem.model, argument["parameter"]
    toy = model.toy(problem.start, rng(argument["seed"], "fit-toys", argument["toy"]))
    fixed = argument["fixed"]
    found = profiled(model, toy, problem.start, fixed)
    at = model.index(name)
    held = profiled(model, toy, found.values, {**fixed, name: float(problem.start[at])})
    error = float(found.errors()[at])
    if not (found.converged and held.converged and np.isfinite(error)):
        return None
    covers = 2.0 * (held.nll - found.nll) <= 1.0
    return {"value": float(found.values[at]), "error": error, "covers": bool(covers)}
