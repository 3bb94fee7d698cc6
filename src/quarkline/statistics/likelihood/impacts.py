"""Grouped impacts: what each group of parameters adds to the error of the measured one."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.many import InProcess, Problem, Runner
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.profiles import as_fitted
from quarkline.statistics.likelihood.results import GroupedImpacts, GroupImpact, LikelihoodFit
from quarkline.statistics.likelihood.signal import doubts, poi_of

GAMMAS = "Gammas"
NORM_FACTORS = "NormFactors"
FULL = "FullSyst"

Errors: TypeAlias = dict[str, float | None]
"""The symmetric `error` and those of MINOS, `up` and `down`; None where there is none."""


def standard_groups(
    model: Model, poi: str | None = None, *, measured_too: Collection[str] = ()
) -> dict[str, tuple[str, ...]]:
    """The groups that every likelihood has, under the names of TRExFitter; empty ones are left out.

    `Gammas` are the parameters of the statistics of simulation, `NormFactors` the norm factors but
    the measured one, `FullSyst` everything but the measured one.

    Args:
        model: The likelihood.
        poi: Parameter that is measured; None for the model's.
        measured_too: Further parameters that are measured and in no group.
    """
    measured = {poi_of(model, poi), *measured_too}
    rest = [row for row in model.spec.parameters if row.name not in measured and not row.fixed]
    groups = {
        GAMMAS: tuple(row.name for row in rest if row.role == "gamma"),
        NORM_FACTORS: tuple(row.name for row in rest if row.role == "norm-factor"),
        FULL: tuple(row.name for row in rest),
    }
    return {name: members for name, members in groups.items() if members}


def grouped_impacts(
    model: Model,
    data: Data,
    fitted: LikelihoodFit,
    groups: Mapping[str, Sequence[str]] | None = None,
    *,
    poi: str | None = None,
    measured_too: Collection[str] = (),
    minos: bool = True,
    runner: Runner | None = None,
) -> GroupedImpacts:
    """Fix a group at its best values, fit again, subtract the squared errors.

    The impact is sqrt(total^2 - rest^2), with `rest` the error of the measured parameter while the
    group is fixed: for the symmetric errors, and for those of MINOS above and below. It is 0 where
    the error does not shrink. Groups are correlated, so their squares need not add up.

    Args:
        model: The likelihood.
        data: What was fitted.
        fitted: Its fit.
        groups: Parameters of each group; these replace standard ones of the same name.
        poi: Parameter that is measured; None for the model's.
        measured_too: Further parameters that are measured: no group has them, and they are never
            held, so that the statistical error has them free.
        minos: Whether asymmetric errors are found, too.
        runner: What does the fits; None does them here.

    Raises:
        InputError: If a group has a parameter that the model has not.
    """
    measured = poi_of(model, poi)
    chosen = {
        **standard_groups(model, measured, measured_too=measured_too),
        **{k: tuple(v) for k, v in (groups or {}).items()},
    }
    for name in {name for members in chosen.values() for name in members}:
        model.index(name)
    everything = tuple(name for name in fitted.free if name not in {measured, *measured_too})
    held = [(), everything, *chosen.values()]
    arguments = [
        {"poi": measured, "minos": minos, "hold": [name for name in names if name in everything]}
        for names in held
    ]
    problem = Problem(as_fitted(model, fitted), data, fitted.values)
    total, rest, *others = (runner or InProcess()).run(error_with, problem, arguments)
    return GroupedImpacts(
        poi=measured,
        total=_impact("total", everything, total),
        statistical=_impact("statistical", (), rest),
        groups=tuple(
            _impact(name, members, {side: _left(total[side], other[side]) for side in total})
            for (name, members), other in zip(chosen.items(), others, strict=True)
        ),
        note="; ".join(doubts(fitted, measured)),
    )


def _impact(name: str, members: tuple[str, ...], errors: Errors) -> GroupImpact:
    error = errors["error"]
    return GroupImpact(
        name, members, math.nan if error is None else error, errors["up"], errors["down"]
    )


def error_with(problem: Problem, argument: Mapping[str, Any]) -> Errors:
    """The errors of the measured parameter while others are held where the problem starts.

    Args:
        problem: What is fitted.
        argument: `poi`, `hold` (names), and whether `minos` errors are found.
    """
    poi, model = argument["poi"], problem.model
    found = fit(
        model,
        problem.data,
        start=problem.start,
        fixed={name: float(problem.start[model.index(name)]) for name in argument["hold"]},
        minos=(poi,) if argument["minos"] else (),
    ).by_name[poi]
    error = found.error if math.isfinite(found.error) else None
    return {"error": error, "up": found.up, "down": found.down}


def _left(total: float | None, rest: float | None) -> float | None:
    if total is None or rest is None:
        return None
    return math.sqrt(max(total**2 - rest**2, 0.0))
