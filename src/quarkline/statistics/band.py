"""The background fitted to the sidebands, as a curve with its one-sigma band."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from quarkline.statistics.arrays import Floats, total
from quarkline.statistics.batch import scaled_counts
from quarkline.statistics.binning import Spectrum
from quarkline.statistics.model import HuntModel, hunt_model
from quarkline.statistics.poisson_fit import fit_rates
from quarkline.statistics.weighted import SortedQR


def fit_band(
    spectrum: Spectrum, degree: int, edges: ArrayLike, *, background: str = "polynomial"
) -> tuple[Floats, Floats]:
    """Background events expected between edges, with one standard deviation.

    The sideband fit is integrated over each bin, and its covariance, the inverse Hessian of
    -ln L, is propagated to the integral.

    Args:
        spectrum: One spectrum.
        degree: Degree of the background.
        edges: Edges of bins anywhere in the range, with shape (bins + 1,).
        background: Name of the background shape.

    Returns:
        Expectation and standard deviation, each with shape (bins,); NaN if the fit failed.
    """
    model = hunt_model(spectrum.binning, degree, background)
    limits = np.asarray(edges, dtype=np.float64)
    return _propagated(model, spectrum, model.basis_integrals(limits[:-1], limits[1:]))


def fit_curve(
    spectrum: Spectrum, degree: int, mass: ArrayLike, *, background: str = "polynomial"
) -> tuple[Floats, Floats]:
    """Background density in events a bin at given masses, with one standard deviation.

    Args:
        spectrum: One spectrum.
        degree: Degree of the background.
        mass: Masses in the range, with shape (N,).
        background: Name of the background shape.

    Returns:
        Density and standard deviation, each with shape (N,); NaN if the fit failed.
    """
    model = hunt_model(spectrum.binning, degree, background)
    return _propagated(model, spectrum, model.basis(np.asarray(mass, dtype=np.float64)))


def _propagated(model: HuntModel, spectrum: Spectrum, rows: Floats) -> tuple[Floats, Floats]:
    """Linear functions (N, k) of the coefficients of the sideband fit, with their errors."""
    fit = fit_rates(model.sidebands, scaled_counts(spectrum).without_last)
    if not fit.certified[0]:
        return np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = SortedQR(model.sidebands, fit.weights).solve(rows.T)
        return rows @ fit.coefficients[:, 0], np.sqrt(total(rows.T * spread))
