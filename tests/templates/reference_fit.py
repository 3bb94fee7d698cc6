"""Results of TRExFitter's fits, read from its text files without any code of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from quarkline.statistics.likelihood.results import FitQuality, FittedParameter, LikelihoodFit
from quarkline.statistics.likelihood.spec import LikelihoodSpec

Errors = tuple[float, float, float]


def reference_values(path: Path) -> dict[str, Errors]:
    """Value, upper and lower error of each parameter, in the order of the file."""
    lines = path.read_text().splitlines()
    rows = [line.split() for line in lines[1 : lines.index("CORRELATION_MATRIX")] if line]
    return {name: (float(value), float(up), -float(down)) for name, value, up, down in rows}


def reference_fit(path: Path, spec: LikelihoodSpec) -> LikelihoodFit:
    """The fit that a file tells of, with the correlations that it gives."""
    values = reference_values(path)
    lines = path.read_text().splitlines()
    first = lines.index("CORRELATION_MATRIX") + 2
    rows = [list(map(float, line.split())) for line in lines[first : first + len(values)]]
    correlation = np.array(rows)[:, ::-1]  # columns run from the last parameter to the first
    widths = np.array([(up + down) / 2 for _, up, down in values.values()])
    parameters = tuple(
        FittedParameter(
            name=one.name,
            role=one.role,
            value=values.get(one.name, (one.initial,))[0],
            error=sum(values.get(one.name, (0.0, 0.0, 0.0))[1:]) / 2,
            up=values[one.name][1] if one.name in values else None,
            down=values[one.name][2] if one.name in values else None,
            initial=one.initial,
            before=None,
            fixed=one.name not in values,
        )
        for one in spec.parameters
    )
    return LikelihoodFit(
        poi=spec.poi,
        parameters=parameters,
        free=tuple(values),
        covariance=tuple(map(tuple, correlation * np.outer(widths, widths))),
        nll=0.0,
        quality=FitQuality(converged=True, distance=0.0, calls=0, attempts=("theirs",)),
    )
