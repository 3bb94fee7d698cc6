"""Where simulated muon pairs come from: processes, their rates, charges and mass spectra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.resonance.particles import pdg_mass

Floats = NDArray[np.float64]

MASS_RANGE = (4.5, 17.0)
"""Pair masses of the background before resolution, in GeV."""

REFERENCE_MASS = 10.0
"""Mass in GeV at which shares and scales that drift with mass are stated."""

SAME_SIGN_SHARE = 0.37
"""Fraction of the background with two muons of equal charge."""

DECAY_LENGTH_DRIFT = 0.1
"""Impact parameters grow with mass to this power, as the hadrons behind heavy pairs are harder."""


@dataclass(frozen=True)
class Process:
    """One origin of muon pairs.

    Attributes:
        name: What it is called; a resonance as the `particle` package calls it.
        code: Its number in the truth branch `Gen_process`.
        opposite_sign: Share of the opposite-sign background at the reference mass.
        same_sign: Share of the same-sign background at the reference mass.
        drift: Both shares go with mass to this power.
        pair_pt: Scale of the pair's transverse momentum in GeV.
        steepness: Power at which that spectrum falls, per squared momentum.
        flight: Mean impact parameter of a muon from the first decay, in cm.
        cascade: The same for the second decay of a b -> c -> mu chain, in cm.
        cascade_share: Fraction of muons from such a chain.
        activity: Median momentum around a muon of 1 GeV, in GeV; grows as its square root.
        b_tag: Parameters of the beta distribution of its jets' b-tagging scores.
    """

    name: str
    code: int
    opposite_sign: float = 0.0
    same_sign: float = 0.0
    drift: float = 0.0
    pair_pt: float = 23.0
    steepness: float = 2.8
    flight: float = 0.0
    cascade: float = 0.0
    cascade_share: float = 0.0
    activity: float = 6.8
    b_tag: tuple[float, float] = (1.0, 6.0)


BOTTOM = Process(
    "bottom",
    code=5,
    opposite_sign=0.896,
    same_sign=0.984,
    flight=0.036,
    cascade=0.018,
    cascade_share=0.43,
    b_tag=(2.2, 1.0),
)
CHARM = Process(
    "charm",
    code=4,
    opposite_sign=0.092,
    drift=-0.3,
    flight=0.023,
    activity=8.0,
    b_tag=(1.3, 2.2),
)
MISIDENTIFIED = Process(
    "misidentified",
    code=1,
    opposite_sign=0.010,
    same_sign=0.016,
    drift=0.15,
    flight=0.001,
    activity=11.0,
)
DRELL_YAN = Process(
    "Drell-Yan", code=22, opposite_sign=0.002, drift=-1.0, pair_pt=26.0, activity=4.0
)
BACKGROUND = (BOTTOM, CHARM, MISIDENTIFIED, DRELL_YAN)

UPSILON = tuple(
    Process(f"Upsilon({state}S)", code, pair_pt=40.0, steepness=2.2, activity=4.0)
    for state, code in ((1, 553), (2, 100553), (3, 200553))
)
UPSILON_SHARES = (0.70, 0.17, 0.13)
"""Shares of 1S, 2S and 3S among the Upsilons: 2S above 3S, as seen at high momentum."""

RESONANCES = tuple(
    Process(name, code, pair_pt=scale, steepness=2.2, activity=4.0)
    for name, code, scale in (
        ("eta", 221, 24.0),
        ("rho(770)0", 113, 24.0),
        ("omega(782)", 223, 24.0),
        ("phi(1020)", 333, 26.0),
        ("J/psi(1S)", 443, 28.0),
        ("psi(2S)", 100443, 28.0),
        ("Z0", 23, 30.0),
    )
)
"""Resonances of the whole spectrum besides the Upsilons."""

PROCESSES = {process.code: process for process in (*BACKGROUND, *UPSILON, *RESONANCES)}


@dataclass(frozen=True)
class MassSpectrum:
    """A falling exponential on a floor: a polynomial of degree 5 misses nothing of it.

    Attributes:
        scale: Length of the exponential in GeV.
        floor: Fraction of the events in the constant part.
    """

    scale: float
    floor: float

    def draw(self, n: int, generator: np.random.Generator) -> Floats:
        """Masses in GeV inside `MASS_RANGE`, with shape (n,)."""
        low, high = MASS_RANGE
        falling = generator.random(n) > self.floor
        u = generator.random(n)
        exponential = -self.scale * np.log1p(u * np.expm1(-(high - low) / self.scale))
        return low + np.where(falling, exponential, u * (high - low))


OPPOSITE_SIGN_MASS = MassSpectrum(scale=3.4, floor=0.452)
SAME_SIGN_MASS = MassSpectrum(scale=4.2, floor=0.443)


class Origin(NamedTuple):
    """What was produced, event by event; all with shape (N,).

    Attributes:
        code: `Gen_process`.
        mass: Pair mass in GeV before resolution.
        same_sign: Whether the muons have equal charge.
    """

    code: NDArray[np.int32]
    mass: Floats
    same_sign: NDArray[np.bool_]

    def each(self, attribute: str) -> Floats:
        """A number of each event's process, with shape (N,)."""
        return by_code({p.code: getattr(p, attribute) for p in PROCESSES.values()}, self.code)


def by_code(values: dict[int, float], code: NDArray[np.int32]) -> Floats:
    """Look a number up by process code, with shape (N,)."""
    known = np.sort(np.array(list(values)))
    return np.array([values[k] for k in known], dtype=np.float64)[np.searchsorted(known, code)]


def draw_background(n: int, generator: np.random.Generator) -> Origin:
    """Draw sign, mass and process of `n` background pairs."""
    same_sign = generator.random(n) < SAME_SIGN_SHARE
    mass = np.where(
        same_sign, SAME_SIGN_MASS.draw(n, generator), OPPOSITE_SIGN_MASS.draw(n, generator)
    )
    relative = (mass / REFERENCE_MASS)[:, None] ** np.array([p.drift for p in BACKGROUND])
    shares = np.array([(p.opposite_sign, p.same_sign) for p in BACKGROUND])
    reached = np.cumsum(relative * shares.T[same_sign.astype(int)], axis=1)
    chosen = (generator.random(n)[:, None] * reached[:, -1:] >= reached).sum(axis=1)
    codes = np.array([p.code for p in BACKGROUND], dtype=np.int32)
    return Origin(codes[chosen], mass, same_sign)


def draw_upsilons(n: int, generator: np.random.Generator) -> Origin:
    """Draw state and mass of `n` Upsilons; their widths are far below the resolution."""
    codes = np.array([state.code for state in UPSILON], dtype=np.int32)
    masses = np.array([pdg_mass(state.name) for state in UPSILON])
    state = generator.choice(len(codes), size=n, p=UPSILON_SHARES)
    return Origin(codes[state], masses[state], np.zeros(n, dtype=bool))
