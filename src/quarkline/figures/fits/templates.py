"""Figures of the templates of one analysis: what pruning kept, separations, systematics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.figure import Figure

from quarkline.catalog import Catalog
from quarkline.catalog.looks import region_titles
from quarkline.figures.fits.grids import plot_normalisation, plot_pruning
from quarkline.figures.fits.rows import pages
from quarkline.figures.fits.shapes import plot_separation
from quarkline.figures.fits.systematics import plot_systematic
from quarkline.figures.style import Label
from quarkline.templates.separation import separated
from quarkline.templates.sets import RegionTemplates, TemplateSet

MOST_ROWS = 70
"""Systematics of one figure, as in TRExFitter."""
GRIDS: dict[str, Callable[..., Figure]] = {
    "pruning": plot_pruning,
    "normalisation": plot_normalisation,
}
"""Figures with a row a systematic and a column a sample."""


def grid_pages(catalog: Catalog) -> list[tuple[str, ...]]:
    """The systematics of each of as many figures as are needed for all; none without any.

    Args:
        catalog: The analysis.
    """
    names = [name for name, one in catalog.systematics.items() if one.kind != "independent"]
    return pages(names, MOST_ROWS) if names else []


def draw_grid(
    kind: str,
    catalog: Catalog,
    templates: TemplateSet,
    systematics: Sequence[str],
    *,
    label: Label | None = None,
) -> Figure:
    """Draw what pruning kept of systematics, or what they do to yields.

    Validation regions are in it only if `drawing.validation_pruning` says so.

    Args:
        kind: Which of `GRIDS`.
        catalog: The analysis.
        templates: Its templates.
        systematics: The systematics of this figure.
        label: The line above the figure.
    """
    titles = {name: sample.title or name for name, sample in catalog.samples.items()}
    titles |= {name: one.title or name for name, one in catalog.systematics.items()}
    return GRIDS[kind](
        templates,
        regions=shown_regions(catalog, templates),
        samples=[
            name
            for name, sample in catalog.samples.items()
            if sample.role in ("signal", "background")
        ],
        systematics=systematics,
        titles=titles | region_titles(catalog),
        label=label,
    )


def shown_regions(catalog: Catalog, templates: TemplateSet) -> list[str]:
    """The regions whose pruning is shown.

    Args:
        catalog: The analysis.
        templates: Its templates.
    """
    return [
        name
        for name, region in catalog.regions.items()
        if name in templates.regions
        and (catalog.drawing.validation_pruning or region.role != "validation")
    ]


def draw_separation(
    catalog: Catalog, name: str, region: RegionTemplates, *, label: Label | None = None
) -> Figure | None:
    """Draw the shapes of signal and background in a region; None if it lacks either.

    Args:
        catalog: The analysis.
        name: Name of the region.
        region: Its templates.
        label: The line above the figure.
    """
    found = separated(catalog, region)
    if found is None:
        return None
    chosen = catalog.regions[name]
    return plot_separation(
        region,
        signal=found[0],
        background=found[1],
        variable=chosen.title,
        title=chosen.label or name,
        label=label,
    )


def draw_control(
    catalog: Catalog,
    name: str,
    region: RegionTemplates,
    sample: str,
    systematic: str,
    *,
    label: Label | None = None,
) -> Figure:
    """Draw a systematic on a sample in a region, as it was filled and as the fit takes it.

    Args:
        catalog: The analysis.
        name: Name of the region.
        region: Its templates.
        sample: Name of the sample.
        systematic: Name of the systematic.
        label: The line above the figure.
    """
    chosen = catalog.regions[name]
    return plot_systematic(
        region.templates[sample],
        systematic,
        variable=chosen.title,
        titles=(
            catalog.systematics[systematic].title or systematic,
            catalog.samples[sample].title or sample,
            chosen.label or name,
        ),
        label=label,
    )
