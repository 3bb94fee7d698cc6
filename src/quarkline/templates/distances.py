"""Whether two histograms are alike: Kolmogorov's test of binned contents."""

from __future__ import annotations

import numpy as np
from scipy.special import kolmogorov

from quarkline.templates.histograms import Histogram


def alike(first: Histogram, second: Histogram) -> float:
    """Probability of a larger distance of two histograms of one parent; 0 if one is empty."""
    totals = (first.integral, second.integral)
    if min(map(abs, totals)) < 1e-6:
        return 0.0
    sums = [np.cumsum(h.contents) / total for h, total in zip((first, second), totals, strict=True)]
    largest = float(np.abs(sums[0] - sums[1]).max())
    counts = [
        total * total / variance
        for h, total in zip((first, second), totals, strict=True)
        if (variance := float(h.squares[1:-1].sum())) > 0
    ]
    effective = 1 / sum(1 / count for count in counts) if counts else 0.0
    return float(kolmogorov(largest * np.sqrt(effective)))
