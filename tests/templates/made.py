"""Small analyses with histograms made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from quarkline.catalog import Catalog
from quarkline.templates.build import Built, build_templates
from quarkline.templates.fill import HistRequest
from quarkline.templates.histograms import Histogram
from quarkline.templates.sets import Shift, Template


def histogram(contents, errors=None, *, flow=(0.0, 0.0), low: float = 0.0, width: float = 1.0):
    """A histogram whose errors are the roots of its contents, if none are given."""
    contents = np.asarray(contents, float)
    errors = np.sqrt(np.abs(contents)) if errors is None else np.asarray(errors, float)
    edges = low + width * np.arange(len(contents) + 1)
    sums = np.concatenate([flow[:1], contents, flow[1:]])
    squares = np.concatenate([np.abs(flow[:1]), errors**2, np.abs(flow[1:])])
    return Histogram(edges, sums, squares)


def analysis(**keys: Any) -> Catalog:
    """An analysis of histograms with one region `SR`, if nothing else is said."""
    return Catalog.model_validate({"reads": "histograms", "regions": {"SR": {}}, **keys})


def built(catalog: Catalog, **contents: Any) -> Built:
    """Templates of histograms by `sample`, or `sample__systematic__side`, the same everywhere."""
    histograms = {}
    for region in catalog.regions:
        for name, found in contents.items():
            sample, *rest = name.split("__")
            made = found if isinstance(found, Histogram) else histogram(found)
            histograms[HistRequest(sample, region, ":".join(rest))] = made
    return build_templates(catalog, histograms)


def template(made: Built, sample: str, region: str = "SR") -> Template:
    return made.templates.regions[region].templates[sample]


def shift(made: Built, sample: str, systematic: str, region: str = "SR") -> Shift:
    return template(made, sample, region).shifts[systematic]


def varied(**keys: Any) -> dict[str, Any]:
    """A systematic with both sides."""
    return {"kind": "varied", "up": {"weight": "u"}, "down": {"weight": "d"}, **keys}
