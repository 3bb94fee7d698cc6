"""Averages over neighbouring bins, with the width that foretells left-out bins best.

The averages are those of ROOT's `TGraphSmooth::SmoothKern`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from quarkline.templates.algebra import ratio
from quarkline.templates.histograms import Array, Histogram

SPANS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
"""Widths that are tried, in widths of the first bin."""
HALF = {"box": 0.5, "normal": 0.3706506}
"""Half of the width of a box, and the standard deviation of a Gaussian, whose quartiles lie at a
quarter of the span."""
REACH = {"box": 1.0, "normal": 4.0}
"""Distance beyond which bins do not count, in those units."""

Kernel = Literal["box", "normal"]


def kernel_smoothed(
    kernel: Kernel, nominal: Histogram, variation: Histogram, *, of_ratio: bool
) -> Array:
    """Contents of a variation whose ratio or difference to the nominal histogram is averaged.

    Args:
        kernel: "box" counts bins alike, "normal" with a Gaussian of the distance.
        nominal: Nominal histogram.
        variation: The same with the systematic at +1 or -1.
        of_ratio: Whether the ratio is averaged, 1 where the nominal histogram is empty; else the
            difference.
    """
    below, above = nominal.contents, variation.contents
    values = np.where(below == 0, 1.0, ratio(above, below)) if of_ratio else above - below
    centres = (nominal.edges[:-1] + nominal.edges[1:]) / 2
    width = float(nominal.edges[1] - nominal.edges[0])
    span = float(np.mean(_best_spans(kernel, centres, values, width)))
    smooth = _averages(_weights(kernel, centres, centres, span * width), values)
    return np.asarray(smooth * below if of_ratio else smooth + below)


def _best_spans(kernel: Kernel, centres: Array, values: Array, width: float) -> Array:
    """For each bin, the span whose averages without it are closest to all values, shape (n,)."""
    misses = [
        [_miss(kernel, centres, values, span * width, left_out) for left_out in range(len(values))]
        for span in SPANS
    ]
    return np.asarray(np.asarray(SPANS)[np.argmin(misses, axis=0)])


def _miss(kernel: Kernel, centres: Array, values: Array, span: float, left_out: int) -> float:
    """Squared distance of all values from the averages of all but one of them."""
    weights = _weights(kernel, np.delete(centres, left_out), centres, span)
    return float(np.square(_averages(weights, np.delete(values, left_out)) - values).sum())


def _weights(kernel: Kernel, points: Array, at: Array, span: float) -> Array:
    """Weight of each point in the average at each place, shape (places, points).

    As in ROOT, what counts begins with the last point beyond reach of the place before.
    """
    unit = HALF[kernel] * span
    reach = REACH[kernel] * unit
    first = np.searchsorted(points, at - reach)
    first[1:] = np.maximum(first[0], first[:-1] - 1)
    index = np.arange(len(points))
    near = (index >= first[:, None]) & (points <= at[:, None] + reach)
    if kernel == "box":
        return near.astype(float)
    return np.asarray(near * np.exp(-0.5 * ((points - at[:, None]) / unit) ** 2))


def _averages(weights: Array, values: Array) -> Array:
    """Weighted means, 0 without any weight."""
    return ratio(weights @ values, weights.sum(axis=1))
