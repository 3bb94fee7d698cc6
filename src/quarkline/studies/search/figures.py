"""Stage `figures`: every figure of the report, each an item of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quarkline.catalog import Catalog
from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.results import Result
from quarkline.engine.workflow.stage import Context
from quarkline.statistics.evaluation import Agreement
from quarkline.studies.search.drawings import DRAWINGS, INPUT, draw
from quarkline.studies.search.fits.figures import draw_of_fit, figure_items
from quarkline.studies.search.fits.results import MadeTemplates
from quarkline.studies.search.fits.template_figures import draw_templates, template_items

FORMS = ("pdf", "png", "json", "svg")


class FiguresStageConfig(Config):
    """What the figures depend on, besides the results.

    Attributes:
        job: Name of the analysis.
        label: The line above figures: `experiment`, `text` and `luminosity`.
        fills: By sample of a stack, the number of its fill and the colour that it is given.
        catalog: Titles and looks of samples and regions; None without a fit.
        templates: What figures of templates need of the analysis; None without a fit.
    """

    job: str
    label: dict[str, str]
    fills: dict[str, tuple[int, str | None]]
    catalog: Catalog | None
    templates: Catalog | None


def run(context: Context) -> dict[str, Any]:
    """One item a figure; those of the features only if there are data."""
    config: FiguresStageConfig = context.config
    label = config.label
    items = [
        Item(
            name,
            {"name": name, "result": result.as_json(), "label": label, "fills": config.fills},
        )
        for name, result in _drawn(context)
    ]
    folder = context.out / "figures"
    done = context.map("figure", draw, items)
    for item in done:
        for form in FORMS:
            context.place(item.folder / f"{item.name}.{form}", folder / f"{item.name}.{form}")
    number = len(done) + _draw_fit(context, folder)
    context.summary(f"{number} figures")
    return {"figures": folder}


def _draw_fit(context: Context, folder: Path) -> int:
    """The figures of the fit and of its templates, and how many."""
    config: FiguresStageConfig = context.config
    if config.catalog is None or config.templates is None:
        return 0
    results = {name: one for name, one in context.inputs.items() if isinstance(one, Result)}
    items = figure_items(results, config.catalog, config.label)
    done = context.map("fit", draw_of_fit, items)
    made, templates = context.result("made", MadeTemplates), context.path("templates")
    items = template_items(made, config.templates, config.job, config.label, templates)
    done += context.map("templates", draw_templates, items)
    for item in done:
        for form in FORMS:
            context.place(item.folder / f"figure.{form}", folder / f"{item.name}.{form}")
    return len(done)


def _drawn(context: Context) -> Iterator[tuple[str, Result]]:
    """Each figure with its result."""
    for name, drawing in DRAWINGS.items():
        if drawing.result in context.inputs:
            result = context.result(drawing.result, Result)
            if drawing.of(result) is not None:
                yield name, result
    if "agreement" in context.inputs:
        for feature in context.result("agreement", Agreement).features:
            yield input_figure(feature.name), feature.stack


def input_figure(feature: str) -> str:
    """The name of the figure of one feature."""
    return INPUT + re.sub(r"\W", "_", feature)
