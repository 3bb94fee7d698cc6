"""Tracks of jets: prompt ones that share a momentum, and those of other collisions."""

from __future__ import annotations

import numpy as np

from quarkline.studies.tagging.simulate.control import Shift
from quarkline.studies.tagging.simulate.geometry import Floats
from quarkline.studies.tagging.simulate.ragged import Constituents, kept, owners, places
from quarkline.studies.tagging.simulate.truth import Bools, Draws, Ints, TrueJets, turned

MANY, POWER = 0.75, 0.62
"""Mean number of prompt tracks: a factor, and the power of the momentum in tracks in GeV."""
UNEVEN = 1.25
"""Width of the logarithm of the momenta of prompt tracks."""
LEAST_PT = 0.5
OTHER = 0.035
"""Mean number of tracks of other collisions in a jet, in each of them."""
OTHER_PT = 0.8
RADIUS = 0.18
"""Tracks within this distance belong to a jet."""
SECONDARY = (0.18, 0.13)
"""Share of tracks without a vertex, prompt and other."""
BEAM_SPOT = 38.0
"""Width of the collisions along the beam in mm."""
D0, D0_FAR, D0_FAR_WIDTH = 0.085, 1.6, 1.4
"""Impact parameters: width in mm; of those without a vertex, median and width of the logarithm."""
PARTICLES = (4.5, 3.3, 0.45)
"""Tracks of the vertex: logarithm of the medians of the hard one and of others, and the width."""
CHI2 = (5.5, 7.3)
"""Shape and scale of the gamma distribution of chi squared."""
PIXELS = ((0.0, 0.0, 0.01, 0.11, 0.71, 0.94, 0.995), (0.47, 0.57, 0.68, 0.79, 0.92, 0.97, 0.99))
"""Cumulative chances of 0, 1, ... hits in the pixels, with and without a vertex."""
SILICON, SILICON_WIDTH, SILICON_MOST = 8.0, 1.6, 16
FEW = {
    "track_PixelShared": (0.03, 0.001),
    "track_SCTShared": (0.26, 0.08),
    "track_PixelHoles": (0.06, 0.003),
    "track_SCTHoles": (0.14, 0.03),
}
"""Chances of at least one, and of at least two."""


def draw_tracks(jets: TrueJets, pile_up: float, shift: Shift, draws: Draws) -> Constituents:
    """Tracks of jets: columns `track_*` of an ntuple, GeV and mm."""
    draw = draws("tracks")
    found = 1 - shift.track_loss
    prompt = draw.poisson(MANY * (jets.pt * jets.charged) ** POWER * found)
    counts = prompt + draw.poisson(OTHER * pile_up * found, len(jets))
    jet, is_prompt = owners(counts), places(counts) < np.repeat(prompt, counts)
    pt = _momenta(jets, jet, is_prompt, len(counts), draw)
    alone = draw.random(len(jet), np.float32) < np.where(is_prompt, *SECONDARY)
    radius = RADIUS * draw.random(len(jet), np.float32) ** np.where(is_prompt, 0.75, 0.5)
    angle = np.float32(2 * np.pi) * draw.random(len(jet), np.float32)
    columns = {
        "track_pT": pt,
        "track_eta": jets.eta[jet] + radius * np.cos(angle),
        "track_phi": turned(jets.phi[jet] + radius * np.sin(angle)),
        **_vertices(jets, jet, is_prompt, alone, draw),
        "track_chiSquared": draw.standard_gamma(CHI2[0], len(jet), np.float32) * CHI2[1],
        **_hits(alone, draw),
    }
    return kept(Constituents(counts, columns), pt >= LEAST_PT)


def _momenta(
    jets: TrueJets, jet: Ints, prompt: Bools, number: int, draw: np.random.Generator
) -> Floats:
    n = len(jet)
    weight = np.where(prompt, np.exp(UNEVEN * draw.standard_normal(n, np.float32)), 0)
    sums = np.bincount(jet, weight, number)
    carried = np.divide(jets.charged * jets.pt, sums, where=sums > 0, out=np.zeros(number))
    other = LEAST_PT + OTHER_PT * draw.standard_exponential(n, np.float32)
    return np.where(prompt, weight * carried.astype(np.float32)[jet], other)


def _vertices(
    jets: TrueJets, jet: Ints, prompt: Bools, alone: Bools, draw: np.random.Generator
) -> dict[str, Floats]:
    """Impact parameters and sizes of vertices; prompt tracks share the one of their event."""
    n, event = len(jet), jets.event[jet]
    events = int(jets.event.max(initial=-1)) + 1
    normal = draw.standard_normal((4, n), np.float32)
    hard, other, width = PARTICLES
    size = np.exp(hard + width * draw.standard_normal(events, np.float32))[event]
    size = np.where(prompt, size, np.exp(other + width * normal[0]))
    at = (BEAM_SPOT * draw.standard_normal(events, np.float32))[event] + 0.1 * normal[1]
    d0 = np.where(
        alone, np.sign(normal[2]) * D0_FAR * np.exp(D0_FAR_WIDTH * normal[3]), D0 * normal[2]
    )
    return {
        "track_vertex_nParticles": np.where(alone, -1, np.rint(np.maximum(size, 2))),
        "track_d0": d0,
        "track_z0": np.where(prompt, at, BEAM_SPOT * normal[1]) + 3 * d0 * alone,
    }


def _hits(alone: Bools, draw: np.random.Generator) -> dict[str, Floats]:
    n = len(alone)
    chance = draw.random(n, np.float32)
    pixels = [np.searchsorted(np.array(steps, np.float32), chance) for steps in PIXELS]
    silicon = np.rint(SILICON + SILICON_WIDTH * draw.standard_normal(n, np.float32))
    hits = {
        "track_PixelHits": np.where(alone, pixels[1], pixels[0]),
        "track_SCTHits": np.clip(silicon, 0, SILICON_MOST),
    }
    for name, (one, two) in FEW.items():
        chance = draw.random(n, np.float32)
        hits[name] = (chance < one).astype(np.float32) + (chance < two)
    return hits
