"""Bins whose data are hidden for too much signal."""

from __future__ import annotations

import numpy as np

from quarkline.catalog import Catalog, Hide
from quarkline.templates.expectation import Expectation
from quarkline.templates.histograms import Array

SMALL = 1e-9
"""Background below which a ratio to it counts as infinite."""


def hidden_bins(expectation: Expectation, catalog: Catalog) -> tuple[int, ...]:
    """Bins, from 0, whose ratio of signal to background exceeds the threshold."""
    hide = catalog.hide
    signal, background = (
        expectation.sum_of(
            name for name in expectation.samples if catalog.samples[name].role == role
        ).contents
        for role in ("signal", "background")
    )
    if hide.threshold is None or not signal.any():
        return ()
    return tuple(map(int, np.flatnonzero(_ratio(hide, signal, background) > hide.threshold)))


def _ratio(hide: Hide, signal: Array, background: Array) -> Array:
    """The ratio meant; infinite over no background, as in TRExFitter."""
    both = hide.ratio in ("s/(s+b)", "s/sqrt(s+b)")
    below = signal + background if both else background
    power = 0.5 if "sqrt" in hide.ratio else 1.0
    nothing = -1.0 if both else np.inf
    whole = np.full(np.broadcast(signal, below).shape, nothing)
    np.divide(signal, np.maximum(below, SMALL) ** power, out=whole, where=below > SMALL)
    return whole
