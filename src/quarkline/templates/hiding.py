"""Bins whose data are hidden for too much signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from quarkline.catalog import Catalog, Hide
from quarkline.templates.histograms import Array

if TYPE_CHECKING:
    from quarkline.templates.expectation import Expectation

SMALL = 1e-9
"""Background below which a ratio to it counts as infinite."""


def hidden_bins(expectation: Expectation, catalog: Catalog) -> tuple[int, ...]:
    """Bins, from 0, whose ratio of signal to background exceeds the threshold."""
    signal, background = (
        expectation.sum_of(
            name for name in expectation.samples if catalog.samples[name].role == role
        ).contents
        for role in ("signal", "background")
    )
    return bins_above(catalog.hide, signal, background) if signal.any() else ()


def bins_above(hide: Hide, signal: Array, background: Array | None) -> tuple[int, ...]:
    """Bins, from 0, whose ratio of signal to background exceeds the threshold.

    Args:
        hide: The ratio and its threshold.
        signal: Expected events of all signals.
        background: The same of all backgrounds; None if there are none.
    """
    if hide.threshold is None:
        return ()
    return tuple(map(int, np.flatnonzero(_ratio(hide, signal, background) > hide.threshold)))


def _ratio(hide: Hide, signal: Array, background: Array | None) -> Array:
    """The ratio meant; infinite over no background, as in TRExFitter."""
    both = hide.ratio in ("s/(s+b)", "s/sqrt(s+b)")
    if background is None and not both:
        return np.full(signal.shape, -1.0)
    behind = np.zeros_like(signal) if background is None else background
    below = signal + behind if both else behind
    power = 0.5 if "sqrt" in hide.ratio else 1.0
    nothing = -1.0 if both else np.inf
    whole = np.full(np.broadcast(signal, below).shape, nothing)
    np.divide(signal, np.maximum(below, SMALL) ** power, out=whole, where=below > SMALL)
    return whole


def shows_no_data(catalog: Catalog, region: str) -> bool:
    """Whether a region is shown without data: it is blind, or fitted to Asimov data."""
    chosen = catalog.regions[region]
    hides = catalog.hide.signal_regions and chosen.role == "signal"
    return hides or chosen.blind or chosen.data == "asimov"
