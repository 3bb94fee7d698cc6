"""What of an analysis each stage depends on, so that nothing else makes it run again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from quarkline.catalog import Catalog, Region, Sample, Variation, Varied
from quarkline.catalog.drawing import Drawing, RegionDrawing, SampleDrawing
from quarkline.catalog.files import Files
from quarkline.catalog.hide import Hide
from quarkline.catalog.systematics import Systematic

M = TypeVar("M", bound=BaseModel)

PLAIN_REGION = {"title": "", "label": "", "short_label": "", "tex_label": "", "group": ""}
PLAIN_SAMPLE = {"title": "", "tex_title": "", "group": "", "drawing": SampleDrawing()}
PLAIN_SYSTEMATIC = {"title": "", "tex_title": "", "category": "", "sub_category": ""}
UNMEASURED = {"fit": None, "ranking": None, "limit": None, "significance": None}


def catalog_of(config: Catalog, **changed: Any) -> Catalog:
    """The keys of the catalog alone, some of them changed."""
    names = Catalog.model_fields
    return Catalog.model_construct(**{name: getattr(config, name) for name in names} | changed)


def filled_part(catalog: Catalog) -> Catalog:
    """What templates depend on: all but titles, figures and what is measured.

    What hides data counts where regions leave hidden bins out.
    """
    hides = any(one.drop_hidden_bins for one in catalog.regions.values())
    return catalog_of(
        catalog,
        **UNMEASURED,
        hide=catalog.hide if hides else Hide(),
        samples=_changed(catalog.samples, PLAIN_SAMPLE),
        regions=_changed(catalog.regions, PLAIN_REGION | {"drawing": RegionDrawing()}),
        systematics=_changed(catalog.systematics, PLAIN_SYSTEMATIC),
        norm_factors=_changed(
            catalog.norm_factors, {"title": "", "category": "", "sub_category": ""}
        ),
        drawing=Drawing(),
    )


def measured_part(catalog: Catalog) -> Catalog:
    """What a measurement depends on besides templates: all but files and figures."""
    return catalog_of(
        catalog,
        files=Files(),
        samples=_changed(catalog.samples, {"files": Files(), "drawing": SampleDrawing()}),
        regions=_changed(catalog.regions, {"files": Files(), "drawing": RegionDrawing()}),
        systematics={name: _without_files(one) for name, one in catalog.systematics.items()},
        drawing=Drawing(
            chi2_errors=catalog.drawing.chi2_errors, scale_to_data=catalog.drawing.scale_to_data
        ),
    )


def controlled_part(catalog: Catalog) -> Catalog:
    """What figures of templates depend on besides templates: titles, and what is read and kept."""
    drawing = Drawing(validation_pruning=catalog.drawing.validation_pruning)
    return catalog_of(measured_part(catalog), **UNMEASURED, drawing=drawing)


def drawn_part(catalog: Catalog) -> Catalog:
    """What figures depend on besides results: titles and looks."""
    return Catalog(
        luminosity=catalog.luminosity,
        samples={
            name: Sample(role=one.role, title=one.title, group=one.group, drawing=one.drawing)
            for name, one in catalog.samples.items()
        },
        regions={
            name: Region(
                role=one.role,
                title=one.title,
                label=one.label,
                short_label=one.short_label,
                drop_bins=one.drop_bins,
                drawing=one.drawing,
            )
            for name, one in catalog.regions.items()
        },
        poi=catalog.poi,
        ranking=catalog.ranking,
        drawing=catalog.drawing,
    )


def _changed(named: Mapping[str, M], update: Mapping[str, Any]) -> dict[str, M]:
    return {name: one.model_copy(update=dict(update)) for name, one in named.items()}


def _without_files(systematic: Systematic) -> Systematic:
    if not isinstance(systematic, Varied):
        return systematic
    nothing = {"files": Files(), "reference_files": Files()}
    sides = {side: one.model_copy(update=nothing) for side, one in systematic.sides.items()}
    return systematic.model_copy(update=sides)


def with_places(catalog: Catalog) -> Catalog:
    """The catalog with numbers instead of folders, so that a stage may have them elsewhere."""
    numbers: dict[str, str] = {}

    def placed(files: Files) -> Files:
        found = [
            numbers.setdefault(folder, str(len(numbers))) + "/" * folder.endswith("/")
            for folder in files.folders
        ]
        return files.model_copy(update={"folders": found, "friends": []})

    def side(variation: Variation) -> Variation:
        update = {"files": placed(variation.files)}
        update |= {"reference_files": placed(variation.reference_files)}
        return variation.model_copy(update=update)

    def systematic(one: Systematic) -> Systematic:
        if not isinstance(one, Varied):
            return one
        return one.model_copy(update={name: side(each) for name, each in one.sides.items()})

    def holder(one: M) -> M:
        return one.model_copy(update={"files": placed(one.files)})  # type: ignore[attr-defined]

    return catalog_of(
        catalog,
        files=placed(catalog.files),
        samples={name: holder(one) for name, one in catalog.samples.items()},
        regions={name: holder(one) for name, one in catalog.regions.items()},
        systematics={name: systematic(one) for name, one in catalog.systematics.items()},
    )
