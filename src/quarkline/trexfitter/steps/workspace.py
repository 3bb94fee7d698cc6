"""Pruning and the likelihood for others, `w`: text, figures, HistFactory's XML, pyhf's JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from quarkline.engine.core.findings import InputError, Severity
from quarkline.engine.core.results import pretty_json
from quarkline.statistics.likelihood.spec_json import spec_as_json
from quarkline.statistics.likelihood.workspace_export import workspace_from_spec
from quarkline.templates.histfactory import write_histfactory
from quarkline.trexfitter.outputs.pruning import pruned, pruning_text
from quarkline.trexfitter.steps.inputs import Inputs
from quarkline.trexfitter.steps.work import Work


def build(work: Work, inputs: Inputs) -> None:
    """Write what pruning left, and the likelihood of the fitted regions."""
    work.tell("building the likelihood")
    write_pruning(work, inputs)
    _export(work, inputs)


def write_pruning(work: Work, inputs: Inputs) -> None:
    """Write what pruning left, as text and as figures."""
    found = pruned(
        inputs.templates, work.catalog, validation=work.catalog.drawing.validation_pruning
    )
    work.write(work.layout.pruning, pruning_text(found))
    draw_pruning(work, inputs)


def _export(work: Work, inputs: Inputs) -> None:
    """Write the likelihood; a format that cannot say it is left out, and a finding says so."""
    spec = inputs.likelihood.spec
    work.write(work.layout.likelihood, pretty_json(spec_as_json(spec)))
    folder = work.layout.likelihood.parent
    named = replace(spec, name=f"{spec.name}{work.job.suffix}")
    with _told(work):
        work.files += write_histfactory(named, folder, templates=inputs.templates)
    with _told(work):
        work.write(work.layout.workspace, pretty_json(workspace_from_spec(spec)))


@contextmanager
def _told(work: Work) -> Iterator[None]:
    """What cannot be said becomes a warning."""
    try:
        yield
    except InputError as error:
        work.findings += [replace(one, severity=Severity.WARNING) for one in error.findings]


def draw_pruning(work: Work, inputs: Inputs) -> None:
    """Figures of what pruning left, and of what systematics do to yields."""
    from quarkline.figures.fits.templates import draw_grid, grid_pages, shown_regions

    catalog, templates = work.catalog, inputs.templates
    stems = {"pruning": "Pruning"}
    if "normalisation" in catalog.drawing.wanted:
        stems["normalisation"] = "NormalisationPlot"
    any_region = bool(shown_regions(catalog, templates))
    for number, page in enumerate(grid_pages(catalog) if any_region else []):
        for kind, stem in stems.items():
            figure = draw_grid(kind, catalog, templates, page, label=work.label)
            numbered = kind == "pruning" or number
            work.draw(figure, work.layout.figure(stem, end=f"_{number}" if numbered else ""))
