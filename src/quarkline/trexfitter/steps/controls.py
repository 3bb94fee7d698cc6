"""Figures of every systematic on every sample in every region (`SystControlPlots`)."""

from __future__ import annotations

from quarkline.trexfitter.steps.inputs import Inputs
from quarkline.trexfitter.steps.work import Work


def draw_controls(work: Work, inputs: Inputs) -> None:
    """Each systematic on every sample, and on their sum with data, as the job asks for."""
    drawing = work.catalog.drawing
    for region in inputs.templates.regions:
        if drawing.control_figures:
            work.tell(f"drawing systematics in {region}")
            _draw_on_samples(work, inputs, region)
        if "controls-with-data" in drawing.wanted:
            _draw_on_total(work, inputs, region)


def _draw_on_samples(work: Work, inputs: Inputs, region: str) -> None:
    """Nominal, up and down of each systematic, as filled and as the fit takes it."""
    from quarkline.figures.fits.templates import draw_control

    catalog, found = work.catalog, inputs.templates.regions[region]
    for sample, template in found.templates.items():
        if catalog.samples[sample].role == "reference":
            continue
        for name in template.shifts:
            if catalog.systematics[name].kind != "independent":
                figure = draw_control(catalog, region, found, sample, name, label=work.label)
                work.draw(figure, work.layout.control(name, region, sample))


def _draw_on_total(work: Work, inputs: Inputs, region: str) -> None:
    """The sum of all samples with each systematic, and data (`SystDataPlots`)."""
    from quarkline.figures.fits import plot_systematic_on_total

    catalog, found = work.catalog, inputs.templates.regions[region]
    samples = [
        name for name in found.templates if catalog.samples[name].role in ("signal", "background")
    ]
    names = [
        name
        for name, systematic in catalog.systematics.items()
        if systematic.kind != "independent"
        and any(name in found.templates[sample].shifts for sample in samples)
    ]
    for name in names:
        figure = plot_systematic_on_total(
            found,
            name,
            samples=samples,
            variable=catalog.regions[region].title,
            titles=(
                catalog.systematics[name].title or name,
                catalog.regions[region].label or region,
            ),
            label=work.label,
        )
        work.draw(figure, work.layout.control(name, region))
