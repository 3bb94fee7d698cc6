"""Figures of the calibrations, one function a figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.workflow.stage import Context
from quarkline.statistics import TrialsFactor, p_from_z
from quarkline.studies.resonance.calibration_results import (
    Calibration,
    ChainPower,
    FitChecks,
    Injections,
    Reweighting,
)
from quarkline.studies.resonance.results import WorkingPoint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quarkline.studies.resonance.material import Material

Floats = NDArray[np.float64]


def calibration_figures(context: Context) -> dict[str, Callable[[Material], Figure]]:
    """The figures by name; those of pseudo-experiments only where there are any."""
    drawn: dict[str, Callable[[Material], Figure]] = {
        "toys": _toys,
        "p_value_calibration": _p_value_calibration,
        "trials_factor": _trials_factor,
        "injection": _injection,
        "injection_power": _injection_power,
        "spurious_signal": _spurious_signal,
        "reweighted_calibration": _reweighted_calibration,
    }
    if "power" in context.inputs:
        drawn["power"] = _power
    return drawn


def selection(rate: float) -> str:
    """What a curve shows: no cut, or the cut of this rate."""
    return f"FPR {100 * rate:g} %" if rate < 1 else "No cut"


def _toys_at(material: Material) -> tuple[Floats, float]:
    """Toy significances at the scan point nearest to the working point, and the observed one."""
    rates = np.array(material.context.result("calibration", Calibration).rates)
    nearest = int(np.argmin(np.abs(np.log(rates / material.config.working_point))))
    z = np.load(material.context.path("z_toys"), allow_pickle=False)
    return z[:, nearest], material.context.result("working_point", WorkingPoint).hunt.z_local


def _toys(material: Material) -> Figure:
    from quarkline.figures import plot_toys

    z, observed = _toys_at(material)
    return plot_toys(z, z_observed=observed, label=material.label)


def _p_value_calibration(material: Material) -> Figure:
    from quarkline.figures import plot_p_value_calibration

    return plot_p_value_calibration(p_from_z(_toys_at(material)[0]), label=material.label)


def _trials_factor(material: Material) -> Figure:
    from quarkline.figures import plot_trials_factor

    return plot_trials_factor(
        material.context.result("trials", TrialsFactor),
        z_observed=material.context.result("calibration", Calibration).best.z_local,
        label=material.label,
    )


def _injection(material: Material) -> Figure:
    from quarkline.figures import plot_injection

    tests = material.context.result("injection", Injections).tests
    return plot_injection({selection(item.rate): item.test for item in tests}, label=material.label)


def _injection_power(material: Material) -> Figure:
    from quarkline.figures import IN_SIGMA, plot_power

    curves = {
        selection(item.rate): [replace(row.power, injected=row.strength) for row in item.test.rows]
        for item in material.context.result("injection", Injections).tests
    }
    return plot_power(curves, x_label=IN_SIGMA, label=material.label)


def _spurious_signal(material: Material) -> Figure:
    from quarkline.figures import plot_spurious_signal

    result = material.context.result("fit_checks", FitChecks)
    return plot_spurious_signal(
        {selection(check.rate): check.spurious for check in result.checks},
        template_errors={selection(check.rate): check.template_errors for check in result.checks},
        degree=result.degree,
        label=material.label,
    )


def _reweighted_calibration(material: Material) -> Figure:
    from quarkline.figures import plot_p_value_calibration

    z = np.load(material.context.path("z_reweighted"), allow_pickle=False)
    result = material.context.result("reweighting", Reweighting)
    return plot_p_value_calibration(
        p_from_z(z), p_observed=float(p_from_z(result.z_local)), label=material.label
    )


def _power(material: Material) -> Figure:
    from quarkline.figures import plot_power

    result = material.context.result("power", ChainPower)
    curves = {selection(result.rate): result.chain, selection(1.0): result.inclusive}
    return plot_power(curves, label=material.label)
