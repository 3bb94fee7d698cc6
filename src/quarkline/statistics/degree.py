"""How flexible a background the sidebands ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy import special

from quarkline.engine.core.results import Result
from quarkline.statistics.batch import scaled_counts
from quarkline.statistics.binning import Spectrum
from quarkline.statistics.model import hunt_model
from quarkline.statistics.poisson_fit import fit_rates

RESOLUTION = 1e-6  # of chi2: what the fits leave open


@dataclass(frozen=True)
class DegreeRow:
    """One degree of the background.

    Attributes:
        degree: The degree.
        chi2: Likelihood chi-square of the sideband fit (Baker and Cousins, NIM 221 (1984) 437).
        ndf: Sideband bins less coefficients.
        p_fit: Probability of a larger chi2.
        f: F statistic of the step from the degree before; None for the first.
        p_f: Probability of a larger F if the degree before suffices; None for the first.
    """

    degree: int
    chi2: float
    ndf: int
    p_fit: float
    f: float | None = None
    p_f: float | None = None


@dataclass(frozen=True)
class DegreeTest(Result, kind="degree-test"):
    """F-test of nested degrees on the sidebands.

    Attributes:
        rows: One row a degree, ascending.
        level: Significance level of the steps.
        chosen: The first degree from which the next step is not significant.
    """

    rows: tuple[DegreeRow, ...]
    level: float
    chosen: int


def degree_test(
    spectrum: Spectrum,
    degrees: Sequence[int] = tuple(range(9)),
    *,
    level: float = 0.05,
    background: str = "polynomial",
) -> DegreeTest:
    """Compare nested degrees on the sideband bins.

    F = ((chi2_a - chi2_b) / (k_b - k_a)) / (chi2_b / (n - k_b)) for degrees a < b with k
    coefficients and n bins follows an F distribution if a suffices. For bins with few entries the
    chi2 do not follow their distributions; cross-check with the spurious signal.

    Args:
        spectrum: One spectrum.
        degrees: Ascending degrees.
        level: Significance level.
        background: Name of the background shape.

    Raises:
        InputError: If the sidebands have too few bins for a degree.
    """
    rows: list[DegreeRow] = []
    for degree in sorted(degrees):
        chi2 = _chi2(spectrum, degree, background)
        ndf = spectrum.binning.n_sidebands - degree - 1
        row = DegreeRow(degree, chi2, ndf, float(special.chdtrc(ndf, chi2)))
        rows.append(_compared(rows[-1], row) if rows else row)
    return DegreeTest(tuple(rows), level, _first_sufficient(rows, level))


def _chi2(spectrum: Spectrum, degree: int, background: str) -> float:
    model = hunt_model(spectrum.binning, degree, background)
    beside = scaled_counts(spectrum).without_last
    fit = fit_rates(model.sidebands, beside)
    rates = beside.exposure * fit.rates
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(beside.filled, beside.seen * np.log(beside.seen / rates), 0.0)
    return float(2.0 * (rates - beside.seen + logs).sum()) if fit.certified[0] else np.nan


def _first_sufficient(rows: list[DegreeRow], level: float) -> int:
    for row, following in pairwise(rows):
        if following.p_f is None or not following.p_f < level:
            return row.degree
    return rows[-1].degree


def _compared(before: DegreeRow, row: DegreeRow) -> DegreeRow:
    """The row with its F statistic; a gain below the resolution of the fits is none."""
    steps = row.degree - before.degree
    gained = before.chi2 - row.chi2
    gained = 0.0 if gained < RESOLUTION else gained
    f = gained / steps / max(row.chi2 / row.ndf, RESOLUTION)
    return replace(row, f=f, p_f=float(special.fdtrc(steps, row.ndf, f)))
