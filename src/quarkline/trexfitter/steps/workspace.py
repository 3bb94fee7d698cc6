"""Pruning and the likelihood for others, `w`: text, figures, HistFactory's XML, pyhf's JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from quarkline.catalog.looks import region_titles
from quarkline.engine.core.findings import InputError, Severity
from quarkline.engine.core.results import pretty_json
from quarkline.statistics.likelihood.spec_json import spec_as_json
from quarkline.statistics.likelihood.workspace_export import workspace_from_spec
from quarkline.templates.histfactory import write_histfactory
from quarkline.trexfitter.outputs.pruning import pruned, pruning_text
from quarkline.trexfitter.steps.inputs import Inputs
from quarkline.trexfitter.steps.work import Work

MOST_ROWS = 70
"""Systematics of one figure, as in TRExFitter."""


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
    from quarkline.figures.fits import pages, plot_normalisation, plot_pruning

    catalog, templates = work.catalog, inputs.templates
    names = [name for name, one in catalog.systematics.items() if one.kind != "independent"]
    regions = [
        name
        for name, region in catalog.regions.items()
        if name in templates.regions
        and (catalog.drawing.validation_pruning or region.role != "validation")
    ]
    samples = [
        name for name, sample in catalog.samples.items() if sample.role in ("signal", "background")
    ]
    plots = {"Pruning": plot_pruning}
    if "normalisation" in catalog.drawing.wanted:
        plots["NormalisationPlot"] = plot_normalisation
    for number, page in enumerate(pages(names, MOST_ROWS) if names and regions else []):
        for stem, plot in plots.items():
            figure = plot(
                templates,
                regions=regions,
                samples=samples,
                systematics=page,
                titles=_titles(work),
                label=work.label,
            )
            numbered = stem == "Pruning" or number
            work.draw(figure, work.layout.figure(stem, end=f"_{number}" if numbered else ""))


def _titles(work: Work) -> dict[str, str]:
    """Titles of regions, samples and systematics."""
    catalog = work.catalog
    found = {name: sample.title or name for name, sample in catalog.samples.items()}
    found |= {name: one.title or name for name, one in catalog.systematics.items()}
    return found | region_titles(catalog)
