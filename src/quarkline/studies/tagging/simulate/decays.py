"""Signal: pairs of long-lived scalars, of which at least one decays in the calorimeters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quarkline.studies.tagging.convert.matching import MAX_ETA, in_calorimeter
from quarkline.studies.tagging.simulate import geometry
from quarkline.studies.tagging.simulate.config import MassPoint
from quarkline.studies.tagging.simulate.geometry import Floats
from quarkline.studies.tagging.simulate.truth import Bools, Draws, TrueEvents, TrueJets, turned

LIGHT = 299.792458
"""Millimetres that light travels in a nanosecond."""
RECOIL = (20.0, 0.12)
"""Mean transverse momentum of H: a constant in GeV, and a share of its mass."""
RAPIDITY = (2.3, -0.2)
"""Width of the rapidity of H: at 1 GeV, and its change with the logarithm of the mass."""
LIKELIEST = 0.42
"""No particle decays in the calorimeters with a larger probability, for its best lifetime."""
RESPONSE = 0.12
"""Relative resolution of the momentum of a jet."""
ANGLE = 0.02
"""Resolution of the direction of a jet in eta and phi."""
CONTAINED = 1.3
"""Interaction lengths in which 1/e of the energy is left to deposit."""
ONE_JET = 0.5
"""Prongs that seem to be further apart than this are two jets, of which one is matched."""
EM_SHARE = (3.0, 3.0)
"""Exponents of the beta distribution of electromagnetic clusters in decays to b quarks."""
SHOWER = (0.16, 0.33)
"""Scale of electromagnetic showers in interaction lengths, in lead and in iron."""
CLUSTERS, PER_SPLIT = 1.6, 5.0
"""Mean number of hard clusters beside the hardest, and how it rises with the prongs' distance."""
SPREAD = 0.055
CHARGED = 0.012
"""Mean share of the momentum in prompt tracks, which are of the rest of the event."""


class _Scalars(NamedTuple):
    """Long-lived particles, each with shape (N, 2)."""

    pt: Floats
    eta: Floats
    phi: Floats
    boost: Floats  # momentum over mass


def draw_decays(n: int, point: MassPoint, pt: tuple[float, float], draws: Draws) -> TrueEvents:
    """Events of n tries in which a decay in the calorimeters gives a jet in a range of momenta.

    The first particle of a try is put into the calorimeters, and the try is kept with the
    probability that it decays there. The other one decays anywhere; if it gives a jet, too, half
    of the tries are kept, for they would come twice.
    """
    scalars = _scalars(n, point, draws("scalars"))
    length = 1000 * point.lifetime * scalars.boost
    draw = draws("decays")
    forced, chance = _inside(scalars.eta[:, 0], length[:, 0], draw)
    away = np.stack([forced, draw.exponential(size=n) * length[:, 1]], axis=1)
    jets, found = _jets(scalars, away, point, pt, draws("jets"))
    twice = found[:, 1] & (draw.random(n) < 0.5)
    kept = found[:, 0] & (draw.random(n) * LIKELIEST < chance) & ~twice
    event = np.cumsum(kept) - 1
    rows = (found & kept[:, None]).ravel()
    chosen = jets.take(rows)
    places = np.repeat(event, 2)[rows]
    return TrueEvents(
        int(kept.sum()),
        TrueJets(**(vars(chosen) | {"event": places})),
        np.ones(int(kept.sum()), np.float32),
        _llps(scalars, away, kept),
    )


