"""Stage `figures`: every figure of the analysis, as PDF, PNG, SVG and drawn values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.workflow.stage import Context
from quarkline.statistics import excess_significance, spectrum_fit
from quarkline.studies.resonance.calibration_figures import calibration_figures
from quarkline.studies.resonance.calibration_results import Envelope, Reweighting
from quarkline.studies.resonance.events import read_features
from quarkline.studies.resonance.material import Material
from quarkline.studies.resonance.methods import CLASSIFIER_NAMES, METHODS
from quarkline.studies.resonance.results import (
    BackgroundModel,
    Comparison,
    FlowCheck,
    Scan,
    Scans,
    Selection,
    Variations,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Floats = NDArray[np.float64]

SHOWN_RATES = (1.0, 0.1, 0.01, 0.001)


def run(context: Context) -> dict[str, Any]:
    """Draw, save, and forget each figure in turn."""
    from quarkline.figures import save, to_svg

    folder = context.out / "figures"
    material = Material(context)
    asked = {
        "significance_variations_retrained": material.retrained,
        "method_comparison": material.compared,
    }
    drawn = {name: make for name, make in DRAWN.items() if asked.get(name, True)}
    drawn |= calibration_figures(context)
    for number, (name, make) in enumerate(drawn.items(), start=1):
        figure = make(material)
        stem = folder / name
        save(figure, stem)
        write_atomic(folder / f"{name}.svg", to_svg(figure))
        context.progress.update(number, len(drawn), name)
    context.summary(f"{len(drawn)} figures")
    return {"figures": folder}


def percent(rate: float) -> str:
    """A rate as a person reads it: `FPR 0.1 %`."""
    return f"FPR {100 * rate:g} %"


def _cut_flow(material: Material) -> Figure:
    from quarkline.figures import plot_cut_flow

    steps = material.context.result("selection", Selection).steps
    events = {step.name: float(step.searched + (step.control or 0)) for step in steps}
    return plot_cut_flow({"Events": events}, label=material.label)


def _mass_spectrum(material: Material) -> Figure:
    from quarkline.figures import plot_mass_spectrum

    return plot_mass_spectrum(
        material.searched.mass,
        edges=material.binning.edges,
        window=material.config.window,
        **material.lines,
    )


def _background_fit(material: Material) -> Figure:
    from quarkline.figures import plot_background_fit

    rate = material.config.working_point
    mass = material.searched.mass[material.score >= material.cut(rate)]
    return plot_background_fit(material.fitted(mass, percent(rate)), **material.lines)


def _significance(material: Material) -> Figure:
    """Each mass bin behind the declared cut, over the sidebands' fit."""
    from quarkline.figures import plot_significance

    mass = material.searched.mass[material.score >= material.cut(material.config.working_point)]
    fit = spectrum_fit(material.binning, mass, material.config.hypothesis[0])
    return plot_significance(
        fit.edges,
        excess_significance(fit.counts, np.maximum(fit.expected, 0.0), fit.band),
        window=material.config.window,
        **material.lines,
    )


def _spectra(material: Material) -> Figure:
    from quarkline.figures import plot_spectra

    spectra = [
        material.fitted(material.searched.mass[material.score >= material.cut(rate)], percent(rate))
        for rate in SHOWN_RATES
    ]
    return plot_spectra(spectra, pulls_of=2, **material.lines)


def _control(material: Material) -> Figure:
    from quarkline.figures import plot_control

    rate, names = material.config.working_point, material.signs
    passing, control = material.rank >= material.cut(rate), material.everything.control
    mass = material.everything.mass
    return plot_control(
        material.fitted(mass[passing & ~control], f"{names[0].capitalize()}, {percent(rate)}"),
        material.fitted(mass[passing & control], f"{names[1].capitalize()}, {percent(rate)}"),
        **material.lines,
    )


def _anomaly_score(material: Material) -> Figure:
    from quarkline.figures import plot_anomaly_score_distribution

    mass, window = material.searched.mass, material.config.window
    regions = {
        "Lower sideband": material.score[mass < window[0]],
        "Upper sideband": material.score[mass >= window[1]],
        "Window": material.score[material.searched.in_window],
    }
    cut = material.cut(material.config.working_point)
    return plot_anomaly_score_distribution(regions, cut=cut, label=material.label)


def _score_vs_mass(material: Material) -> Figure:
    from quarkline.figures import plot_score_vs_mass

    return plot_score_vs_mass(
        material.searched.mass,
        material.score,
        mass_edges=material.binning.edges,
        window=material.config.window,
        cut=material.cut(material.config.working_point),
        mass_label=material.lines["mass_label"],
        label=material.label,
    )


def _feature_distributions(material: Material) -> Figure:
    from quarkline.figures import plot_feature_distributions

    inside = material.searched.in_window
    selections = {
        percent(rate): _by_name(
            material.searched.features[inside & (material.score >= material.cut(rate))], material
        )
        for rate in SHOWN_RATES
    }
    return plot_feature_distributions(selections, label=material.label)


