"""Figures of templates: pruning, separations, and stage `controls`, which draws systematics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quarkline.catalog import Catalog
from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.workflow.stage import Context
from quarkline.studies.search.fits.parts import catalog_of
from quarkline.studies.search.fits.results import Control, Controls, MadeTemplates
from quarkline.templates.restore import read_templates
from quarkline.templates.sets import RegionTemplates, Shift, TemplateSet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRIDS = ("pruning", "normalisation")
SEPARATION = "separation_"
"""What the names of the figures of separations begin with."""
FORMS = ("pdf", "png", "json")


def grid_figures(made: MadeTemplates) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The figures with a row a systematic: by name, what they show and of which systematics.

    Args:
        made: The templates of the run.
    """
    from quarkline.figures.fits.templates import MOST_ROWS, pages

    return {
        f"{kind}_{number}" if number else kind: (kind, page)
        for kind in GRIDS
        for number, page in enumerate(pages(made.systematics, MOST_ROWS))
    }


def template_items(
    made: MadeTemplates, catalog: Catalog, job: str, label: Mapping[str, str], folder: Path
) -> list[Item]:
    """The figures of pruning and separations, each an item of `draw_templates`.

    Args:
        made: The templates of the run.
        catalog: The analysis, as `parts.controlled_part` gives it.
        job: Name of the analysis.
        label: The line above figures.
        folder: The folder of the templates.
    """

    def item(name: str, chosen: Catalog, **args: Any) -> Item:
        shared = {"catalog": chosen.model_dump(mode="json"), "job": job, "label": dict(label)}
        return Item(name, shared | args, {"templates": folder})

    grids = [
        item(name, catalog, kind=kind, systematics=list(page))
        for name, (kind, page) in grid_figures(made).items()
    ]
    return grids + [
        item(f"{SEPARATION}{name}", _narrowed(catalog, name), kind="separation", region=name)
        for name in made.separations
    ]


def draw_templates(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: draw the pruning or changes of yields, or the separation of a region.

    Args:
        args: `kind`; `catalog`, `job` and `label`; the `systematics`, or the `region`.
        inputs: The folder of the `templates`.
        folder: Takes the figure as `figure`, in every form.
    """
    from quarkline import figures
    from quarkline.figures.fits.templates import draw_grid, draw_separation

    catalog, label = Catalog.model_validate(args["catalog"]), figures.Label(**args["label"])
    templates = read_templates(catalog, inputs["templates"], args["job"])
    figure: Figure | None
    if args["kind"] == "separation":
        name = args["region"]
        figure = draw_separation(catalog, name, templates.regions[name], label=label)
    else:
        figure = draw_grid(args["kind"], catalog, templates, args["systematics"], label=label)
    if figure is not None:
        figures.save(figure, folder / "figure")
        write_atomic(folder / "figure.svg", figures.to_svg(figure))
    return None


class ControlsStageConfig(Config):
    """What the figures of systematics depend on, besides templates.

    Attributes:
        job: Name of the analysis.
        catalog: The analysis, without files and what is measured.
        label: The line above figures.
    """

    job: str
    catalog: Catalog
    label: dict[str, str]


def run(context: Context) -> dict[str, Any]:
    """One item a systematic and region: its effect on every sample where pruning left it."""
    config: ControlsStageConfig = context.config
    folder = context.path("templates")
    templates = read_templates(config.catalog, folder, config.job)
    shown = tuple(controls_of(config.catalog, templates))
    by_item: dict[tuple[str, str], list[Control]] = {}
    for one in shown:
        by_item.setdefault((one.region, one.systematic), []).append(one)
    items = [
        Item(
            f"{region}/{systematic}",
            {
                "catalog": _narrowed(config.catalog, region, systematic).model_dump(mode="json"),
                "job": config.job,
                "label": config.label,
                "region": region,
                "systematic": systematic,
                "figures": {one.sample: one.figure for one in controls},
            },
            {"templates": folder},
        )
        for (region, systematic), controls in by_item.items()
    ]
    for done, controls in zip(
        context.map("control", draw_controls, items), by_item.values(), strict=True
    ):
        for one in controls:
            for form in FORMS:
                name = f"{one.figure}.{form}"
                context.place(done.folder / name, context.out / "controls" / name)
    (context.out / "controls").mkdir(exist_ok=True)
    context.summary(f"{len(shown)} figures")
    return {"controls": context.out / "controls", "drawn": Controls(shown)}


def controls_of(catalog: Catalog, templates: TemplateSet) -> Iterator[Control]:
    """The filled systematics that pruning left on simulated samples.

    Args:
        catalog: The analysis.
        templates: Its templates.
    """
    for name, region in templates.regions.items():
        for sample, template in region.templates.items():
            if catalog.samples[sample].role == "reference":
                continue
            for systematic, shift in template.shifts.items():
                kept = _kept(shift)
                if kept and (shift.filled_up is not None or shift.filled_down is not None):
                    figure = f"{name}_{sample}_{systematic}"
                    sides = (shift.norm_up, shift.norm_down)
                    yield Control(figure, name, sample, systematic, *sides, kept)


def _kept(shift: Shift) -> tuple[str, ...]:
    kept = {"norm": shift.norm_kept, "shape": shift.shape_kept and shift.shape_up is not None}
    return tuple(part for part, stays in kept.items() if stays)


def draw_controls(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: draw a systematic on samples of a region.

    Args:
        args: `catalog`, `job` and `label`; the `region` and the `systematic`; `figures`, the
            names of the figures by sample.
        inputs: The folder of the `templates`.
        folder: Takes the figures.
    """
    from quarkline import figures
    from quarkline.figures.fits.templates import draw_control

    catalog, label = Catalog.model_validate(args["catalog"]), figures.Label(**args["label"])
    name, systematic = args["region"], args["systematic"]
    region: RegionTemplates = read_templates(catalog, inputs["templates"], args["job"]).regions[
        name
    ]
    for sample, stem in args["figures"].items():
        figure = draw_control(catalog, name, region, sample, systematic, label=label)
        figures.save(figure, folder / stem, formats=FORMS)
    return None


def _narrowed(catalog: Catalog, region: str, systematic: str | None = None) -> Catalog:
    """The catalog with one region, and with one systematic or none: what is read then."""
    names: Sequence[str] = [systematic] if systematic else []
    return catalog_of(
        catalog,
        regions={region: catalog.regions[region]},
        systematics={name: catalog.systematics[name] for name in names},
    )
