"""What `quarkline simulate spectrum` writes: dimuon events from 0.25 to 140 GeV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.studies.resonance.particles import pdg_mass
from quarkline.studies.resonance.simulate.events import DimuonSize, Draws, blocks_of, placed
from quarkline.studies.resonance.simulate.example import TREE, units
from quarkline.studies.resonance.simulate.processes import (
    BACKGROUND,
    REFERENCE_MASS,
    RESONANCES,
    UPSILON,
    Floats,
    Origin,
)

__all__ = ["DEFAULT_EVENTS", "TREE", "blocks", "composition", "default_signal", "units"]

DEFAULT_EVENTS = 200_000
MASS_RANGE = (0.25, 140.0)
"""Pair masses of the background before resolution, in GeV."""

SIGNAL_SHARE = 0.12
SAME_SIGN_SHARE = 0.3
SHARES = {
    "eta": 0.05,
    "rho(770)0": 0.07,
    "omega(782)": 0.06,
    "phi(1020)": 0.08,
    "J/psi(1S)": 0.36,
    "psi(2S)": 0.04,
    "Upsilon(1S)": 0.10,
    "Upsilon(2S)": 0.045,
    "Upsilon(3S)": 0.035,
    "Z0": 0.16,
}
"""Of the resonances among each other; chosen so that all can be found, not predicted."""

WIDTHS = {"rho(770)0": 0.147, "omega(782)": 0.0087, "Z0": 2.495}
"""Natural widths in GeV of those that are not far below the resolution."""

TAIL = 3.0
"""Natural widths from its mass at which a resonance ends."""


def default_signal(events: int) -> int:
    """Resonances among so many events."""
    return round(SIGNAL_SHARE * events)


def blocks(events: int, signal: int, seed: int) -> Iterator[ak.Array]:
    """The events of a sample, in blocks."""
    return blocks_of(_origin, DimuonSize(events - signal, signal), seed)


def composition(block: ak.Array) -> Mapping[str, int]:
    """Number of events of each process, by name."""
    code = np.asarray(block["Gen_process"])
    known = (*BACKGROUND, *RESONANCES, *UPSILON)
    return {process.name: int((code == process.code).sum()) for process in known}


def _origin(is_signal: NDArray[np.bool_], draws: Draws) -> Origin:
    background = _continuum(int((~is_signal).sum()), draws("background"))
    return placed(is_signal, background, _resonances(int(is_signal.sum()), draws("signal")))


def _continuum(n: int, generator: np.random.Generator) -> Origin:
    """Pairs without structure: dN/dln m falls as m^-0.5, with a shoulder below 3 GeV."""
    mass = np.geomspace(*MASS_RANGE, 4001)
    density = mass**-0.5 / (1.0 + (1.5 / mass) ** 2) + 0.15 * np.exp(-mass / 2.0)
    reached = np.append(0.0, np.cumsum((density[1:] + density[:-1]) / 2))
    drawn = np.exp(np.interp(generator.random(n), reached / reached[-1], np.log(mass)))
    same_sign = generator.random(n) < SAME_SIGN_SHARE
    codes = _processes(drawn, same_sign, generator)
    return Origin(codes, drawn, same_sign)


def _processes(
    mass: Floats, same_sign: NDArray[np.bool_], generator: np.random.Generator
) -> NDArray[np.int32]:
    """A process of each pair: heavy flavour when light, Drell-Yan when heavy."""
    shares = np.array([(item.opposite_sign, item.same_sign) for item in BACKGROUND])
    drifts = np.array([item.drift for item in BACKGROUND])
    drifts[-1] = 2.0  # above the J/psi Drell-Yan takes over
    relative = (mass / REFERENCE_MASS)[:, None] ** drifts
    reached = np.cumsum(relative * shares.T[same_sign.astype(int)], axis=1)
    chosen = (generator.random(len(mass))[:, None] * reached[:, -1:] >= reached).sum(axis=1)
    codes = np.array([item.code for item in BACKGROUND], dtype=np.int32)
    found: NDArray[np.int32] = codes[chosen]
    return found


def _resonances(n: int, generator: np.random.Generator) -> Origin:
    """Resonances with Breit-Wigner masses, cut off at TAIL."""
    codes = {item.name: item.code for item in (*RESONANCES, *UPSILON)}
    names = list(SHARES)
    shares = np.array([SHARES[name] for name in names])
    chosen = generator.choice(len(names), size=n, p=shares / shares.sum())
    centre = np.array([pdg_mass(name) for name in names])[chosen]
    width = np.array([WIDTHS.get(name, 0.0) for name in names])[chosen]
    offset = np.tan(np.arctan(2 * TAIL) * generator.uniform(-1, 1, n)) / 2
    code = np.array([codes[name] for name in names], dtype=np.int32)[chosen]
    return Origin(code, centre + width * offset, np.zeros(n, dtype=bool))
