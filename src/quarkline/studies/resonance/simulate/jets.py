"""Jets around the muons and against the pair, and which jet each muon belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.resonance.simulate.kinematics import Muons, turn
from quarkline.studies.resonance.simulate.processes import PROCESSES, Floats, Origin, by_code

CONE = 0.4
"""Jet radius: a muon within this distance of a jet's axis belongs to the nearest such jet."""

MIN_PT = 18.0
"""GeV; softer jets are not stored."""

LIGHT_B_TAG = (1.0, 6.0)
"""Beta parameters of the b-tagging score of the jet against the pair."""

_AXIS_SPREAD = 0.07
_ENERGY_SPREAD = 0.15
_RECOIL_SPREAD = 0.35


@dataclass(frozen=True)
class Jets:
    """Candidate jets, hardest first; `kept` marks those stored. All arrays have shape (N, 3).

    Attributes:
        kept: Jets above the threshold, always the first of each event.
        columns: Branch values by name after `Jet_`.
        muon_jet: Index of each muon's jet, -1 for none.
    """

    kept: NDArray[np.bool_]
    columns: dict[str, NDArray[Any]]
    muon_jet: NDArray[np.int32]


def draw_jets(origin: Origin, muons: Muons, around: Floats, generator: np.random.Generator) -> Jets:
    """Draw a jet around each of the leading muons, joined if they are close, and a recoil jet.

    Args:
        origin: Process of N events.
        muons: Muons, with shape (N, 3).
        around: Momentum found around each muon in GeV, with shape (N, 3).
        generator: Random numbers.
    """
    n = len(muons.pt)
    together = muons.delta_r < CONE
    energy = np.exp(_ENERGY_SPREAD * generator.standard_normal((n, 2)))
    pt = muons.pt[:, :2] + around[:, :2] * energy
    first = pt[:, 0] + together * muons.pt[:, 1]
    second = np.where(together, 0.0, pt[:, 1])
    recoil = (first + second) * np.exp(_RECOIL_SPREAD * generator.standard_normal(n) - 0.2)
    offset = _AXIS_SPREAD * generator.standard_normal((2, n, 2))
    away = muons.phi[:, 0] + np.pi + 0.4 * generator.standard_normal(n)
    columns: dict[str, NDArray[Any]] = {
        "pt": np.stack([first, second, recoil], axis=1),
        "eta": np.column_stack([muons.eta[:, :2] + offset[0], 1.5 * generator.standard_normal(n)]),
        "phi": turn(np.column_stack([muons.phi[:, :2] + offset[1], away])),
        "mass": _masses(first, second, recoil, muons.pair_mass * together, generator),
        "btagDeepFlavB": _b_tags(origin, generator),
    }
    columns["nConstituents"] = 2 + generator.poisson(4.0 + 0.25 * columns["pt"]).astype(np.int32)
    order = np.argsort(-columns["pt"], axis=1)
    columns = {key: np.take_along_axis(value, order, axis=1) for key, value in columns.items()}
    kept = columns["pt"] > MIN_PT
    muon_jet = _nearest_jet(muons, columns["eta"], columns["phi"], kept)
    return Jets(kept, columns, muon_jet)


def _masses(
    first: Floats, second: Floats, recoil: Floats, inside: Floats, generator: np.random.Generator
) -> Floats:
    """Jet masses in GeV: a tenth of the momentum, and the pair where one jet holds it."""
    spread = np.exp(0.3 * generator.standard_normal((len(first), 3)))
    broad = 0.1 * np.stack([first, second, recoil], axis=1) * spread
    broad[:, 0] = np.hypot(broad[:, 0], inside)
    return broad


def _b_tags(origin: Origin, generator: np.random.Generator) -> Floats:
    """b-tagging scores: muon jets by process, the recoil jet light; shape (N, 3)."""
    a, b = (by_code({p.code: p.b_tag[i] for p in PROCESSES.values()}, origin.code) for i in (0, 1))
    n = len(a)
    near = generator.beta(a[:, None], b[:, None], (n, 2))
    return np.column_stack([near, generator.beta(*LIGHT_B_TAG, n)])


def _nearest_jet(
    muons: Muons, eta: Floats, phi: Floats, kept: NDArray[np.bool_]
) -> NDArray[np.int32]:
    distance = np.hypot(
        muons.eta[:, :, None] - eta[:, None, :], turn(muons.phi[:, :, None] - phi[:, None, :])
    )
    distance = np.where(kept[:, None, :], distance, np.inf)
    index = np.argmin(distance, axis=2)
    return np.where(distance.min(axis=2) < CONE, index, -1).astype(np.int32)
