"""Two muons from a pair of given mass: production, isotropic decay, momentum resolution, skim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.resonance.simulate.processes import Floats, Origin

MUON_MASS = 0.1056583755
"""GeV (Particle Data Group)."""

SKIM_PT = (16.5, 7.8)
"""Smallest measured transverse momenta of the leading and second muon, in GeV."""

MAX_ETA = 2.4

_PAIR_PT_FLOOR = 17.0
"""GeV; below, no pair inside `MASS_RANGE` passes the skim."""

_RAPIDITY_WIDTH = 1.4


@dataclass(frozen=True)
class Muons:
    """Muons as measured, leading first: arrays of shape (N, 2), or (N, 3), in GeV and rad."""

    pt: Floats
    eta: Floats
    phi: Floats
    charge: NDArray[np.int32]

    @property
    def delta_r(self) -> Floats:
        """Angular distance of the two leading muons, with shape (N,)."""
        return np.hypot(self.eta[:, 0] - self.eta[:, 1], turn(self.phi[:, 0] - self.phi[:, 1]))

    @property
    def pair_mass(self) -> Floats:
        """Mass of the two leading muons in GeV, with shape (N,), muon masses neglected."""
        cosines = np.cosh(np.diff(self.eta[:, :2])) - np.cos(np.diff(self.phi[:, :2]))
        squared: Floats = 2 * self.pt[:, 0] * self.pt[:, 1] * cosines[:, 0]
        return np.sqrt(squared)


def turn(angle: Floats) -> Floats:
    """The same angle in [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def draw_muons(origin: Origin, generator: np.random.Generator) -> Muons:
    """Draw muons until both pass the skim, so that the skim leaves the mass spectrum as it is.

    Args:
        origin: Mass and process of N pairs.
        generator: Random numbers.
    """
    n = len(origin.mass)
    mass, pair_pt, steepness = origin.mass, origin.each("pair_pt"), origin.each("steepness")
    muons = np.empty((3, n, 2))
    pending = np.arange(n)
    while len(pending):
        tried = _decay(mass[pending], pair_pt[pending], steepness[pending], generator)
        done = _passes_skim(tried)
        muons[:, pending[done]] = tried[:, done]
        pending = pending[~done]
    charge = _charges(origin.same_sign, generator)
    first = np.argmax(muons[0], axis=1)[:, None]
    order = np.hstack([first, 1 - first])
    pt, eta, phi = (np.take_along_axis(values, order, axis=1) for values in muons)
    return Muons(pt, eta, phi, charge)


def add_soft_muon(muons: Muons, generator: np.random.Generator) -> Muons:
    """Append a third, softer muon of either charge near the leading one; shapes become (N, 3)."""
    n = len(muons.pt)
    pt = np.minimum(3.0 + generator.exponential(4.0, n), 0.95 * muons.pt[:, 1])
    eta = np.clip(muons.eta[:, 0] + 0.5 * generator.standard_normal(n), -MAX_ETA, MAX_ETA)
    phi = turn(muons.phi[:, 0] + 0.5 * generator.standard_normal(n))
    charge = generator.choice(np.array([-1, 1], dtype=np.int32), size=n)
    return Muons(
        np.column_stack([muons.pt, pt]),
        np.column_stack([muons.eta, eta]),
        np.column_stack([muons.phi, phi]),
        np.column_stack([muons.charge, charge]),
    )


def _decay(
    mass: Floats, scale: Floats, steepness: Floats, generator: np.random.Generator
) -> Floats:
    """Measured (pt, eta, phi) of two muons, with shape (3, N, 2)."""
    momentum, energy = _pair(mass, scale, steepness, generator)
    in_rest = _unit_vectors(len(mass), generator) * np.sqrt(mass**2 / 4 - MUON_MASS**2)[:, None]
    # Boost to the laboratory: p' = p + P ((P.p) / (M (E + M)) + 1/2), each muon having energy M/2.
    along = (momentum * in_rest).sum(axis=1) / (mass * (energy + mass))
    positive = in_rest + momentum * (along + 0.5)[:, None]
    x, y, z = np.stack([positive, momentum - positive], axis=-1).transpose(1, 0, 2)
    pt = np.hypot(x, y)
    eta = np.arcsinh(z / pt)
    measured = pt * (1 + pt_resolution(pt, eta) * generator.standard_normal(pt.shape))
    return np.stack([measured, eta, np.arctan2(y, x)])


def _pair(
    mass: Floats, scale: Floats, steepness: Floats, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Momentum, with shape (N, 3), and energy: pt (1 + pt^2/scale^2)^-steepness, Gaussian y."""
    n = len(mass)
    power = 1 - steepness
    tail = generator.random(n) * (1 + (_PAIR_PT_FLOOR / scale) ** 2) ** power
    pt = scale * np.sqrt(tail ** (1 / power) - 1)
    rapidity = _RAPIDITY_WIDTH * generator.standard_normal(n)
    phi = generator.uniform(-np.pi, np.pi, n)
    transverse_mass = np.hypot(mass, pt)
    momentum = np.stack(
        [pt * np.cos(phi), pt * np.sin(phi), transverse_mass * np.sinh(rapidity)], axis=1
    )
    return momentum, transverse_mass * np.cosh(rapidity)


def _unit_vectors(n: int, generator: np.random.Generator) -> Floats:
    z = generator.uniform(-1, 1, n)
    phi = generator.uniform(-np.pi, np.pi, n)
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(phi), radius * np.sin(phi), z], axis=1)


def pt_resolution(pt: Floats, eta: Floats) -> Floats:
    """Relative resolution of a muon's transverse momentum (pt in GeV)."""
    return 0.0095 + 0.0025 * np.abs(eta) + 2e-5 * pt


def _passes_skim(muons: Floats) -> NDArray[np.bool_]:
    pt, eta, _ = muons
    leading, second = pt.max(axis=1), pt.min(axis=1)
    inside = np.abs(eta).max(axis=1) < MAX_ETA
    passes: NDArray[np.bool_] = (leading >= SKIM_PT[0]) & (second >= SKIM_PT[1]) & inside
    return passes


def _charges(same_sign: NDArray[np.bool_], generator: np.random.Generator) -> NDArray[np.int32]:
    first = generator.choice(np.array([-1, 1], dtype=np.int32), size=len(same_sign))
    return np.stack([first, np.where(same_sign, first, -first)], axis=1)
