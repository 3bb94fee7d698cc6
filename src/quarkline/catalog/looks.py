"""What an analysis calls its samples and regions, and how groups of samples look."""

from __future__ import annotations

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.drawing import SampleDrawing


def groups(catalog: Catalog) -> dict[str, str]:
    """What samples are drawn as: their group, or the title that they may share."""
    return {name: sample.group or sample.title or name for name, sample in catalog.samples.items()}


def titles(catalog: Catalog) -> dict[str, str]:
    """Titles of samples and groups."""
    return {drawn: drawn for drawn in groups(catalog).values()}


def looks(catalog: Catalog) -> dict[str, SampleDrawing]:
    """How groups look: as the first of their samples."""
    found: dict[str, SampleDrawing] = {}
    for name, drawn in groups(catalog).items():
        found.setdefault(drawn, catalog.samples[name].drawing)
    return found


def region_titles(catalog: Catalog) -> dict[str, str]:
    """Short titles of regions."""
    return {
        name: region.short_label or region.label or name for name, region in catalog.regions.items()
    }
