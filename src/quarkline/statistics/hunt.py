"""The bump hunt in one spectrum, as a result value."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats
from quarkline.statistics.band import fit_band
from quarkline.statistics.batch import FitStatus, HuntBatch, fit_batch
from quarkline.statistics.binning import HuntBinning, Spectrum
from quarkline.statistics.scan import MassScanResult
from quarkline.statistics.significance import p_from_z, z_from_p
from quarkline.statistics.toys import expected_background, toy_hunts, toy_p_value, toys_exceeding


@dataclass(frozen=True)
class SpectrumFit(Result, kind="spectrum-fit"):
    """A mass spectrum and the background fitted to its sidebands, for tables and figures.

    Attributes:
        edges: Edges of bins of equal width over sidebands and window, with shape (bins + 1,).
        counts: Contents of the bins, with shape (bins,).
        error: Standard deviations of weighted contents; None for plain counts.
        expected: The fit integrated over each bin, in the window too.
        band: One standard deviation of `expected`.
        window: Lower and upper edge of the counting window, whose bins took no part in the fit.
    """

    edges: tuple[float, ...]
    counts: tuple[float, ...]
    error: tuple[float, ...] | None
    expected: tuple[float, ...]
    band: tuple[float, ...]
    window: tuple[float, float]


@dataclass(frozen=True)
class BumpHuntResult(Result, kind="bump-hunt"):
    """An excess in a mass window over the background that the sidebands predict.

    Attributes:
        mass_range: Lowest and highest mass.
        mass_window: Lower and upper edge of the counting window.
        bins: Number of bins across the window.
        degree: Degree of the background.
        background_shape: Name of the background shape.
        weighted: Whether events had weights.
        n_window: Contents of the window.
        n_sidebands: Contents of all complete sideband bins.
        signal: n_window less the background, of any sign; error from the curvature of -ln L.
        background: Prediction of the sidebands in the window; error from the curvature of -ln L.
        q0: -2 ln of the likelihood ratio of no signal to the best one; 0 for a deficit.
        z_local: sqrt(q0).
        p_local: 1 - Phi(z_local).
        status: How the fits ended; without convergence the numbers are NaN.
        bound: Whether positivity of the background binds.
        n_toys: Number of background-only toys drawn.
        n_toys_failed: How many of their fits failed; these are left out.
        n_toys_exceeding: How many of the others are at least as signal-like as the data.
        p_toys: Fraction of toys at least as signal-like, with its binomial error.
        z_toys: The same in standard deviations, not below 0.
        p_global: p-value of the best window of a mass scan, corrected for the search.
        z_global: The same in standard deviations, not below 0.
    """

    mass_range: tuple[float, float]
    mass_window: tuple[float, float]
    bins: int
    degree: int
    background_shape: str
    weighted: bool
    n_window: float
    n_sidebands: float
    signal: Quantity
    background: Quantity
    q0: float
    z_local: float
    p_local: float
    status: FitStatus
    bound: bool
    n_toys: int = 0
    n_toys_failed: int = 0
    n_toys_exceeding: int = 0
    p_toys: Quantity | None = None
    z_toys: float | None = None
    p_global: float | None = None
    z_global: float | None = None


def bump_hunt(
    spectrum: Spectrum,
    degree: int,
    *,
    background: str = "polynomial",
    n_toys: int = 0,
    seed: int = 1,
    workers: int = 1,
) -> BumpHuntResult:
    """Hunt in one spectrum.

    Args:
        spectrum: The spectrum.
        degree: Degree of the background.
        background: Name of the background shape.
        n_toys: Number of background-only toys for `p_toys`; 0 draws none.
        seed: Seed of the toys.
        workers: Number of threads for the toys; the numbers do not depend on it.

    Raises:
        InputError: If the sidebands have too few bins for the degree, or a weighted bin has no
            positive sum.
        WorkError: If toys are wanted and the background-only fit did not converge.
    """
    batch = fit_batch(spectrum, degree, background=background)
    result = hunt_result(spectrum, batch, degree, background=background)
    if not n_toys:
        return result
    expected = expected_background(spectrum, degree, background=background)
    toys = toy_hunts(expected, degree, n_toys, seed=seed, background=background, workers=workers)
    return with_toys(result, toys)


def hunt_result(
    spectrum: Spectrum,
    batch: HuntBatch,
    degree: int,
    *,
    background: str = "polynomial",
    index: tuple[int, ...] = (),
) -> BumpHuntResult:
    """One hunt of a batch as a result value.

    Args:
        spectrum: What was fitted.
        batch: The fits.
        degree: Degree of the background.
        background: Name of the background shape.
        index: Which of the spectra.
    """
    binning = spectrum.binning
    z = float(batch.z[index])
    return BumpHuntResult(
        mass_range=binning.range,
        mass_window=binning.window,
        bins=binning.bins,
        degree=degree,
        background_shape=background,
        weighted=spectrum.weighted,
        n_window=float(batch.n_window[index]),
        n_sidebands=float(spectrum.sidebands[index].sum()),
        signal=_events(batch.signal[index], batch.signal_error[index]),
        background=_events(batch.background[index], batch.background_error[index]),
        q0=float(batch.q0[index]),
        z_local=z,
        p_local=float(p_from_z(z)),
        status=batch.status(index),
        bound=bool(batch.bound[index]),
    )


def with_toys(result: BumpHuntResult, toys: HuntBatch) -> BumpHuntResult:
    """The result with its p-value from toys."""
    p_toys = toy_p_value(result.q0, toys)
    return replace(
        result,
        n_toys=toys.q0.size,
        n_toys_failed=int(toys.failed.sum()),
        n_toys_exceeding=toys_exceeding(result.q0, toys),
        p_toys=p_toys,
        z_toys=max(float(z_from_p(p_toys.value)), 0.0),
    )


def with_scan(result: BumpHuntResult, scan: MassScanResult) -> BumpHuntResult:
    """The result with the global p-value of the best window of a scan."""
    p_global = scan.best_p_global
    if p_global is None:
        return result
    return replace(result, p_global=p_global, z_global=max(float(z_from_p(p_global)), 0.0))


def spectrum_fit(
    binning: HuntBinning,
    mass: ArrayLike,
    degree: int,
    *,
    weight: ArrayLike | None = None,
    background: str = "polynomial",
) -> SpectrumFit:
    """The spectrum in bins over sidebands and window, with the sideband fit and its band.

    Args:
        binning: The binning.
        mass: Masses, with shape (N,).
        degree: Degree of the background.
        weight: Weights, with shape (N,).
        background: Name of the background shape.
    """
    edges = binning.edges
    counts = binning.histogram(mass, weight)
    expected, band = fit_band(binning.count(mass, weight), degree, edges, background=background)
    error = None
    if weight is not None:
        error = _tuple(np.sqrt(binning.histogram(mass, np.asarray(weight) ** 2)))
    return SpectrumFit(
        _tuple(edges), _tuple(counts), error, _tuple(expected), _tuple(band), binning.window
    )


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _events(value: float, error: float) -> Quantity:
    known = float(error) if np.isfinite(error) else None
    return Quantity(float(value), known, known, "events")
