"""Muon segments at the azimuth of jets: background, punch-through, and muons along the beam."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.simulate.control import Shift
from quarkline.studies.tagging.simulate.geometry import Floats
from quarkline.studies.tagging.simulate.ragged import Constituents, owners, places
from quarkline.studies.tagging.simulate.truth import Bools, Draws, Ints, TrueJets, turned

BACKGROUND, CLUMPED = 0.032, 0.7
"""Mean number in each collision of the pile-up, and the shape of its gamma distribution."""
PUNCH = 0.2
"""Mean number for each GeV beyond the calorimeters."""
PUNCH_MOST = 12.0
HALO, HALO_CLUMPED = 5.5, 3.0
"""Mean number along the path of a muon along the beam, and the shape of its gamma distribution."""
STRIP = 0.2
"""Segments within this azimuth belong to a jet, in rad."""
MOST_ETA = 2.7
NEAR = 0.3
"""Width of the place of punch-through in pseudorapidity."""
PARALLEL = 0.5
"""Share of a halo muon's segments that are measured as parallel to the beam."""
POINTING = 0.15
ASKEW = (0.08, 3.0)
"""Share of segments with a wrong direction, and its width in pseudorapidity."""
PHI_WIDTH, BACKWARDS = 0.06, 0.02
"""Error of the direction's azimuth in rad, and the share that points the other way."""
UNTIMED, T0, T0_WIDTH = 0.52, 1.7, 1.35
"""Share without a time; logarithm of the median and its width of the others, in ns."""
NO_T0, SENTINEL = 0.001, 99999.0
CHI2, CHI2_WIDTH = 1.6, 1.4
"""Logarithm of the median of chi squared, and its width."""


def draw_segments(jets: TrueJets, pile_up: float, shift: Shift, draws: Draws) -> Constituents:
    """Muon segments of jets: columns `MSeg_*` of an ntuple, ns and rad."""
    draw = draws("segments")
    n = len(jets)
    clumps = draw.standard_gamma(CLUMPED, n) / CLUMPED
    background = draw.poisson(BACKGROUND * pile_up * (1 + shift.segments) * clumps)
    punch = draw.poisson(PUNCH * np.minimum(jets.leak, PUNCH_MOST / PUNCH))
    along = draw.standard_gamma(HALO_CLUMPED, n) / HALO_CLUMPED
    halo = np.where(jets.halo, draw.poisson(HALO * along), 0)
    counts = background + punch + halo
    jet, place = owners(counts), places(counts)
    is_punch = (place >= background[jet]) & (place < (background + punch)[jet])
    is_halo = place >= (background + punch)[jet]
    eta = _places(jets, jet, is_punch, is_halo, draw)
    phi = turned(jets.phi[jet] + STRIP * draw.uniform(-1, 1, len(jet)).astype(np.float32))
    columns = {
        "MSeg_etaPos": eta,
        "MSeg_phiPos": phi,
        "MSeg_etaDir": _directions(eta, is_halo, draw),
        "MSeg_phiDir": _azimuths(phi, draw),
        "MSeg_t0": _times(len(jet), draw),
        "MSeg_chiSquared": np.exp(CHI2 + CHI2_WIDTH * draw.standard_normal(len(jet), np.float32)),
    }
    return Constituents(counts, columns)


def _places(
    jets: TrueJets, jet: Ints, punch: Bools, halo: Bools, draw: np.random.Generator
) -> Floats:
    n = len(jet)
    chance, normal = draw.random(n, np.float32), draw.standard_normal(n, np.float32)
    sign = np.sign(draw.random(n, np.float32) - np.float32(0.5))
    power = np.where(halo, np.float32(0.35), np.float32(0.8))
    anywhere = sign * np.float32(MOST_ETA) * chance**power
    return np.where(punch, np.clip(jets.eta[jet] + NEAR * normal, -MOST_ETA, MOST_ETA), anywhere)


def _directions(eta: Floats, halo: Bools, draw: np.random.Generator) -> Floats:
    """Pseudorapidity of the directions: from the collision, or outwards along the beam."""
    n = len(eta)
    chance, normal = draw.random(n, np.float32), draw.standard_normal(n, np.float32)
    share, width = ASKEW
    limit = np.where(halo, PARALLEL, share)
    along = np.sign(eta) * (2 + 4 * chance / PARALLEL)
    other = np.where(halo, along, width * normal)
    return np.where(chance < limit, other, eta + POINTING * normal)


def _azimuths(phi: Floats, draw: np.random.Generator) -> Floats:
    n = len(phi)
    back = np.where(draw.random(n, np.float32) < BACKWARDS, np.float32(np.pi), np.float32(0))
    return turned(phi + back + PHI_WIDTH * draw.standard_normal(n, np.float32))


def _times(n: int, draw: np.random.Generator) -> NDArray[np.float32]:
    chance, normal = draw.random(n, np.float32), draw.standard_normal(n, np.float32)
    sign = np.sign(draw.random(n, np.float32) - np.float32(0.5))
    time = np.where(chance < UNTIMED, 0, sign * np.exp(T0 + T0_WIDTH * normal))
    return np.where(chance > 1 - NO_T0, np.float32(SENTINEL), time).astype(np.float32)
