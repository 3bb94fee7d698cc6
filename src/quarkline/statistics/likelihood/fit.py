"""The fit of a likelihood: best values, errors, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from quarkline.statistics.arrays import Bools, Floats
from quarkline.statistics.likelihood.attempts import Attempts, attempts
from quarkline.statistics.likelihood.bounds import covariance_within_bounds
from quarkline.statistics.likelihood.intervals import Side, side
from quarkline.statistics.likelihood.minimum import Minimum
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.results import FitQuality, FittedParameter, LikelihoodFit
from quarkline.statistics.likelihood.spec import Gaussian, Parameter

MOST_INFLATED = 1e12  # of a variance by correlations, beyond which it is rounding
MOST_RESTARTS = 3  # after an interval has met a better minimum


def fit(
    model: Model,
    data: Data | None = None,
    *,
    start: Floats | None = None,
    fixed: Mapping[str, float] | None = None,
    free: Sequence[str] = (),
    minos: Sequence[str] = (),
    strategy: int = 1,
    covariance: bool = True,
) -> LikelihoodFit:
    """Maximise a likelihood within the bounds of its parameters.

    Newton's method with exact second derivatives is tried first; then Minuit, other starts and
    L-BFGS-B. A fit that fails does not raise: `quality` says what was tried and what is wrong.

    Args:
        model: The likelihood.
        data: What to fit; the observed data if None.
        start: Where to begin, with shape (P,), for instance a similar fit's values; the initial
            values if None.
        fixed: Parameters to hold, and where.
        free: Names of parameters to fit although the model fixes them.
        minos: Names of parameters to find asymmetric errors of; "all" stands for every one.
        strategy: Minuit's, should it be needed.
        covariance: Whether to give errors and covariances.

    Returns:
        The fit. Errors are from the inverse matrix of second derivatives, as HESSE's; where a
        bound stops a parameter, see `covariance_within_bounds`.

    Raises:
        InputError: If a name is unknown, or there are no data.
    """
    data = model.data if data is None else data
    values, fitted = _prepared(model, start, fixed or {}, free)
    wanted = _wanted(model, minos, fitted)
    tried = attempts(model, data, values, fitted, strategy)
    sides: dict[int, tuple[Side, Side]] = {}
    for _ in range(MOST_RESTARTS):
        sides, better = _intervals(model, data, tried.best, wanted)
        if better is None:
            break
        again = attempts(model, data, better.values, fitted, strategy)
        tried = Attempts(
            again.best,
            (*tried.names, *(f"{name} from a better point" for name in again.names)),
            tried.calls + again.calls,
        )
    if covariance:
        hessian = model.hessian(tried.best.values, data)
        tried = replace(tried, best=replace(tried.best, hessian=hessian))
    return _result(model, data, tried, sides, covariance)


def _prepared(
    model: Model, start: Floats | None, fixed: Mapping[str, float], free: Sequence[str]
) -> tuple[Floats, Bools]:
    values = np.array(model.initial if start is None else start, dtype=np.float64)
    fitted = ~model.fixed
    for name in free:
        fitted[model.index(name)] = True
    for name, value in fixed.items():
        at = model.index(name)
        values[at], fitted[at] = value, False
    values[fitted] = np.clip(values, model.low, model.high)[fitted]
    return values, fitted


def _wanted(model: Model, minos: Sequence[str], fitted: Bools) -> list[int]:
    if "all" in minos and "all" not in model.names:
        return [int(at) for at in np.flatnonzero(fitted)]
    return [at for at in dict.fromkeys(model.index(name) for name in minos) if fitted[at]]


def _intervals(
    model: Model, data: Data, best: Minimum, wanted: Sequence[int]
) -> tuple[dict[int, tuple[Side, Side]], Minimum | None]:
    """Both sides of each interval, and a better minimum if one was met."""
    if not (best.converged and wanted):
        return {}, None
    errors = np.zeros(len(best.values))
    errors[best.free] = np.sqrt(np.diag(covariance_within_bounds(model, data, best)))
    sides: dict[int, tuple[Side, Side]] = {}
    for at in wanted:
        upper, lower = (side(model, data, best, at, sign, float(errors[at])) for sign in (1, -1))
        if better := upper.better or lower.better:
            return sides, better
        sides[at] = (upper, lower)
    return sides, None


def _result(
    model: Model,
    data: Data,
    tried: Attempts,
    sides: Mapping[int, tuple[Side, Side]],
    covariance: bool,
) -> LikelihoodFit:
    best = tried.best
    whole = covariance_within_bounds(model, data, best)
    table = whole if covariance else np.empty((0, 0))
    errors = np.zeros(len(model.names))
    if covariance:
        errors[best.free] = np.sqrt(np.diag(table))
    none = Side(None)
    return LikelihoodFit(
        poi=model.spec.poi,
        parameters=tuple(
            FittedParameter(
                name=parameter.name,
                role=parameter.role,
                value=float(best.values[at]),
                error=float(errors[at]),
                up=sides.get(at, (none, none))[0].error,
                down=sides.get(at, (none, none))[1].error,
                initial=parameter.initial,
                before=error_before(parameter),
                fixed=not best.free[at],
            )
            for at, parameter in enumerate(model.spec.parameters)
        ),
        free=tuple(name for name, free in zip(model.names, best.free, strict=True) if free),
        covariance=tuple(map(tuple, table.tolist())),
        nll=best.nll,
        quality=_quality(model, tried, np.diag(whole)),
    )


def _quality(model: Model, tried: Attempts, variances: Floats) -> FitQuality:
    best = tried.best
    names = np.array(model.names, dtype=object)
    limit = best.free & ((best.values <= model.low) | (best.values >= model.high))
    notes = [] if best.converged else ["no minimum was found"]
    definite = _definite(best, variances)
    if not definite:
        notes.append(f"the curvature is not positive along {_flattest(model, best)}")
    elif not best.free.any():
        notes.append("no parameter is free")
    if negative := _negative(model, best.values):
        notes.append(negative)
    return FitQuality(
        converged=best.converged and definite,
        distance=best.distance,
        calls=tried.calls,
        attempts=tried.names,
        at_limit=tuple(names[limit]),
        note="; ".join(notes),
    )


def _definite(best: Minimum, variances: Floats) -> bool:
    """Whether data and measurements determine every fitted parameter, to rounding.

    The product of a parameter's curvature and its variance is 1 if it is correlated with no other,
    and grows without limit as it becomes one of several that data cannot tell apart.
    """
    return bool((variances * np.diag(best.hessian)[best.free] < MOST_INFLATED).all())


def _flattest(model: Model, best: Minimum) -> str:
    """The parameters that make up the direction of the smallest curvature, the largest first."""
    part = best.hessian[np.ix_(best.free, best.free)]
    if not np.isfinite(part).all():
        return "an unknown direction"
    direction = np.abs(np.linalg.eigh(part)[1][:, 0])
    names = np.array(model.names, dtype=object)[best.free]
    largest = [at for at in np.argsort(-direction)[:4] if direction[at] > 0.1 * direction.max()]
    return ", ".join(names[largest])


def _negative(model: Model, values: Floats) -> str:
    expected = model.expected(values)
    if not (expected < 0.0).any():
        return ""
    channels = [
        f"{name} bin {at}"
        for name, bins in model.channels.items()
        for at, content in enumerate(expected[bins])
        if content < 0.0
    ]
    more = f" and {len(channels) - 3} more" if len(channels) > 3 else ""
    return f"negative expectations in {', '.join(channels[:3])}{more}"


def error_before(parameter: Parameter) -> float | None:
    """Error that the auxiliary measurement alone leaves; None if there is none."""
    match parameter.constraint:
        case None:
            return None
        case Gaussian(_, width):
            return width
        case constraint:
            return float(constraint.tau**-0.5)
