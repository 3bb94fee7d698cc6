"""Beam-induced background: muons along the beam that radiate in the hadronic calorimeters."""

from __future__ import annotations

import numpy as np

from quarkline.studies.tagging.simulate import geometry
from quarkline.studies.tagging.simulate.decays import LIGHT
from quarkline.studies.tagging.simulate.geometry import Floats
from quarkline.studies.tagging.simulate.multijets import jets_of_partons
from quarkline.studies.tagging.simulate.truth import Bools, Draws, TrueEvents, TrueJets, turned

FALL, THRESHOLD = 3.0, 52.0
"""Power of the momentum with which their number falls, and where the trigger begins, in GeV."""
BARREL_SHARE = 0.72
ALONG = 1700.0
"""Width of where they radiate along the beam in the barrel, in mm."""
DEEP = (2.2, 1.8)
"""Mean depth in the hadronic calorimeter at which they radiate, barrel and endcap."""
THIN = 0.06
"""Scale across the layers of a shower along the beam, in interaction lengths."""
INCOMING = 0.06
"""Share of muons that radiate before they pass the collision."""
IN_PLANE, PLANE_WIDTH = 0.4, 0.3
"""Share that the magnets bend into the plane of the ring, and its width in azimuth in rad."""
CLUSTERS = 0.25
SPREAD_ETA, SPREAD_PHI = 0.06, 0.02
LEAST_ETA, MOST_ETA = 1.45, 2.45


def draw_halo(n: int, pt: tuple[float, float], impurity: float, draws: Draws) -> TrueEvents:
    """Events with one jet that a trigger takes for beam-induced background.

    Args:
        n: Number of events.
        pt: Range of momenta in GeV.
        impurity: Fraction of the jets that are multijets.
        draws: Gives a generator for each purpose.
    """
    draw = draws("halo")
    least = THRESHOLD if pt[0] < THRESHOLD < pt[1] else pt[0]
    near, far = least ** (1 - FALL), pt[1] ** (1 - FALL)
    momentum = (near - draw.random(n) * (near - far)) ** (1 / (1 - FALL))
    halo, other = _radiated(momentum, draw), _multijets(momentum, draws("impurity"))
    impure = draw.random(n) < impurity
    columns = {
        name: np.where(impure, values, getattr(halo, name)) for name, values in vars(other).items()
    }
    return TrueEvents(n, TrueJets(**columns), np.ones(n, np.float32), {})


def _multijets(pt: Floats, draw: np.random.Generator) -> TrueJets:
    eta = np.clip(1.2 * draw.standard_normal(len(pt)), -MOST_ETA, MOST_ETA)
    return jets_of_partons(pt, eta, draw.uniform(-np.pi, np.pi, len(pt)), draw)


def _radiated(pt: Floats, draw: np.random.Generator) -> TrueJets:
    n = len(pt)
    barrel = draw.random(n) < BARREL_SHARE
    where = (~barrel).astype(np.int64)
    depth = geometry.EDGES[0, 5] + draw.exponential(np.array(DEEP)[where])
    depth = np.minimum(depth, geometry.MOST[where] - 0.3)
    length = geometry.length_at(where, depth)
    eta, along, across = _place(barrel, length, draw)
    incoming = draw.random(n) < INCOMING
    columns = {
        "pt": pt,
        "eta": eta,
        "phi": _azimuth(n, draw),
        "em": np.ones(n),
        "depth": depth,
        "length": np.where(barrel, THIN, 0.33),
        "clusters": np.full(n, CLUSTERS),
        "spread_eta": np.full(n, SPREAD_ETA),
        "spread_phi": np.full(n, SPREAD_PHI),
        "split": np.zeros(n),
        "delay": arrival(along, across, incoming),
        "charged": np.zeros(n),
        "leak": np.zeros(n),
    }
    flat = {name: values.astype(np.float32) for name, values in columns.items()}
    return TrueJets(event=np.arange(n), halo=np.ones(n, bool), **flat)


def _place(
    barrel: Bools, length: Floats, draw: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Pseudorapidity, distance along the beam and radius in mm of where a muon radiates."""
    n = len(barrel)
    reach = length * np.sinh(geometry.BARREL_ETA)
    along = np.clip(ALONG * draw.standard_normal(n), -0.99 * reach, 0.99 * reach)
    endcap = draw.choice(np.array([-1, 1]), n) * draw.uniform(LEAST_ETA, MOST_ETA, n)
    eta = np.where(barrel, np.arcsinh(along / length), endcap)
    along = np.where(barrel, along, np.sign(endcap) * length)
    return eta, along, np.where(barrel, length, length / np.sinh(np.abs(endcap)))


def arrival(along: Floats, across: Floats, incoming: Bools) -> Floats:
    """Time in ns at which a muon along the beam is early, negative, at a place in mm.

    It passes the collision at time 0 with the speed of light; the calorimeters' clocks start when
    light from the collision arrives: `(+-|z| - sqrt(r^2 + z^2)) / c`, minus for one that still
    flies towards the collision.
    """
    flight = np.where(incoming, -1, 1) * np.abs(along)
    return (flight - np.hypot(along, across)) / LIGHT


def _azimuth(n: int, draw: np.random.Generator) -> Floats:
    plane = np.pi * draw.integers(0, 2, n) + PLANE_WIDTH * draw.standard_normal(n)
    any_ = draw.uniform(-np.pi, np.pi, n)
    return turned(np.where(draw.random(n) < IN_PLANE, plane, any_))
