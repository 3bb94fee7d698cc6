"""Jets that pass, and those nearest to something else in eta and phi."""

from __future__ import annotations

from typing import NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.convert.constituents import Floats, Ints, wrapped

Bools = NDArray[np.bool_]

MAX_ETA = 2.5
MATCHED = 0.4


class Objects(NamedTuple):
    """Objects of several events, flat.

    Attributes:
        event: Number of the event of each object, rising, with shape (N,).
        eta: Pseudorapidity.
        phi: Azimuth in rad.
    """

    event: Ints
    eta: Floats
    phi: Floats


def in_calorimeter(eta: Floats, lxy: Floats, lz: Floats) -> Bools:
    """Whether a particle decays in the calorimeters: lengths in mm.

    In the barrel, |eta| < 1.4, at radii of 1.2 to 4 m; in the endcaps at 3.5 to 6 m along the beam.
    """
    barrel = (np.abs(eta) < 1.4) & (lxy > 1200.0) & (lxy < 4000.0)
    endcap = (np.abs(eta) > 1.4) & (np.abs(lz) > 3500.0) & (np.abs(lz) < 6000.0)
    return barrel | endcap


def nearest(these: Objects, those: Objects) -> tuple[Ints, Floats]:
    """For each of these objects, the nearest of those in its event.

    Returns:
        Its place among those, -1 if its event has none, and the distance in eta and phi, infinite
        then. Of equally near ones the first.
    """
    start = np.searchsorted(those.event, these.event, "left")
    counts = np.searchsorted(those.event, these.event, "right") - start
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    other = np.repeat(start, counts) + place
    one = np.repeat(np.arange(len(these.event)), counts)
    eta = these.eta[one] - those.eta[other]
    phi = wrapped(these.phi[one] - those.phi[other])
    distances = ak.unflatten(np.hypot(eta, phi), counts)
    best = ak.argmin(distances, axis=1, keepdims=True)
    found = ak.fill_none(ak.firsts(best), -1).to_numpy()
    away = ak.fill_none(ak.min(distances, axis=1), np.inf).to_numpy()
    return np.where(found >= 0, start + found, -1), away
