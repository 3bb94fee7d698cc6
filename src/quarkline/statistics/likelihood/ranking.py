"""Rankings: how far each parameter moves the measured one when it moves by its error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeGuard

import numpy as np

from quarkline.statistics.likelihood.many import Problem, Runner
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.profiles import as_fitted, profiles
from quarkline.statistics.likelihood.results import (
    FittedParameter,
    LikelihoodFit,
    RankedParameter,
    Ranking,
)
from quarkline.statistics.likelihood.signal import doubts, poi_of

SIDES = ("up", "down", "up_before", "down_before")


def ranking(
    model: Model,
    data: Data,
    fitted: LikelihoodFit,
    *,
    poi: str | None = None,
    parameters: Sequence[str] | None = None,
    runner: Runner | None = None,
) -> Ranking:
    """Fix each parameter at its best value plus and minus its error, fit the rest again.

    What is ranked is the shift of the measured parameter from its best value, as in TRExFitter and
    in ATLAS-CONF-2012-132. Errors after the fit are those of MINOS where the fit has them, else
    symmetric ones; errors before it are the widths of the auxiliary measurements, and count from
    the best value, too. A parameter is never moved beyond its bounds. Where the measured one was
    fixed or ended at its bound, shifts may be 0 for that reason alone, which `note` says.

    Args:
        model: The likelihood.
        data: What was fitted.
        fitted: Its fit.
        poi: Parameter that is measured; None for the model's.
        parameters: Which are ranked; None for all that were fitted but the measured one.
        runner: What does the fits; None does them here.
    """
    measured = fitted.by_name[poi_of(model, poi)]
    model = as_fitted(model, fitted)
    names = fitted.free if parameters is None else parameters
    ranked = [fitted.by_name[name] for name in names if name != measured.name]
    points = [
        {row.name: place}
        for row in ranked
        for place in _places(model, row).values()
        if _is_place(place)
    ]
    problem = Problem(model, data, fitted.values)
    found = iter(profiles(problem, points, runner))
    index = model.index(measured.name)
    rows = []
    for row in ranked:
        shifts: dict[str, float | None] = {}
        for side, place in _places(model, row).items():
            minimum = next(found) if _is_place(place) else None
            shifts[side] = None if minimum is None else float(minimum[0][index] - measured.value)
        rows.append(_row(row, shifts, _places(model, row)))
    rows.sort(key=lambda row: (-row.size, row.name))
    note = "; ".join(doubts(fitted, measured.name))
    return Ranking(measured.name, measured.value, measured.error, tuple(rows), note)


def _places(model: Model, row: FittedParameter) -> dict[str, float | None]:
    """Where a parameter is fixed, by side; None where it has no error of that kind.

    NaN where the fit could not tell its error.
    """
    up, down = row.up or row.error, row.down or row.error
    steps = (up, -down, row.before, None if row.before is None else -row.before)
    index = model.index(row.name)
    low, high = model.low[index], model.high[index]
    return {
        side: None if step is None else float(np.clip(row.value + step, low, high))
        for side, step in zip(SIDES, steps, strict=True)
    }


def _is_place(place: float | None) -> TypeGuard[float]:
    return place is not None and math.isfinite(place)


def _row(
    row: FittedParameter,
    shifts: Mapping[str, float | None],
    places: Mapping[str, float | None],
) -> RankedParameter:
    failed = tuple(side for side in SIDES if places[side] is not None and shifts[side] is None)
    return RankedParameter(
        name=row.name,
        role=row.role,
        value=row.value,
        error=row.error,
        before=row.before,
        up=shifts["up"] or 0.0,
        down=shifts["down"] or 0.0,
        up_before=shifts["up_before"],
        down_before=shifts["down_before"],
        failed=failed,
    )
