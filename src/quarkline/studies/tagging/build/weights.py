"""Weights that give momenta of jets a wanted distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def matched_weights(
    momenta: Floats, weight: Floats, wanted: Floats, edges: tuple[float, ...]
) -> Floats:
    """Factors that give the weighted jets the wanted shares of bins, and keep their sum.

    Bins without jets are left out, and what they lack is shared by the others; jets outside all
    bins keep their weight.

    Args:
        momenta: Of the jets in GeV, with shape (N,).
        weight: Their weights, with shape (N,).
        wanted: Relative weight of each bin, with shape (bins,).
        edges: Of the bins, in GeV, with shape (bins + 1,).

    Returns:
        A factor for each jet, with shape (N,).
    """
    found = binned(momenta, weight, edges)
    usable = found > 0
    total = wanted[usable].sum()
    if not total > 0:
        return np.ones(len(momenta))
    shares = np.where(usable, wanted, 0.0) / total * found[usable].sum()
    factors = np.divide(shares, found, out=np.ones_like(shares), where=usable)
    place = np.searchsorted(edges, momenta, side="right") - 1
    inside = (place >= 0) & (place < len(found))
    return np.where(inside, factors[np.clip(place, 0, len(found) - 1)], 1.0)


def binned(momenta: Floats, weight: Floats, edges: tuple[float, ...]) -> Floats:
    """Sum of the weights in each bin [low, high), with shape (bins,)."""
    place = np.searchsorted(edges, momenta, side="right")
    counts = np.bincount(place, weights=weight, minlength=len(edges) + 1)
    return np.asarray(counts[1 : len(edges)], np.float64)


def effective(weight: Floats) -> float:
    """Effective number (sum w)^2 / sum w^2 of weighted jets; 0 of none."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0
