"""Signal injected into toys: what the fit makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from quarkline.engine.core.findings import InputError, Rule, WorkError
from quarkline.engine.core.results import Quantity, Result
from quarkline.engine.core.rng import library_seed
from quarkline.statistics.arrays import Floats
from quarkline.statistics.batch import HuntBatch, fit_batch
from quarkline.statistics.binning import HuntBinning, Spectrum
from quarkline.statistics.model import hunt_model
from quarkline.statistics.power import Power, fraction, mean, power
from quarkline.statistics.significance import ONE_SIGMA, binomial_interval
from quarkline.statistics.toys import NO_NULL_FIT, toy_hunts

OUTSIDE = Rule(
    "QL-STAT-050",
    "injected signal lies in the window",
    "The number of injected events is counted in the window, so its shape must reach into it: give "
    "masses inside the window, in the unit of the range, and a resolution above zero.",
)
BAND = 0.9973002039367398  # three standard deviations: what an honest coverage rarely leaves


@dataclass(frozen=True)
class InjectionRow:
    """Toys of one strength.

    Attributes:
        strength: Injected signal in standard deviations of the fitted signal without any.
        injected: The same in events in the window.
        fitted: Mean fitted signal, with the error of that mean.
        pull: Mean of (fitted - injected) / error, with its error.
        pull_width: Standard deviation of the same, with its error.
        coverage: Fraction of toys whose interval, fitted +- error, holds the injected signal.
        power: Significances of the toys.
        left_out: Toys without a signal and its error: a fit failed, or the sidebands do not fix
            the background.
    """

    strength: float
    injected: float
    fitted: Quantity
    pull: Quantity
    pull_width: Quantity
    coverage: Quantity
    power: Power
    left_out: int


@dataclass(frozen=True)
class InjectionTest(Result, kind="injection-test"):
    """Fitted against injected signal.

    Attributes:
        background: Expected background in the window.
        events: Expected background in sidebands and window.
        spread: Standard deviation of the fitted signal in toys without signal, in events.
        n_toys: Toys of each strength.
        rows: One row a strength.
        slope: Of the straight line through fitted against injected signal; 1 is linear.
        offset: Of that line, in events.
    """

    background: float
    events: float
    spread: float
    n_toys: int
    rows: tuple[InjectionRow, ...]
    slope: Quantity
    offset: Quantity

    @property
    def covers(self) -> bool:
        """Whether every coverage is compatible with 68.27 %, within the 99.73 % binomial band."""
        trials = np.array([self.n_toys - row.left_out for row in self.rows])
        covered = np.array([row.coverage.value for row in self.rows]) * trials
        low, high = binomial_interval(covered, trials, BAND)
        return bool(((low <= ONE_SIGMA) & (high >= ONE_SIGMA)).all())


def gaussian_signal(binning: HuntBinning, masses: Sequence[float], resolution: float) -> Floats:
    """Equal Gaussians at masses, in sidebands and window for each signal event in the window.

    Args:
        binning: The binning.
        masses: Mean of each Gaussian, in the unit of the range.
        resolution: Standard deviation over mean.

    Returns:
        With shape (sideband bins + 1,), the window last with a content of one. What leaks into the
        sidebands comes in addition.

    Raises:
        InputError: If no signal lies in the window.
    """
    edges = (binning.low_edges, binning.high_edges, np.array(binning.window))
    signal = np.zeros(binning.n_sidebands + 1)
    for mass in masses if resolution > 0.0 else ():
        parts = [np.diff(special.ndtr((part - mass) / (resolution * mass))) for part in edges]
        signal += np.concatenate(parts)
    if not signal[-1] > 0.0:
        listed = ", ".join(f"{mass:g}" for mass in masses) or "none"
        window_text = " to ".join(f"{edge:g}" for edge in binning.window)
        raise InputError(
            OUTSIDE.finding(
                f"no signal of masses {listed} and relative resolution {resolution:g} lies in "
                f"the window {window_text}",
                suggestion="give masses inside the window",
            )
        )
    relative: Floats = signal / signal[-1]
    return relative


def predicted_background(
    spectrum: Spectrum, degree: int, *, background: str = "polynomial"
) -> Spectrum:
    """The background that the sidebands alone predict, in sidebands and window.

    Unlike `expected_background` it does not follow an excess in the window.

    Args:
        spectrum: One spectrum of counts.
        degree: Degree of the background.
        background: Name of the background shape.

    Raises:
        WorkError: If the fit cannot be certified.
    """
    fit = fit_batch(spectrum, degree, background=background)
    if fit.failed:
        raise WorkError(NO_NULL_FIT.finding("the fit of the sidebands did not converge"))
    shape = hunt_model(spectrum.binning, degree, background).shape
    beside = shape.values(spectrum.binning.centres) @ fit.coefficients
    cells = np.append(beside, fit.background)
    return Spectrum.from_cells(spectrum.binning, np.maximum(cells, 0.0))


def injection_test(
    expected: Spectrum,
    degree: int,
    signal: Floats,
    strengths: Sequence[float],
    n_toys: int,
    *,
    seed: int = 1,
    background: str = "polynomial",
    workers: int = 1,
) -> InjectionTest:
    """Fit toys of background and signal, both drawn as Poisson counts.

    The toys of a strength depend on the seed and the strength alone; those of strength 0 are
    `toy_hunts` of the background.

    Args:
        expected: Expected background, such as that of `predicted_background`.
        degree: Degree of the background that is fitted.
        signal: Signal for each event in the window, with shape (sideband bins + 1,).
        strengths: In standard deviations of the fitted signal at strength 0.
        n_toys: Toys of each strength.
        seed: Seed of the toys.
        background: Name of the background shape that is fitted.
        workers: Number of threads; the numbers do not depend on it.
    """

    def toys(strength: float, injected: float) -> HuntBatch:
        means = Spectrum.from_cells(expected.binning, expected.cells + injected * signal)
        own = injection_seed(seed, strength)
        return toy_hunts(means, degree, n_toys, seed=own, background=background, workers=workers)

    spread = _spread(toys(0.0, 0.0))
    rows = tuple(
        _row(strength, strength * spread, toys(strength, strength * spread))
        for strength in strengths
    )
    slope, offset = _line(rows)
    return InjectionTest(
        background=float(expected.window),
        events=float(expected.cells.sum()),
        spread=spread,
        n_toys=n_toys,
        rows=rows,
        slope=slope,
        offset=offset,
    )


def injection_seed(seed: int, strength: float) -> int:
    """Seed of the toys of one strength."""
    return library_seed(seed, "injection", f"{strength:g}")


def _spread(toys: HuntBatch) -> float:
    known = toys.signal[np.isfinite(toys.signal)]
    return float(known.std(ddof=1)) if known.size > 1 else float("nan")


def _row(strength: float, injected: float, toys: HuntBatch) -> InjectionRow:
    known = np.isfinite(toys.signal) & (toys.signal_error > 0.0)
    signal, error = toys.signal[known], toys.signal_error[known]
    pulls = (signal - injected) / error
    return InjectionRow(
        strength=float(strength),
        injected=injected,
        fitted=mean(signal, "events"),
        pull=mean(pulls),
        pull_width=_width(pulls),
        coverage=fraction(int((np.abs(pulls) <= 1.0).sum()), pulls.size),
        power=power(injected, toys.z),
        left_out=int((~known).sum()),
    )


def _width(pulls: Floats) -> Quantity:
    """Standard deviation with the error it has for a normal distribution."""
    if pulls.size < 2:
        return Quantity(float("nan"))
    width = float(pulls.std(ddof=1))
    error = width / np.sqrt(2.0 * (pulls.size - 1))
    return Quantity(width, float(error), float(error))


def _line(rows: Sequence[InjectionRow]) -> tuple[Quantity, Quantity]:
    """Slope and offset of the straight line through the mean fitted signals, with errors."""
    usable = [row for row in rows if row.fitted.up]
    x = np.array([row.injected for row in usable])
    y = np.array([row.fitted.value for row in usable])
    weight = np.array([(row.fitted.up or np.inf) ** -2 for row in usable])
    if np.unique(x).size < 2:
        return Quantity(float("nan")), Quantity(float("nan"), unit="events")
    middle = (weight @ x) / weight.sum()
    lever = weight @ (x - middle) ** 2
    slope = float(weight @ ((x - middle) * y) / lever)
    offset = float((weight @ y) / weight.sum() - slope * middle)
    slope_error = float(lever**-0.5)
    offset_error = float(np.sqrt(1.0 / weight.sum() + middle**2 / lever))
    return (
        Quantity(slope, slope_error, slope_error),
        Quantity(offset, offset_error, offset_error, "events"),
    )
