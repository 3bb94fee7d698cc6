"""The Poisson term of a bin as a function of its expectation, also where that is not positive."""

from __future__ import annotations

import numpy as np

from quarkline.statistics.arrays import Floats

# Below it -n ln(x) goes on as its second-order expansion, so that a fit finds its way back.
LEAST = 1e-8


def terms(expected: Floats, counts: Floats) -> Floats:
    """X - n ln(x) for expectations x and counts n.

    Where n is 0, an expectation below 0 counts as 0. Where n is positive, below `LEAST` the term is
    continued by its expansion there to second order.
    """
    safe = np.maximum(expected, LEAST)
    below = np.minimum(expected - LEAST, 0.0) / LEAST
    observed = safe - counts * (np.log(safe) + below - below**2 / 2) + below * LEAST
    return np.where(counts > 0.0, observed, np.maximum(expected, 0.0))


def slopes(expected: Floats, counts: Floats) -> Floats:
    """First derivative of `terms` by the expectation."""
    safe = np.maximum(expected, LEAST)
    below = np.minimum(expected - LEAST, 0.0) / LEAST
    observed = 1.0 - counts / safe * (1.0 - below)
    return np.where(counts > 0.0, observed, np.where(expected >= 0.0, 1.0, 0.0))


def bends(expected: Floats, counts: Floats) -> Floats:
    """Second derivative of `terms` by the expectation."""
    return np.asarray(counts / np.maximum(expected, LEAST) ** 2)
