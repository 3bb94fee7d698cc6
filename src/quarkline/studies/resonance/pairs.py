"""Pairs of leptons: their kinematics in float64, and the variables to cut on or learn from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

JETS = "Jet"
JET_VARIABLES = {
    "btag": "btagDeepFlavB",
    "pt": "pt",
    "eta": "eta",
    "phi": "phi",
    "mass": "mass",
}
LEPTON_VARIABLES = {
    "pt": "pt",
    "eta": "eta",
    "phi": "phi",
    "ip3d": "ip3d",
    "jetiso": "jetRelIso",
    "iso03": "pfRelIso03_all",
    "iso04": "pfRelIso04_all",
    "dxy": "dxy",
    "dz": "dz",
}

UNITS = {
    "pt": "GeV",
    "mass": "GeV",
    "deltapT": "GeV",
    "phi": "rad",
    "ip3d": "cm",
    "dxy": "cm",
    "dz": "cm",
}


def unit(variable: str) -> str:
    """Unit of a pair variable such as `mu0_pt` or `dimu_mass`; "" for a pure number."""
    return UNITS.get(variable.rpartition("_")[2], "")


def four_momenta(pt: Floats, eta: Floats, phi: Floats, mass: float) -> Floats:
    """(E, px, py, pz) in GeV of particles of one mass, with shape (..., 4)."""
    energy = np.sqrt(mass**2 + (pt * np.cosh(eta)) ** 2)
    return np.stack([energy, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)


def delta_phi(first: Floats, second: Floats) -> Floats:
    """The azimuthal distance in rad, in [0, pi]."""
    return np.abs((first - second + np.pi) % (2 * np.pi) - np.pi)


def delta_r(eta: Floats, phi: Floats) -> Floats:
    """Distance sqrt(dphi^2 + deta^2) of two directions; `eta` and `phi` have shape (N, 2)."""
    return np.hypot(eta[:, 0] - eta[:, 1], delta_phi(phi[:, 0], phi[:, 1]))


def pair_variables(leptons: Mapping[str, Floats], mass: float) -> dict[str, Floats]:
    """The variables of lepton pairs.

    Args:
        leptons: `pt`, `eta`, `phi` and any of `LEPTON_VARIABLES`, each with shape (N, 2), the
            leading lepton first; GeV, rad, cm.
        mass: Mass of the lepton in GeV.

    Returns:
        `dimu_{mass,pt,eta,phi}`, `mumu_{deltaR,deltapT}` and `mu{0,1}_*`, each with shape (N,).
        A pair whose squared mass is negative through rounding has `dimu_mass` NaN.
    """
    momenta = four_momenta(leptons["pt"], leptons["eta"], leptons["phi"], mass)
    energy, px, py, pz = np.moveaxis(momenta.sum(axis=1), -1, 0)
    pt = np.hypot(px, py)
    squared = energy**2 - pt**2 - pz**2
    with np.errstate(divide="ignore", invalid="ignore"):
        variables = {
            "dimu_mass": np.sqrt(np.where(squared >= 0, squared, np.nan)),
            "dimu_pt": pt,
            "dimu_eta": np.arcsinh(pz / pt),
            "dimu_phi": np.arctan2(py, px),
        }
    variables["mumu_deltaR"] = delta_r(leptons["eta"], leptons["phi"])
    variables["mumu_deltapT"] = leptons["pt"][:, 0] - leptons["pt"][:, 1]
    for name, values in leptons.items():
        variables |= {f"mu0_{name}": values[:, 0], f"mu1_{name}": values[:, 1]}
    return variables


def jet_variables(pair: Mapping[str, Floats], hardest: Mapping[str, Floats]) -> dict[str, Floats]:
    """The variables of the hardest jet; NaN where an event has none.

    Args:
        pair: `dimu_eta` and `dimu_phi`, each with shape (N,).
        hardest: `JET_VARIABLES` of the hardest jet, each with shape (N,).
    """
    eta = np.stack([pair["dimu_eta"], hardest["eta"]], axis=1)
    phi = np.stack([pair["dimu_phi"], hardest["phi"]], axis=1)
    variables = {f"hardest_jet_{name}": values for name, values in hardest.items()}
    return variables | {"dimujet_deltaR": delta_r(eta, phi)}
