"""Stage `inject`: signal added to toys of the counting fit, without a cut and at the declared one.

Toys follow the background that the sidebands of the data predict behind the cut. The null fit would
also follow the data's own excess in the window, and inject into background that is not there.
"""

from __future__ import annotations

from typing import Any

from quarkline.engine.core.rng import library_seed
from quarkline.engine.workflow.stage import Context
from quarkline.statistics import gaussian_signal, injection_test, predicted_background
from quarkline.studies.resonance.calibrate.data import CalibrationConfig, CalibrationData
from quarkline.studies.resonance.calibration_results import InjectedAt, Injections


class InjectConfig(CalibrationConfig):
    """What the injections depend on."""

    working_point: float
    masses: list[float]
    resolution: float
    strengths: list[float]
    toys: int


def run(context: Context) -> dict[str, Any]:
    """Inject behind each of the two cuts."""
    config: InjectConfig = context.config
    data = CalibrationData(context)
    low, high = config.window
    masses = [mass for mass in config.masses if low < mass < high] or [(low + high) / 2]
    signal = gaussian_signal(data.binning, masses, config.resolution)
    rates = list(dict.fromkeys([1.0, config.working_point]))
    tests = tuple(
        InjectedAt(
            rate,
            injection_test(
                predicted_background(spectrum, data.degree),
                data.degree,
                signal,
                config.strengths,
                config.toys,
                seed=library_seed(config.seed, "inject", f"{rate:g}"),
                workers=context.conditions.workers,
            ),
        )
        for rate, spectrum in zip(rates, data.spectra(rates), strict=True)
    )
    slopes = ((item.rate, item.test.slope) for item in tests)
    context.summary(
        " · ".join(
            f"slope {slope.value:.3f} ± {slope.up or 0:.3f} at FPR {rate:g}"
            for rate, slope in slopes
        )
    )
    return {"injection": Injections(tuple(masses), config.resolution, tests)}