def _scalars(n: int, point: MassPoint, draw: np.random.Generator) -> _Scalars:
    """Two-body decays of H in flight, isotropic in its rest frame."""
    heavy, light = point.mH, point.mS
    recoil = draw.exponential(RECOIL[0] + RECOIL[1] * heavy, n)
    rapidity = draw.normal(0, RAPIDITY[0] + RAPIDITY[1] * np.log(heavy), n)
    cos, azimuth, turn = draw.uniform(-1, 1, n), *draw.uniform(-np.pi, np.pi, (2, n))
    momentum = np.sqrt(heavy**2 / 4 - light**2)
    sin = np.sqrt(1 - cos**2)
    x, y, z = momentum * np.stack([sin * np.cos(azimuth), sin * np.sin(azimuth), cos])
    gamma, boost = np.hypot(heavy, recoil) / heavy, recoil / heavy
    sign = np.array([1.0, -1.0])
    px = gamma[:, None] * sign * x[:, None] + (boost * heavy / 2)[:, None]
    energy = (gamma * heavy / 2)[:, None] + boost[:, None] * sign * x[:, None]
    py, pz = sign * y[:, None], sign * z[:, None]
    pz = pz * np.cosh(rapidity)[:, None] + energy * np.sinh(rapidity)[:, None]
    pt = np.hypot(px, py)
    return _Scalars(
        pt.astype(np.float32),
        np.arcsinh(pz / pt).astype(np.float32),
        turned(np.arctan2(py, px) + turn[:, None]).astype(np.float32),
        (np.hypot(pt, pz) / light).astype(np.float32),
    )


def _inside(eta: Floats, length: Floats, draw: np.random.Generator) -> tuple[Floats, Floats]:
    """A flight that ends in the calorimeters, in mm, and the probability of that."""
    where = geometry.region(eta)
    begin, end = np.array(geometry.INSIDE)[where].T * geometry.slope(eta)
    far, near = np.exp(-end / length), np.exp(-begin / length)
    left = np.maximum(near - draw.random(len(eta)) * (near - far), 1e-300)
    return np.clip(-length * np.log(left), begin, end), near - far


def _jets(
    scalars: _Scalars,
    away: Floats,
    point: MassPoint,
    pt: tuple[float, float],
    draw: np.random.Generator,
) -> tuple[TrueJets, Bools]:
    """The jet of each particle, flat, and whether it decays where one is seen, shape (N, 2)."""
    eta, shape = scalars.eta, scalars.eta.shape
    where = geometry.region(eta)
    slope = geometry.slope(eta)
    across = away / slope
    depth = geometry.depth_at(where, across)
    left = (geometry.MOST[where] - depth) * slope
    held = 1 - np.exp(-left / CONTAINED)
    shrink = np.clip(1 - across / np.array(geometry.MIDDLE)[where], 0.05, 1)
    split = np.minimum(2 * point.mS / scalars.pt, np.pi) * shrink
    share = np.where(split > ONE_JET, draw.uniform(0.4, 0.8, shape), 1.0)
    seen = scalars.pt * share * held * (1 + RESPONSE * draw.standard_normal(shape))
    inside = in_calorimeter(eta, away / np.cosh(eta), away * np.tanh(eta))
    measured = eta + ANGLE * draw.standard_normal(shape)
    found = inside & (seen >= pt[0]) & (seen < pt[1]) & (np.abs(measured) <= MAX_ETA)
    late = away / LIGHT * (np.sqrt(1 + scalars.boost**-2.0) - 1)
    columns = {
        "pt": seen,
        "eta": measured,
        "phi": turned(scalars.phi + ANGLE * draw.standard_normal(shape)),
        "em": draw.beta(*EM_SHARE, shape),
        "depth": depth,
        "length": np.where(depth < geometry.LEAD, *SHOWER),
        "clusters": CLUSTERS + PER_SPLIT * split,
        "spread_eta": SPREAD * (0.4 + shrink),
        "spread_phi": SPREAD * (0.4 + shrink),
        "split": np.where(split > ONE_JET, 0, split),
        "delay": late,
        "charged": draw.exponential(CHARGED, shape),
        "leak": scalars.pt * share * (1 - held),
    }
    flat = {name: values.ravel().astype(np.float32) for name, values in columns.items()}
    n = found.size
    return TrueJets(event=np.arange(n), halo=np.zeros(n, bool), **flat), found


def _llps(scalars: _Scalars, away: Floats, kept: Bools) -> dict[str, np.ndarray]:
    columns = {
        "llp_eta": scalars.eta,
        "llp_phi": scalars.phi,
        "llp_Lxy": away / np.cosh(scalars.eta),
        "llp_Lz": away * np.tanh(scalars.eta),
        "llp_pT": scalars.pt,
    }
    return {name: values[kept].ravel().astype(np.float64) for name, values in columns.items()}
