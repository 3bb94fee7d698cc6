"""Figures of the regions of one analysis, whose catalog says how samples and regions look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from matplotlib.figure import Figure

from quarkline.catalog import Catalog
from quarkline.catalog.looks import groups, looks, region_titles, titles
from quarkline.catalog.tlatex import typeset
from quarkline.figures.fits.composition import plot_pie_charts
from quarkline.figures.fits.merged import plot_merged
from quarkline.figures.fits.prediction import plot_prediction, plot_summary
from quarkline.figures.style import Label
from quarkline.templates.predictions import RegionPrediction


def signal_first(region: RegionPrediction) -> RegionPrediction:
    """The region with signals first: they are drawn on top of the stack, as in TRExFitter."""
    ordered = sorted(region.samples, key=lambda sample: sample.role != "signal")
    return replace(region, samples=tuple(ordered))


def draw_region(
    catalog: Catalog,
    region: RegionPrediction,
    *,
    before: RegionPrediction | None = None,
    label: Label | None = None,
) -> Figure:
    """Draw what is expected in a region of an analysis, and its data.

    Args:
        catalog: The analysis.
        region: The expectation.
        before: The expectation before the fit, drawn as a line.
        label: The line above the figure.
    """
    chosen = catalog.regions[region.region]
    lines = [line for line in (catalog.drawing.label, chosen.label or region.region) if line]
    return plot_prediction(
        signal_first(region),
        before=before,
        variable=chosen.title,
        title=", ".join(lines),
        drawing=catalog.drawing,
        region=chosen.drawing,
        samples=looks(catalog),
        titles=titles(catalog),
        groups=groups(catalog),
        label=_label_in(catalog, region.region, label),
    )


def _label_in(catalog: Catalog, region: str, label: Label | None) -> Label | None:
    """The line above the figure of a region, which may have another luminosity or energy."""
    drawing = catalog.regions[region].drawing
    if label is None or not (drawing.luminosity or drawing.energy):
        return label
    luminosity = drawing.luminosity or catalog.luminosity.label
    right = conditions(luminosity, drawing.energy or catalog.drawing.energy)
    return replace(label, luminosity=right)


def conditions(luminosity: str, energy: str) -> str:
    """Luminosity and energy as a figure has them, from texts as ROOT spells them."""
    parts = (typeset(luminosity), f"({typeset(energy)})" if energy else "")
    return " ".join(part for part in parts if part)


def draw_summary(
    catalog: Catalog,
    regions: Sequence[RegionPrediction],
    *,
    before: Sequence[RegionPrediction] = (),
    label: Label | None = None,
) -> Figure:
    """Draw the yields of regions of an analysis, a bin each.

    Args:
        catalog: The analysis.
        regions: The expectations.
        before: The same before the fit, drawn as a line.
        label: The line above the figure.
    """
    return plot_summary(
        [signal_first(region) for region in regions],
        before=before,
        title=catalog.drawing.label,
        drawing=catalog.drawing,
        samples=looks(catalog),
        titles=titles(catalog),
        regions=region_titles(catalog),
        groups=groups(catalog),
        label=label,
    )


def draw_merged(
    catalog: Catalog, regions: Sequence[RegionPrediction], *, label: Label | None = None
) -> Figure:
    """Draw regions of an analysis beside each other.

    Args:
        catalog: The analysis.
        regions: The expectations.
        label: The line above the figure.
    """
    return plot_merged(
        [signal_first(region) for region in regions],
        variables={name: region.title for name, region in catalog.regions.items()},
        drawing=catalog.drawing,
        drawings={name: region.drawing for name, region in catalog.regions.items()},
        samples=looks(catalog),
        titles=titles(catalog),
        regions=region_titles(catalog),
        groups=groups(catalog),
        label=label,
    )


def draw_pies(
    catalog: Catalog, regions: Sequence[RegionPrediction], *, label: Label | None = None
) -> Figure:
    """Draw the shares of the backgrounds in regions of an analysis.

    Args:
        catalog: The analysis.
        regions: The expectations.
        label: The line above the figure.
    """
    return plot_pie_charts(
        regions,
        samples=looks(catalog),
        titles=titles(catalog),
        regions=region_titles(catalog),
        groups=groups(catalog),
        label=label,
    )


def parameter_titles(catalog: Catalog, known: Mapping[str, str]) -> dict[str, str]:
    """Titles of parameters, the measured one's as figures have it.

    Args:
        catalog: The analysis.
        known: Titles of the likelihood's parameters.
    """
    chosen = catalog.drawing.poi_title
    return {**known, catalog.poi: chosen} if catalog.poi and chosen else dict(known)
