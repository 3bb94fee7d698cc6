"""`Histograms/<region>_preFit.root` and `_postFit.root`: what the figure of a region shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import uproot
from uproot.writing.identify import to_TAxis, to_TH1x

from quarkline.engine.store.atomic import atomic_path
from quarkline.templates.predictions import RegionPrediction


def write_region_histograms(path: Path, region: RegionPrediction) -> Path:
    """Write the total with its whole error, and samples, as histograms of ROOT.

    Names are TRExFitter's: `h_tot`, `h_<sample>`, with `_postFit` after a fit; data are `h_data`.

    Args:
        path: The file.
        region: What is expected.
    """
    end = "_postFit" if region.after_fit else ""
    named = {f"h_tot{end}": (region.contents, region.errors)}
    for sample in region.samples:
        named[f"h_{sample.name}{end}"] = (sample.contents, sample.errors)
    if region.data is not None:
        named["h_data"] = (region.data, tuple(np.sqrt(np.abs(region.data))))
    with atomic_path(path) as temporary, uproot.recreate(temporary) as file:
        for name, (contents, errors) in named.items():
            file[name] = root_histogram(name, region.edges, contents, errors)
    return path


def root_histogram(
    name: str, edges: Sequence[float], contents: Sequence[float], errors: Sequence[float]
) -> object:
    """A TH1D with errors and nothing outside its bins."""
    sums = np.pad(np.asarray(contents, dtype=np.float64), 1)
    squares = np.pad(np.square(np.asarray(errors, dtype=np.float64)), 1)
    bins = np.asarray(edges, dtype=np.float64)
    axis = to_TAxis("xaxis", "", len(bins) - 1, bins[0], bins[-1], fXbins=bins)
    moments = (sums.sum(), squares.sum(), 0.0, 0.0)
    return to_TH1x(name, "", sums, sums.sum(), *moments, squares, axis)
