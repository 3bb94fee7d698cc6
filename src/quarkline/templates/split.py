"""A variation as a change of the yield and a change of the shape."""

from __future__ import annotations

import numpy as np

from quarkline.templates.algebra import positive_sum
from quarkline.templates.histograms import Array, Histogram


def norm_of(nominal: Histogram, side: Histogram) -> float:
    """Relative change of the yield; negative bins do not count, and 0 events do not change."""
    total = positive_sum(nominal)
    return positive_sum(side) / total - 1 if total else 0.0


def shape_of(nominal: Histogram, side: Histogram) -> Array | None:
    """Contents of a variation scaled to the nominal yield; None in a single bin.

    A variation without events has the nominal shape.
    """
    if len(nominal.contents) == 1:
        return None
    total = positive_sum(side)
    if total <= 0:
        return np.array(nominal.contents)
    return np.asarray(side.contents * (positive_sum(nominal) / total))
