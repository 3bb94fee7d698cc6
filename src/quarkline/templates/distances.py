"""Whether two histograms are alike: the distance of their sums from the left, and toys of it."""

from __future__ import annotations

import numpy as np

from quarkline.engine.core.rng import rng
from quarkline.templates.histograms import Array, Histogram

TOYS = 1000
NONE = 1e-6
"""Sums below this are none."""


def alike(first: Histogram, second: Histogram) -> float:
    """Probability of a larger distance, as ROOT's `KolmogorovTest` with option X has it.

    Toys of both histograms have the shape of the first one and as many events as the errors say;
    one without errors is exact. The toys are always the same.

    Args:
        first: A histogram.
        second: Another one in the same bins.

    Returns:
        Share of toys whose distance is larger; 0 if a histogram is empty.
    """
    if min(abs(first.integral), abs(second.integral)) < NONE:
        return 0.0
    seen = np.abs(_rise(first.contents) - _rise(second.contents)).max()
    shape = np.maximum(first.contents, 0.0)
    random = rng(0, "templates", "alike")
    rises = [_toys(random, histogram, shape / shape.sum()) for histogram in (first, second)]
    return float((np.abs(rises[0] - rises[1]).max(axis=1) > seen).mean())


def _toys(random: np.random.Generator, histogram: Histogram, shape: Array) -> Array:
    """Rises of toys, shape (toys, n), or of the shape itself, shape (1, n)."""
    variance = histogram.squares[1:-1].sum()
    if variance <= 0:
        return _rise(shape)[None, :]
    events = int(histogram.integral**2 / variance)
    return _rise(random.multinomial(max(events, 1), shape, TOYS).astype(float))


def _rise(contents: Array) -> Array:
    """Sums from the left, relative to all."""
    sums = np.cumsum(contents, axis=-1)
    return np.asarray(sums / sums[..., -1:])
