"""Clusters of cells: energies in the layers of the calorimeters, positions, times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quarkline.studies.tagging.simulate import geometry
from quarkline.studies.tagging.simulate.control import Shift
from quarkline.studies.tagging.simulate.geometry import ECAL, Floats
from quarkline.studies.tagging.simulate.ragged import Constituents, owners, places
from quarkline.studies.tagging.simulate.truth import Bools, Draws, Ints, TrueJets, turned

MEASURED = 0.61
"""Momentum of the clusters over that of the calibrated jet."""
UNEVEN = 1.6
"""Width of the logarithm of the momenta of hard clusters."""
SOFT = 0.15
"""Mean number of soft clusters of a jet, in each collision of the pile-up."""
SOFT_PT, SOFT_WIDTH = 0.65, 0.95
"""Median momentum of soft clusters in GeV, and the width of its logarithm."""
SOFT_EM = 0.88
RADIUS = 0.4
INTERACT = (0.06, 1.0)
"""Mean of the interaction lengths before a photon and a hadron shower."""
HADRONIC = 0.5
"""Median of the scale of a hadron's shower, in interaction lengths."""
FLUCTUATE = (0.25, 0.45)
"""Width of the logarithm of the scale of showers, of photons and of hadrons."""
NOISE = (60.0, 110.0)
"""Noise of a layer in MeV, electromagnetic and hadronic."""
NOISY = (120, 24)
"""Chance, of 256, that a layer without energy has noise in it."""
SEEN = 0.012
"""Smallest share of a cluster's energy that a layer keeps."""
TIME_MEAN, TIME_COMMON, TIME_OWN = 0.2, 0.25, 3.2
"""Mean time of clusters; spread that the clusters of a jet share; own spread at 1 GeV, in ns."""
TIME_MOST = 3.5
UNTIMED = (0.75, 1.1)
"""Share of the softest clusters without a time, and the momentum in GeV in which it falls."""
OUT_OF_TIME = (0.12, 18.0, 10.0)
"""Share of clusters of other crossings, spread of their times in ns, their largest momentum."""
MEV = 1000.0


class _Seeds(NamedTuple):
    """Clusters before the calorimeters."""

    jet: Ints
    hard: Bools
    pt: Floats
    eta: Floats
    phi: Floats
    start: Floats
    scale: Floats


def draw_clusters(jets: TrueJets, pile_up: float, shift: Shift, draws: Draws) -> Constituents:
    """Clusters of jets: columns `clus_*` of an ntuple, MeV and ns."""
    draw = draws("clusters")
    n = len(jets)
    hard = 1 + draw.poisson(jets.clusters)
    counts = hard + draw.poisson(SOFT * pile_up * (1 + shift.soft_clusters), n)
    seeds = _seeds(jets, counts, hard, draw)
    layers = _layers(jets, seeds, draws("layers"))
    for number, name in enumerate(geometry.LAYERS):
        layers[name] *= shift.layer(number)
    total = sum(layers.values())
    pt = np.abs(total) / np.cosh(seeds.eta)
    columns = {
        "clus_pt": pt,
        "clus_eta": seeds.eta,
        "clus_phi": turned(seeds.phi),
        "clus_time": _times(jets, seeds, pt / MEV, shift, draws("times")),
        **layers,
    }
    return Constituents(counts, columns)


def _seeds(jets: TrueJets, counts: Ints, hard: Ints, draw: np.random.Generator) -> _Seeds:
    jet = owners(counts)
    is_hard = places(counts) < hard[jet]
    n = len(jet)
    log = draw.standard_normal(n, np.float32)
    weight = np.where(is_hard, np.exp(UNEVEN * log), 0)
    sums = np.add.reduceat(weight, np.cumsum(counts) - counts) if n else weight
    share = weight / sums[jet]
    pt = np.where(is_hard, share * (MEASURED * jets.pt)[jet], SOFT_PT * np.exp(SOFT_WIDTH * log))
    eta, phi = _positions(jets, jet, is_hard, share, draw)
    em = draw.random(n, np.float32) < np.where(is_hard, jets.em[jet], np.float32(SOFT_EM))
    slope = np.where(jets.halo & (geometry.region(jets.eta) == 0), 1, geometry.slope(jets.eta))
    front = np.where(is_hard, jets.depth[jet], 0)
    across = 1 / slope[jet]
    start = front + np.where(em, *INTERACT) * draw.standard_exponential(n, np.float32) * across
    scale = np.where(em, jets.length[jet], np.float32(HADRONIC)) * across
    scale *= np.exp(np.where(em, *FLUCTUATE) * draw.standard_normal(n, np.float32))
    return _Seeds(jet, is_hard, pt, eta, phi, start.astype(np.float32), scale.astype(np.float32))


