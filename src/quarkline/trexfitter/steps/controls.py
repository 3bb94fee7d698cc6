"""Figures of every systematic on every sample in every region (`SystControlPlots`)."""

from __future__ import annotations

from quarkline.trexfitter.steps.inputs import Inputs
from quarkline.trexfitter.steps.work import Work


def draw_controls(work: Work, inputs: Inputs) -> None:
    """Nominal, up and down of each systematic, as filled and as the fit takes it."""
    from quarkline.figures.fits import plot_systematic

    catalog = work.catalog
    if not catalog.drawing.control_figures:
        return
    for region, found in inputs.templates.regions.items():
        work.tell(f"drawing systematics in {region}")
        for sample, template in found.templates.items():
            if catalog.samples[sample].role == "reference":
                continue
            for name in template.shifts:
                if catalog.systematics[name].kind == "independent":
                    continue
                titles = (
                    catalog.systematics[name].title or name,
                    catalog.samples[sample].title or sample,
                    catalog.regions[region].label or region,
                )
                figure = plot_systematic(
                    template,
                    name,
                    variable=catalog.regions[region].title,
                    titles=titles,
                    label=work.label,
                )
                work.draw(figure, work.layout.control(name, sample, region))
