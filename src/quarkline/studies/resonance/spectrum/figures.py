"""Stage `figures`: the spectra of both signs with their p-values, and the cut-flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarkline.engine.core.config import Config
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.workflow.stage import Context
from quarkline.studies.resonance.config import LabelsConfig
from quarkline.studies.resonance.material import label_of
from quarkline.studies.resonance.particles import typeset
from quarkline.studies.resonance.results import Selection
from quarkline.studies.resonance.spectrum.results import SpectrumSearch

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class FiguresConfig(Config):
    """What the figures depend on."""

    labels: LabelsConfig


def run(context: Context) -> dict[str, Any]:
    """Draw and save every figure."""
    from quarkline.figures import save, to_svg

    folder = context.out / "figures"
    drawn = _drawn(context)
    for name, figure in drawn.items():
        save(figure, folder / name)
        write_atomic(folder / f"{name}.svg", to_svg(figure))
    context.summary(f"{len(drawn)} figures")
    return {"figures": folder}


def _drawn(context: Context) -> Mapping[str, Figure]:
    from quarkline.figures import DIMUON_MASS, plot_cut_flow, plot_spectrum_scan

    config: FiguresConfig = context.config
    search = context.result("search", SpectrumSearch)
    steps = context.result("selection", Selection).steps
    label = label_of(config.labels)
    masses = {typeset(known.name): known.mass for known in search.known}
    events = {step.name: float(step.searched + (step.control or 0)) for step in steps}
    return {
        "spectrum": plot_spectrum_scan(
            search.scan, masses=masses, mass_label=DIMUON_MASS, label=label
        ),
        "control": plot_spectrum_scan(
            search.control, masses=masses, mass_label=DIMUON_MASS, label=label
        ),
        "cut_flow": plot_cut_flow({"Events": events}, label=label),
    }
