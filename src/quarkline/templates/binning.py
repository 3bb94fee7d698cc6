"""Bins of the fit: what lies outside joins the edge bins, fine bins are merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from quarkline.templates.histograms import Array, Histogram

CLOSE = 1e-6
"""Largest distance of two edges that are the same, in widths of a fine bin."""


def fold_flow(histogram: Histogram) -> Histogram:
    """Add underflow and overflow to the first and last bin."""
    return replace(histogram, sums=_folded(histogram.sums), squares=_folded(histogram.squares))


def _folded(sums: Array) -> Array:
    inside = sums[1:-1].copy()
    inside[0] += sums[0]
    inside[-1] += sums[-1]
    return np.pad(inside, 1)


def merge_to_edges(histogram: Histogram, edges: Array) -> Histogram:
    """Merge bins to those between other edges; a bin goes where its centre lies.

    Args:
        histogram: With finer bins.
        edges: Edges of the new bins, shape (m + 1,), rising; what lies outside is underflow or
            overflow.
    """
    centres = (histogram.edges[:-1] + histogram.edges[1:]) / 2
    inside = np.searchsorted(edges, centres, side="right")
    return _merged(histogram, np.asarray(edges, float), np.concatenate([[0], inside, [len(edges)]]))


def merge_groups(histogram: Histogram, size: int) -> Histogram:
    """Merge so many bins into one; bins that are left over at the end join the overflow."""
    count = (len(histogram.edges) - 1) // size
    edges = histogram.edges[: count * size + 1 : size]
    groups = 1 + np.arange(len(histogram.edges) - 1) // size
    return _merged(histogram, edges, np.concatenate([[0], groups, [count + 1]]))


def _merged(histogram: Histogram, edges: Array, target: Array) -> Histogram:
    """The sums of all bins that have the same target, which counts from 0, the underflow."""
    length = len(edges) + 1
    into = target.astype(np.int64)
    return replace(
        histogram,
        edges=edges,
        sums=np.bincount(into, histogram.sums, length).astype(float),
        squares=np.bincount(into, histogram.squares, length).astype(float),
    )


def edges_between(fine: Array, edges: Sequence[float]) -> list[float]:
    """The edges that are no edges of the fine bins, and lie among them."""
    width = float(np.diff(fine).min())
    asked = np.asarray(edges, float)
    asked = asked[(asked > fine[0]) & (asked < fine[-1])]
    distance = np.abs(asked[:, None] - fine[None, :]).min(axis=1, initial=np.inf)
    return [float(edge) for edge in asked[distance > CLOSE * width]]
