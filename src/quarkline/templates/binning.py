"""Bins of the fit: what lies outside joins the edge bins, so many bins become one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quarkline.engine.core.findings import Rule
from quarkline.templates.histograms import Array, Histogram

BETWEEN = Rule(
    "QL-TEMPLATE-010",
    "new edges are edges of the filled bins",
    "A filled bin cannot be divided. Choose edges among those of the filled histogram, or fill "
    "finer bins.",
)


def fold_flow(histogram: Histogram) -> Histogram:
    """Add underflow and overflow to the first and last bin."""
    return replace(histogram, sums=_folded(histogram.sums), squares=_folded(histogram.squares))


def _folded(sums: Array) -> Array:
    inside = sums[1:-1].copy()
    inside[0] += sums[0]
    inside[-1] += sums[-1]
    return np.pad(inside, 1)


def merge_groups(histogram: Histogram, size: int) -> Histogram:
    """Merge so many bins into one; bins that are left over at the end join the overflow.

    Raises:
        ValueError: If there are not so many bins.
    """
    bins = len(histogram.edges) - 1
    if not 1 <= size <= bins:
        msg = f"{bins} bins cannot be merged by {size}"
        raise ValueError(msg)
    count = bins // size
    return histogram.merged(histogram.edges[: count * size + 1 : size])