def _positions(
    jets: TrueJets, jet: Ints, hard: Bools, share: Floats, draw: np.random.Generator
) -> tuple[Floats, Floats]:
    """Hard clusters about the axis or the prongs, the hardest nearest; soft ones anywhere."""
    n = len(jet)
    turn = draw.uniform(0, 2 * np.pi, len(jets)).astype(np.float32)
    x, y = draw.standard_normal((2, n), np.float32)
    side = np.where(x * y > 0, np.float32(0.5), np.float32(-0.5)) * jets.split[jet]
    narrow = 1 / (0.7 + 2 * share)
    radius = RADIUS * np.sqrt(draw.random(n, np.float32))
    angle = np.float32(2 * np.pi) * draw.random(n, np.float32)
    eta = np.where(
        hard, x * narrow * jets.spread_eta[jet] + side * np.cos(turn)[jet], radius * np.cos(angle)
    )
    phi = np.where(
        hard, y * narrow * jets.spread_phi[jet] + side * np.sin(turn)[jet], radius * np.sin(angle)
    )
    return eta + jets.eta[jet], phi + jets.phi[jet]


def _layers(jets: TrueJets, seeds: _Seeds, draw: np.random.Generator) -> dict[str, Floats]:
    """Energies in MeV by layer; a shower's share before depth x is a gamma distribution of order 3.

    `F(x) = 1 - exp(-u) (1 + u + u^2 / 2)` with `u = (x - start) / scale` (Longo and Sestili,
    Nucl. Instrum. Meth. 128 (1975) 283).
    """
    edges = geometry.EDGES.T[:, geometry.region(jets.eta)][:, seeds.jet]
    before = [_gamma((edge - seeds.start) / seeds.scale) for edge in edges]
    shares = [before[i + 1] - before[i] for i in (0, 1, 2, 3, 5, 6, 7, 8)]
    total = np.maximum(sum(shares), 1e-4)
    energy = seeds.pt * MEV * np.cosh(seeds.eta)
    noisy = draw.integers(0, 256, (len(shares), len(energy)), np.uint8)
    layers = {}
    for number, name in enumerate(geometry.LAYERS):
        kind = int(number >= ECAL)
        share = shares[number] / total
        seen = share > SEEN
        noise = NOISE[kind] * draw.standard_normal(len(energy), np.float32)
        noise *= seen | (noisy[number] < NOISY[kind])
        layers[name] = np.where(seen, share * energy, 0) + noise
    return layers


def _gamma(u: Floats) -> Floats:
    u = np.maximum(u, 0)
    return 1 - np.exp(-u) * (1 + u + u * u / 2)


def _times(
    jets: TrueJets, seeds: _Seeds, pt: Floats, shift: Shift, draw: np.random.Generator
) -> Floats:
    n = len(pt)
    common = jets.delay + TIME_MEAN + TIME_COMMON * draw.standard_normal(len(jets), np.float32)
    common = np.where(seeds.hard, common[seeds.jet], TIME_MEAN)
    own = np.minimum(TIME_OWN / np.sqrt(np.maximum(pt, 0.01)), TIME_MOST)
    share, spread, most = OUT_OF_TIME
    own = np.where((draw.random(n, np.float32) < share) & (pt < most), spread, own)
    time = common + own * draw.standard_normal(n, np.float32)
    time = shift.times(time, seeds.jet, len(jets), draw)
    chance, fall = UNTIMED
    untimed = draw.random(n, np.float32) < chance * np.exp(-pt / fall)
    return np.where(untimed, 0, time).astype(np.float32)
