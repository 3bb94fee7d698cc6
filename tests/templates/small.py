"""Small template sets, made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from quarkline.catalog import Catalog
from quarkline.templates.histograms import Histogram
from quarkline.templates.sets import RegionTemplates, Shift, Template, TemplateSet


def histogram(contents: list[float], errors: list[float] | None = None) -> Histogram:
    """A histogram in unit bins; errors of an unweighted sample if none are given."""
    values = np.array(contents, dtype=float)
    edges = np.arange(len(values) + 1, dtype=float)
    widths = np.sqrt(np.abs(values)) if errors is None else np.array(errors, dtype=float)
    return Histogram.of(edges, values, widths)


def shift(nominal: Histogram, up: list[float], down: list[float], **changes: Any) -> Shift:
    """What a systematic does, split as the fit takes it."""
    sides = [histogram(side) for side in (up, down)]
    norms = [side.integral / nominal.integral - 1 for side in sides]
    shapes = [side.contents / (1 + norm) for side, norm in zip(sides, norms, strict=True)]
    return Shift(*sides, None, None, *norms, *shapes, **changes)


def norm_shift(nominal: Histogram, up: float, down: float) -> Shift:
    """What a systematic does that changes the yield alone."""
    sides = [histogram(list(nominal.contents * (1 + by))) for by in (up, down)]
    return Shift(sides[0], sides[1], None, None, up, down, None, None)


CATALOG: dict[str, Any] = {
    "poi": "mu",
    "samples": {
        "data": {"role": "data"},
        "signal": {"role": "signal"},
        "top": {},
        "fakes": {},
        "alternative": {"role": "reference"},
    },
    "regions": {
        "CR": {"role": "control"},
        "SR": {"role": "signal", "label": "the signal"},
        "VR": {"role": "validation"},
    },
    "norm_factors": {
        "mu": {"samples": ["signal"], "max": 5, "title": "mu of it"},
        "k": {"samples": ["top"], "max": 3},
    },
    "systematics": {
        "JES": {"kind": "varied", "samples": ["top", "signal"], "category": "Instrumental"},
        "XS": {"kind": "normalisation", "up": 0.1, "down": -0.1, "samples": ["fakes"]},
    },
    "templates": {"mc_statistics_threshold": 0.01},
    "fit": {},
}


def catalog(**changes: Any) -> Catalog:
    """The analysis of the small templates, with some keys of parts changed."""
    data = {
        key: dict(value) if isinstance(value, dict) else value for key, value in CATALOG.items()
    }
    for path, value in changes.items():
        *into, last = path.split("__")
        part = data
        for key in into:
            part[key] = dict(part.get(key, {}))
            part = part[key]
        part[last] = value
    return Catalog.model_validate(data)


def templates() -> TemplateSet:
    """Two samples with a systematic, one without, in three regions of two bins."""
    return TemplateSet({name: _region(scale) for name, scale in SCALES.items()})


SCALES = {"CR": 1.0, "SR": 0.5, "VR": 0.2}


def _region(scale: float) -> RegionTemplates:
    signal, top, fakes = (
        histogram([scale * value for value in contents], [scale * error for error in errors])
        for contents, errors in (
            ((4, 20), (0.2, 0.6)),
            ((100, 60), (3.0, 2.5)),
            ((30, 10), (2.0, 1.0)),
        )
    )
    jes = [[scale * value for value in contents] for contents in ((105, 66), (96, 55))]
    jes_signal = [[scale * value for value in contents] for contents in ((4.4, 20.5), (3.7, 19.4))]
    known = {
        "signal": Template(signal, signal, {"JES": shift(signal, *jes_signal)}),
        "top": Template(top, top, {"JES": shift(top, *jes)}),
        "fakes": Template(fakes, fakes, {"XS": norm_shift(fakes, 0.1, -0.1)}),
        "alternative": Template(top, top),
    }
    data = histogram([round(scale * 141), round(scale * 88)])
    return RegionTemplates(top.edges, known, data)
