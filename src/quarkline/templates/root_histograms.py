"""Single histograms to and from ROOT files."""

from __future__ import annotations

from typing import Any

import numpy as np
from uproot.writing.identify import to_TAxis, to_TH1x

from quarkline.templates.histograms import Histogram


def root_histogram(name: str, histogram: Histogram) -> Any:
    """A `TH1D` that uproot writes; one of unknown entries gets the effective number."""
    edges = np.asarray(histogram.edges, float)
    centres = (edges[:-1] + edges[1:]) / 2
    sums, squares = histogram.contents, histogram.squares[1:-1]
    return to_TH1x(
        name,
        "",
        np.array(histogram.sums, float),
        float(_effective(histogram) if histogram.entries is None else histogram.entries),
        float(sums.sum()),
        float(squares.sum()),
        float((sums * centres).sum()),
        float((sums * centres**2).sum()),
        np.array(histogram.squares, float),
        to_TAxis("xaxis", "", len(centres), float(edges[0]), float(edges[-1]), fXbins=edges),
    )


def _effective(histogram: Histogram) -> float:
    total = histogram.squares.sum()
    return float(histogram.sums.sum() ** 2 / total) if total > 0 else 0.0


def read_histogram(stored: Any, *, counted: bool = True) -> Histogram:
    """A histogram of an open file.

    Args:
        stored: uproot's `TH1`.
        counted: Whether its number of entries is one.
    """
    sums = np.asarray(stored.values(flow=True), float)
    variances = stored.variances(flow=True)
    squares = np.abs(sums) if variances is None else np.asarray(variances, float)
    entries = int(stored.member("fEntries")) if counted else None
    return Histogram(np.asarray(stored.axis().edges(), float), sums, squares, entries)