def _training_losses(material: Material) -> Figure:
    from quarkline.figures import plot_training_losses

    flows = material.context.result("training", BackgroundModel).flows
    return plot_training_losses(
        [flow.train for flow in flows],
        [flow.validation for flow in flows],
        selected=[flow.best + 1 for flow in flows],
        label=material.label,
    )


def _flow_check(material: Material) -> Figure:
    from quarkline.figures import plot_flow_check

    check = material.context.result("flow_check", FlowCheck)
    data = material.searched[~material.searched.in_window].features
    generated = read_features(material.context.path("sidebands"), material.config.features)
    return plot_flow_check(
        _by_name(data, material),
        _by_name(generated, material),
        ks=check.ks_statistic,
        auc=check.auc,
        label=material.label,
    )


def _roc_curve(material: Material) -> Figure:
    from quarkline.figures import plot_roc_curve

    check = material.context.result("flow_check", FlowCheck)
    curves = np.load(material.context.path("roc"), allow_pickle=False)
    return plot_roc_curve(
        [(curve[0], curve[1]) for curve in curves],
        auc=check.auc,
        label=material.label,
    )


def _p_value_scan(material: Material) -> Figure:
    from quarkline.figures import plot_p_value_scan

    scans = material.context.result("scans", Scans)
    return plot_p_value_scan(
        _rates(scans.scans[0]),
        {_named(scan.method, material): _z(scan) for scan in scans.scans},
        working_point=material.config.working_point,
        reweighted=_reweighted(material.context.result("reweighting", Reweighting)),
        label=material.label,
    )


def _control_scan(material: Material) -> Figure:
    from quarkline.figures import plot_p_value_scan

    scan = material.context.result("scans", Scans).control
    return plot_p_value_scan(
        _rates(scan),
        {f"{material.signs[1].capitalize()} (control)": _z(scan)},
        working_point=material.config.working_point,
        label=material.label,
    )


def _variations(material: Material, *, retrained: bool) -> Figure:
    from quarkline.figures import plot_significance_variations

    envelope = material.context.result("envelope", Envelope)
    spread = envelope.retrained if retrained else envelope.refitted
    chosen = [
        item
        for item in material.context.result("variations", Variations).variations
        if item.retrained == retrained
    ]
    return plot_significance_variations(
        _rates(chosen[0].scan) if chosen else [],
        {(item.degree, item.bins): _z(item.scan) for item in chosen},
        window=material.config.window,
        working_point=material.config.working_point,
        envelope=(spread.z.low, spread.z.high) if spread else None,
        label=material.label,
    )


def _refitted(material: Material) -> Figure:
    return _variations(material, retrained=False)


def _retrained(material: Material) -> Figure:
    return _variations(material, retrained=True)


def _method_comparison(material: Material) -> Figure:
    from quarkline.figures import plot_method_comparison

    comparison = material.context.result("comparison", Comparison)
    return plot_method_comparison(
        comparison.rates,
        {
            (METHODS[item.method].title, CLASSIFIER_NAMES[item.classifier]): item.z
            for item in comparison.methods
        },
        working_point=comparison.working_point,
        label=material.label,
    )


def _sculpting(material: Material) -> Figure:
    from quarkline.figures import plot_sculpting

    beside = ~material.searched.in_window
    passing = material.score >= material.cut(0.1)
    return plot_sculpting(
        material.searched.mass[beside],
        material.searched.mass[beside & passing],
        edges=material.binning.edges,
        window=material.config.window,
        selection=percent(0.1),
        mass_label=material.lines["mass_label"],
        label=material.label,
    )


DRAWN: Mapping[str, Callable[[Material], Figure]] = {
    "spectra": _spectra,
    "p_value_scan": _p_value_scan,
    "cut_flow": _cut_flow,
    "mass_spectrum": _mass_spectrum,
    "background_fit": _background_fit,
    "significance": _significance,
    "control": _control,
    "control_scan": _control_scan,
    "anomaly_score_distribution": _anomaly_score,
    "score_vs_mass": _score_vs_mass,
    "feature_distributions": _feature_distributions,
    "training_losses": _training_losses,
    "flow_check": _flow_check,
    "roc_curve": _roc_curve,
    "significance_variations": _refitted,
    "significance_variations_retrained": _retrained,
    "method_comparison": _method_comparison,
    "sculpting": _sculpting,
}


def _by_name(features: Floats, material: Material) -> dict[str, Floats]:
    return {name: features[:, i] for i, name in enumerate(material.config.features)}


def _rates(scan: Scan) -> list[float]:
    return [point.rate for point in scan.points]


def _z(scan: Scan) -> list[float]:
    return [point.z_local for point in scan.points]


def _named(cut_on: str, material: Material) -> str:
    return {"classifier": material.method, "random": "Random cut"}.get(cut_on, cut_on)


def _reweighted(result: Reweighting) -> dict[str, float]:
    """The reweighted hunt's quoted significance, under a name that says where it comes from."""
    name = "Likelihood reweighting"
    if not result.agrees:
        name += ", by toys" if result.resolved else ", limit of the toys"
    return {name: result.z_quoted}
