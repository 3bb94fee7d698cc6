"""Tukey's smoother 353QH, twice, as ROOT's `TH1::Smooth` applies it.

Running medians of 3, 5 and 3 bins, quadratic interpolation of flat pieces, a running mean
(1, 2, 1) / 4, and all of that again for what is left over (J. H. Friedman, Proc. of the 1974 CERN
School of Computing, Norway).
"""

from __future__ import annotations

import numpy as np

from quarkline.templates.histograms import Array

FEWEST = 3
"""Values that can be smoothed; fewer stay as they are."""


def smooth_353qh(values: Array, times: int = 1) -> Array:
    """Smooth values of neighbouring bins, shape (n,), so many times; positive ones stay so."""
    smooth = np.array(values, float)
    if len(smooth) < FEWEST:
        return smooth
    for _ in range(times):
        first = _once(smooth)
        positive = smooth.min() >= 0
        smooth = first + _once(smooth - first)
        if positive:
            smooth = np.maximum(smooth, 0.0)
    return smooth


def _once(values: Array) -> Array:
    """The smoother without its second application."""
    three = _medians_of_3(values)
    three[0] = _end(values[0], three[1], three[2])
    three[-1] = _end(values[-1], three[-2], three[-3])
    bent = _bent(_medians_of_3(_medians_of_5(three)))
    means = bent.copy()
    means[1:-1] = 0.25 * bent[:-2] + 0.5 * bent[1:-1] + 0.25 * bent[2:]
    return means


def _medians_of_3(values: Array) -> Array:
    """Running medians of 3 values; those at the ends stay."""
    medians = values.copy()
    medians[1:-1] = _middle(values[:-2], values[1:-1], values[2:])
    return medians


def _medians_of_5(values: Array) -> Array:
    """Running medians of 5 values, of 3 beside the ends; those at the ends stay."""
    medians = _medians_of_3(values)
    if len(values) >= 5:
        first, second, third, fourth, fifth = (values[at : len(values) - 4 + at] for at in range(5))
        low = np.maximum(np.minimum(first, second), np.minimum(third, fourth))
        high = np.minimum(np.maximum(first, second), np.maximum(third, fourth))
        medians[2:-2] = _middle(low, high, fifth)
    return medians


def _middle(first: Array, second: Array, third: Array) -> Array:
    """Medians of three values each."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.maximum(low, np.minimum(high, third))


def _end(last: float, second: float, third: float) -> float:
    """Median of a value at the end, its neighbour, and the line through the next two."""
    return sorted((second, last, 3 * second - 2 * third))[1]


def _bent(values: Array) -> Array:
    """Flat pieces of three values that the values around them do not bracket, bent."""
    flat = values[1:] == values[:-1]
    flat_3 = flat[1:-2] & flat[2:-1]
    if not flat_3.any():
        return values
    left, right = values[:-4] - values[2:-2], values[4:] - values[2:-2]
    bent = values.copy()
    for at in 2 + np.flatnonzero(flat_3 & (left * right > 0)):
        side = -1 if abs(values[at + 2] - values[at]) > abs(values[at - 2] - values[at]) else 1
        near, far = values[at + 2 * side], values[at - 2 * side]
        bent[at] = -0.5 * far + values[at] / 0.75 + near / 6
        bent[at + side] = 0.5 * (near - far) + values[at]
    return bent
