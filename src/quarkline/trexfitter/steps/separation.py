"""Shapes of signal and background, `a`."""

from __future__ import annotations

from quarkline.trexfitter.steps.inputs import Inputs
from quarkline.trexfitter.steps.work import Work


def draw(work: Work, inputs: Inputs) -> None:
    """A figure of each region that has both signal and background."""
    from quarkline.figures.fits.templates import draw_separation

    for name, region in inputs.templates.regions.items():
        figure = draw_separation(work.catalog, name, region, label=work.label)
        if figure is not None:
            work.draw(figure, work.layout.separation(name))
