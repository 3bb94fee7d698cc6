"""What the detector says about each muon: impact parameters, isolation, identification, trigger."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.resonance.simulate.kinematics import Muons
from quarkline.studies.resonance.simulate.processes import (
    DECAY_LENGTH_DRIFT,
    REFERENCE_MASS,
    Floats,
    Origin,
)

Columns = dict[str, NDArray[Any]]

TRIGGERS = {
    "HLT_TrkMu15_DoubleTrkMu5NoFiltersNoVtx": (15.0, 5.0, 0.95),
    "HLT_TrkMu17_DoubleTrkMu8NoFiltersNoVtx": (17.0, 8.0, 0.95),
    "HLT_Mu17_Mu8": (17.0, 8.0, 0.93),
    "HLT_DoubleMu18NoFiltersNoVtx": (18.0, 18.0, 0.94),
}
"""Thresholds of the leading and second muon in GeV, and the efficiency above them."""

TIGHT_EFFICIENCY = (0.965, 0.965, 0.60)
"""Of the leading, second and third muon."""

_COMMON_FLIGHT = 0.25
_FLIGHT_WIDTH = 0.4
_TAIL_SHARE, _TAIL_FACTOR = 0.03, 2.5
_COMMON_ACTIVITY, _OWN_ACTIVITY = 0.40, 0.50
_ACTIVITY_DRIFT = -0.2


def impact_parameters(origin: Origin, muons: Muons, generator: np.random.Generator) -> Columns:
    """Impact parameters to the primary vertex in cm, each with shape (N, 3).

    The decay lengths of an event's muons share a factor (the vertex and the boost are common).
    Errors are those of a silicon tracker: sqrt(14^2 + (120 GeV / pt)^2) micrometres across the
    beam, 1.4 times that along it, with a few per cent of badly measured tracks.
    """
    shape = muons.pt.shape
    distance = _flight(origin, shape, generator)
    direction = generator.uniform(-np.pi, np.pi, shape)
    error = 1e-4 * np.hypot(14.0, 120.0 / muons.pt) * np.where(np.abs(muons.eta) > 1.2, 1.25, 1.0)
    spread = error * np.where(generator.random(shape) < _TAIL_SHARE, _TAIL_FACTOR, 1.0)
    across = distance * np.cos(direction) + spread * generator.standard_normal(shape)
    along = distance * np.sin(direction) + 1.4 * spread * generator.standard_normal(shape)
    ip3d = np.hypot(across, along)
    stretch = np.cosh(muons.eta)
    return {
        "dxy": across,
        "dxyErr": error,
        "dz": along * stretch,
        "dzErr": 1.4 * error * stretch,
        "ip3d": ip3d,
        "sip3d": ip3d / error,
    }


def _flight(origin: Origin, shape: tuple[int, ...], generator: np.random.Generator) -> Floats:
    """True distance of each muon from the vertex in cm: one or two exponential decays."""
    cascade = generator.random(shape) < origin.each("cascade_share")[:, None]
    first = origin.each("flight")[:, None] * generator.standard_exponential(shape)
    second = origin.each("cascade")[:, None] * generator.standard_exponential(shape)
    spread = _FLIGHT_WIDTH * generator.standard_normal(shape)
    common = _COMMON_FLIGHT * generator.standard_normal((len(origin.mass), 1))
    drift = (origin.mass / REFERENCE_MASS)[:, None] ** DECAY_LENGTH_DRIFT
    return np.exp(spread + common) * drift * (first + cascade * second)


def isolation(origin: Origin, muons: Muons, generator: np.random.Generator) -> Columns:
    """Relative isolation in cones of 0.3 and 0.4, each with shape (N, 3).

    Momentum around a muon grows as the square root of its own and falls slowly with pair mass;
    a part of its spread is common to the event's muons.
    """
    shape = muons.pt.shape
    common = _COMMON_ACTIVITY * generator.standard_normal((shape[0], 1))
    own = _OWN_ACTIVITY * generator.standard_normal(shape)
    drift = (origin.mass / REFERENCE_MASS) ** _ACTIVITY_DRIFT
    median = (origin.each("activity") * drift)[:, None] / np.sqrt(muons.pt)
    wide = median * np.exp(common + own)
    return {"pfRelIso04_all": wide, "pfRelIso03_all": wide * generator.beta(6.0, 2.0, shape)}


def identification(shape: tuple[int, ...], generator: np.random.Generator) -> Columns:
    """Nested identification flags, each with shape (N, 3)."""
    quality = generator.random(shape)
    tight = np.array(TIGHT_EFFICIENCY)
    return {
        "tightId": quality < tight,
        "mediumId": quality < (1 + tight) / 2,
        "looseId": np.ones(shape, dtype=bool),
    }


def triggers(muons: Muons, generator: np.random.Generator) -> Columns:
    """Trigger flags by branch name, each with shape (N,)."""
    leading, second = muons.pt[:, 0], muons.pt[:, 1]
    return {
        name: (leading > high) & (second > low) & (generator.random(len(leading)) < efficiency)
        for name, (high, low, efficiency) in TRIGGERS.items()
    }
