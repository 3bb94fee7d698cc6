"""Layers of the calorimeters: where they lie, in millimetres and in interaction lengths.

Lengths are round numbers after the ATLAS detector (JINST 3 (2008) S08003, chapter 5); depths count
from the front of the electromagnetic calorimeter, across the layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

BARREL_ETA = 1.4
"""Below is the barrel, whose layers are cylinders; above are the endcaps, whose are discs."""
LAYERS = tuple(f"clus_l{layer}{part}" for part in ("ecal", "hcal") for layer in (1, 2, 3, 4))
ECAL = 4
"""How many of the layers are electromagnetic."""

_BARREL = (0.0, 0.11, 0.28, 0.96, 1.04, 1.3, 1.3, 2.8, 6.9, 8.7)
_ENDCAP = (0.0, 0.05, 0.28, 1.05, 1.18, 1.3, 2.6, 5.2, 7.8, 10.4)
EDGES = np.array([_BARREL, _ENDCAP], np.float32)
"""Where layers end, in interaction lengths, barrel and endcap: shape (2, 10).

The first electromagnetic layer begins at edge 0, the first hadronic one at edge 5; what lies
between edges 4 and 5 measures nothing. The barrel has no first hadronic layer.
"""
LEAD = 1.1
"""Where the electromagnetic calorimeters end, about."""
MOST = EDGES[:, -1]
"""Where the calorimeters end, barrel and endcap."""

_AT_BARREL = ((1450.0, 0.0), (1980.0, 1.04), (2290.0, 1.3), (3860.0, 8.7))
_AT_ENDCAP = ((3650.0, 0.0), (4250.0, 1.18), (4290.0, 1.3), (6100.0, 10.4))
FRONT = (1450.0, 3650.0)
"""Radius of the barrel and distance of the endcaps at depth 0, in mm."""
MIDDLE = (2600.0, 4800.0)
"""Where positions of clusters are seen from, in mm."""
INSIDE = ((1200.0, 4000.0), (3500.0, 6000.0))
"""Radii and distances of decays that the converter takes, in mm."""


def region(eta: Floats) -> NDArray[np.int64]:
    """0 in the barrel, 1 in the endcaps."""
    return (np.abs(eta) >= BARREL_ETA).astype(np.int64)


def depth_at(where: NDArray[np.int64], length: Floats) -> Floats:
    """Interaction lengths between the front and a radius or distance in mm; 0 before the front."""
    barrel, endcap = (np.interp(length, *np.array(points).T) for points in (_AT_BARREL, _AT_ENDCAP))
    found: Floats = np.where(where == 0, barrel, endcap).astype(np.float32)
    return found


def length_at(where: NDArray[np.int64], depth: Floats) -> Floats:
    """Radius or distance in mm of a depth in interaction lengths."""
    barrel, endcap = (
        np.interp(depth, *np.array(points).T[::-1]) for points in (_AT_BARREL, _AT_ENDCAP)
    )
    found: Floats = np.where(where == 0, barrel, endcap).astype(np.float32)
    return found


def slope(eta: Floats) -> Floats:
    """Path along the direction of flight over depth across the layers."""
    barrel = np.cosh(eta)
    return np.where(region(eta) == 0, barrel, 1 / np.maximum(np.abs(np.tanh(eta)), 0.1))
