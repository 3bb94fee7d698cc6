"""Shapes of signal and background, `a`."""

from __future__ import annotations

from quarkline.trexfitter.steps.inputs import Inputs
from quarkline.trexfitter.steps.work import Work


def draw(work: Work, inputs: Inputs) -> None:
    """A figure of each region that has both signal and background."""
    from quarkline.figures.fits import plot_separation

    catalog = work.catalog
    for name, region in inputs.templates.regions.items():
        by_role = {
            role: [
                sample
                for sample in catalog.samples
                if sample in region.templates and catalog.samples[sample].role == role
            ]
            for role in ("signal", "background")
        }
        if not all(by_role.values()):
            continue
        chosen = catalog.regions[name]
        figure = plot_separation(
            region,
            signal=by_role["signal"],
            background=by_role["background"],
            variable=chosen.title,
            title=chosen.label or name,
            label=work.label,
        )
        work.draw(figure, work.layout.separation(name))
