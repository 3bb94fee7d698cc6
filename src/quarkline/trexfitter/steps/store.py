"""The job's histogram files: filled histograms, of which templates are made when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import uproot

from quarkline.engine.core.findings import InputError, Place
from quarkline.engine.store.atomic import atomic_path
from quarkline.templates.build import build_templates
from quarkline.templates.fill import HistRequest
from quarkline.templates.histograms import Histogram
from quarkline.templates.sets import TemplateSet
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.outputs.text import UNREADABLE, missing

NOMINAL = "nominal"


def write_job_templates(
    job: Job, histograms: Mapping[HistRequest, Histogram], templates: TemplateSet
) -> list[Path]:
    """Write the filled histograms."""
    by_file: dict[Path, dict[HistRequest, Histogram]] = {}
    for request, histogram in histograms.items():
        path = job.histogram_file(request.region, written=True)
        by_file.setdefault(path, {})[request] = histogram
    for path, found in by_file.items():
        with atomic_path(path) as temporary, uproot.recreate(temporary) as file:
            for request, histogram in found.items():
                file[_name(request)] = root(histogram)
    return list(by_file)


def root(histogram: Histogram) -> object:
    edges = histogram.edges
    axis = uproot.writing.identify.to_TAxis(
        "xaxis", "", len(edges) - 1, edges[0], edges[-1], fXbins=edges
    )
    return uproot.writing.identify.to_TH1x(
        "h",
        "",
        histogram.sums,
        float(histogram.entries or 0),
        float(histogram.sums.sum()),
        float(histogram.squares.sum()),
        0.0,
        0.0,
        histogram.squares,
        axis,
    )


def _name(request: HistRequest) -> str:
    variation = request.variation.replace(":", "_") or NOMINAL
    return f"{request.region}/{request.sample}/{variation}"


def read_job_templates(job: Job) -> TemplateSet:
    """Read the templates."""
    from quarkline.templates.fill import requests_of

    found: dict[HistRequest, Histogram] = {}
    for request in requests_of(job.catalog):
        path = job.histogram_file(request.region, written=True)
        letter = "h" if job.catalog.reads == "histograms" else "n"
        if not path.is_file():
            raise missing(path, letter)
        try:
            with uproot.open(path) as file:
                hist = file[_name(request)]
                found[request] = Histogram(
                    hist.axis().edges().astype(float),
                    hist.values(flow=True).astype(float),
                    hist.variances(flow=True).astype(float),
                )
        except KeyError as error:
            raise InputError(UNREADABLE.finding(str(error), place=Place(path))) from error
    return build_templates(job.catalog, found).templates
