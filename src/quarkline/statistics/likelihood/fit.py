"""The fit of a likelihood: best values, errors, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.minimum import Minimum, minimum
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.results import FitQuality, FittedParameter, LikelihoodFit
from quarkline.statistics.likelihood.spec import Gaussian, Parameter


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
    """Maximise a likelihood."""
    data = model.data if data is None else data
    open_ = ~model.fixed
    for name in free:
        open_[model.index(name)] = True
    found = minimum(model, data, start=start, fixed=fixed, free=open_)
    return _result(model, found, covariance)


def _result(model: Model, found: Minimum, covariance: bool) -> LikelihoodFit:
    table = found.covariance() if covariance else np.empty((0, 0))
    errors = found.errors() if covariance else np.zeros(len(model.names))
    at_limit = tuple(
        name
        for name, value, low, high, free in zip(
            model.names, found.values, model.low, model.high, found.free, strict=True
        )
        if free and (value <= low or value >= high)
    )
    return LikelihoodFit(
        poi=model.spec.poi,
        parameters=tuple(
            FittedParameter(
                name=parameter.name,
                role=parameter.role,
                value=float(value),
                error=float(error),
                up=None,
                down=None,
                initial=parameter.initial,
                before=error_before(parameter),
                fixed=not free,
            )
            for parameter, value, error, free in zip(
                model.spec.parameters, found.values, errors, found.free, strict=True
            )
        ),
        free=tuple(np.array(model.names, dtype=object)[found.free]),
        covariance=tuple(tuple(float(entry) for entry in row) for row in table),
        nll=found.nll,
        quality=FitQuality(found.converged, found.distance, found.steps, ("newton",), at_limit),
    )


def error_before(parameter: Parameter) -> float | None:
    """Error that the auxiliary measurement alone leaves; None if there is none."""
    match parameter.constraint:
        case None:
            return None
        case Gaussian(_, width):
            return width
        case constraint:
            return float(constraint.tau**-0.5)
