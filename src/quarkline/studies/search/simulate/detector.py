"""What the toy's detector makes of generated events: the branches of the ntuples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.studies.search.simulate.truth import LEAST, Draws, Floats, Truth

MEV = 1000.0
NO_TAU, NO_TRACKS, NO_TRUTH = -99, -999.0, -99
LOOSE = {1: (0.15, 0.25, 0.40), 3: (0.25, 0.40, 0.55)}
"""Scores of loose, medium and tight taus, by the number of tracks."""
MANTISSA = np.uint32(0xFFFFFC00)
"""Bits of a float32 that are kept: 13 of its mantissa, as compressed ntuples have."""

Columns = dict[str, NDArray[Any] | ak.Array]


def detect(truth: Truth, draws: Draws, *, simulated: bool) -> Columns:
    """Pass events through the detector once.

    Args:
        truth: The generated events.
        draws: Gives a generator for each purpose.
        simulated: Whether the truth is written down; data have -99 there.

    Returns:
        Branches by name, momenta in MeV.
    """
    n = len(truth.kind)
    smear = draws("momenta")
    lepton_pt = truth.pt * smear.normal(1, 0.015, truth.pt.shape)
    lepton_pt = np.maximum(lepton_pt, LEAST["lepton"])
    jets = _jets(truth, draws("jets"))
    tau = _tau(truth, draws("tau"), simulated=simulated)
    met_x, met_y = (
        truth.met * turn(truth.met_phi) + draws("met").normal(0, 5, n) for turn in (np.cos, np.sin)
    )
    seen = truth.charge != 0
    ht_leptons = (lepton_pt * seen).sum(axis=1)
    ht_taus = (truth.tau_pt * (np.arange(truth.tau_pt.shape[1]) < truth.taus[:, None])).sum(axis=1)
    ht_jets = np.asarray(ak.sum(jets["jets_pt"], axis=1)) / MEV
    four = _four(lepton_pt, truth)
    met = np.stack([met_x, met_y, np.zeros(n), np.hypot(met_x, met_y)])
    columns: Columns = {
        "DRll01": _distance(truth),
        "Mll01": MEV * _mass(four[:, :, 0] + four[:, :, 1]),
        "MLepAllMet": MEV * _mass((four * seen[None]).sum(axis=2) + met),
        "HT": MEV * (ht_jets + ht_leptons + ht_taus),
        "HT_jets": MEV * ht_jets,
        "HT_lep": MEV * ht_leptons,
        "HT_taus": MEV * ht_taus,
        "met_met": MEV * met[3],
        "met_phi": np.arctan2(met_y, met_x),
        "total_leptons": seen.sum(axis=1).astype(np.int32),
        "total_charge": truth.charge.sum(axis=1).astype(np.int32),
        "dilep_type": _flavours(truth, seen),
        **_lepton(0, lepton_pt, four, truth, draws("lepton 0"), simulated=simulated),
        **_lepton(1, lepton_pt, four, truth, draws("lepton 1"), simulated=simulated),
        **tau,
        **jets,
        "flag_JetCleaning_LooseBad": (draws("cleaning").random(n) < 0.997).astype(np.int8),
    }
    columns["l2SS_1tau"] = _selected(columns)
    return {name: coarse(values) for name, values in columns.items()}


def coarse(values: NDArray[Any] | ak.Array) -> NDArray[Any] | ak.Array:
    """Floats as float32 with a short mantissa; other values as they are."""
    if isinstance(values, ak.Array):
        counts = ak.num(values)
        return ak.unflatten(coarse(np.asarray(ak.flatten(values))), counts)
    if values.dtype != np.float64:
        return values
    return (values.astype(np.float32).view(np.uint32) & MANTISSA).view(np.float32)


def _four(pt: Floats, truth: Truth) -> Floats:
    """Momenta of massless leptons, x, y, z and energy, with shape (4, N, 3)."""
    return np.stack(
        [
            pt * np.cos(truth.phi),
            pt * np.sin(truth.phi),
            pt * np.sinh(truth.eta),
            pt * np.cosh(truth.eta),
        ]
    )


def _mass(four: Floats) -> Floats:
    """Invariant masses of momenta with shape (4, N)."""
    x, y, z, energy = four
    mass: Floats = np.sqrt(np.maximum(energy**2 - x**2 - y**2 - z**2, 0.0))
    return mass


def _distance(truth: Truth) -> Floats:
    turn = (truth.phi[:, 0] - truth.phi[:, 1] + np.pi) % (2 * np.pi) - np.pi
    distance: Floats = np.hypot(truth.eta[:, 0] - truth.eta[:, 1], turn)
    return distance


def _flavours(truth: Truth, seen: NDArray[np.bool_]) -> NDArray[np.int32]:
    """1 for two muons, 2 for one of each, 3 for two electrons; 0 with a third lepton."""
    code = 1 + truth.electron[:, :2].sum(axis=1)
    return np.where(seen[:, 2], 0, code).astype(np.int32)


def _lepton(
    number: int,
    pt: Floats,
    four: Floats,
    truth: Truth,
    draw: np.random.Generator,
    *,
    simulated: bool,
) -> Columns:
    n = len(truth.kind)
    electron, eta = truth.electron[:, number], truth.eta[:, number]
    prompt = truth.prompt if number == 1 else np.ones(n, np.bool_)
    tight = electron & (draw.random(n) < np.where(prompt, 0.92, 0.6))
    medium = tight | (draw.random(n) < np.where(electron, 0.5, np.where(prompt, 0.97, 0.8)))
    converted = electron & (draw.random(n) < 0.05)
    charge = truth.charge[:, number]
    tracks = 1 + draw.geometric(0.8, n) - 1
    columns: Columns = {
        "Pt": MEV * pt[:, number],
        "Eta": eta,
        "Phi": truth.phi[:, number],
        "E": MEV * four[3, :, number],
        "EtaBE2": np.where(electron, eta + draw.normal(0, 0.005, n), -99.0),
        "ID": np.where(electron, 11.0, 13.0) * -charge,
        "isTightLH": tight.astype(np.int8),
        "isMedium": medium.astype(np.int8),
        "Iso_Loose_VarRad": (draw.random(n) < np.where(prompt, 0.97, 0.35)).astype(np.int8),
        "Mtrktrk_atPV_CO": np.where(converted, draw.exponential(0.2, n), NO_TRACKS),
        "Mtrktrk_atConvV_CO": np.where(converted, draw.exponential(0.1, n), NO_TRACKS),
        "nInnerPix": np.where(electron, draw.geometric(0.68, n), NO_TRACKS),
        "nTrackParticles": np.where(electron, tracks, -1.0),
        "truthPrompt": (prompt if simulated else np.full(n, NO_TRUTH)).astype(np.int8),
    }
    return {f"lep_{name}_{number}": values for name, values in columns.items()}


def _jets(truth: Truth, draw: np.random.Generator) -> Columns:
    pt = truth.jet_pt * draw.normal(1, 0.08, truth.jet_pt.shape)
    order = np.argsort(-pt, axis=1)
    there = np.arange(pt.shape[1]) < truth.jets[:, None]
    order = np.where(there, np.argsort(-np.where(there, pt, 0.0), axis=1), order)
    pt, eta, phi = (
        np.take_along_axis(values, order, axis=1)
        for values in (np.maximum(pt, LEAST["jet"]), truth.jet_eta, truth.jet_phi)
    )
    mass = pt * draw.uniform(0.05, 0.2, pt.shape)
    energy = np.hypot(pt * np.cosh(eta), mass)

    def listed(values: Floats) -> ak.Array:
        return ak.unflatten(values[there], truth.jets)

    return {
        "nJets_OR": truth.jets.astype(np.int32),
        "nJets_OR_DL1r_77": truth.b_jets.astype(np.int32),
        "jets_pt": listed(MEV * pt),
        "jets_eta": listed(eta),
        "jets_phi": listed(phi),
        "jets_e": listed(MEV * energy),
    }


def _tau(truth: Truth, draw: np.random.Generator, *, simulated: bool) -> Columns:
    """The leading tau candidate; -99 and 0 where there is none."""
    n, has, one = len(truth.kind), truth.taus > 0, truth.prongs == 1
    pt = np.maximum(truth.tau_pt[:, 0] * draw.normal(1, 0.05, n), LEAST["tau"])
    score = 0.05 + 0.95 * np.where(truth.real, draw.random(n), draw.beta(0.85, 3.2, n))
    network = score ** np.where(one, 0.42, 0.55) + draw.normal(0, 0.02, n)
    width = np.where(truth.real, draw.gamma(2.0, 0.018, n), draw.gamma(2.5, 0.035, n))
    above = truth.tau_pt > 25
    counted = np.arange(truth.tau_pt.shape[1]) < truth.taus[:, None]
    modes = np.where(one, draw.choice(3, n, p=[0.2, 0.5, 0.3]), 3 + (draw.random(n) < 0.3))

    def known(values: NDArray[Any], dtype: type = np.float64) -> NDArray[Any]:
        return np.where(has, values, NO_TAU).astype(dtype)

    def flag(chance: float | Floats) -> NDArray[np.bool_]:
        return has & (draw.random(n) < chance)

    columns: Columns = {
        "nTaus_OR": truth.taus.astype(np.int32),
        "nTaus_OR_Pt25": (above & counted).sum(axis=1).astype(np.int32),
        "tau_Pt_0": known(MEV * pt),
        "tau_Eta_0": known(truth.tau_eta),
        "tau_Phi_0": known(truth.tau_phi),
        "taus_charge_0": known(truth.tau_charge),
        "taus_numTrack_0": known(truth.prongs, np.int32),
        "taus_decayMode_0": known(modes, np.int32),
        "taus_width_0": known(width),
        "taus_RNNJetScoreSigTrans_0": known(score),
        "taus_RNNJetScore_0": known(np.clip(network, 0.01, 0.999)),
        "taus_passEleOLR_0": flag(0.965).astype(np.int8),
        "taus_passEleBDT_0": flag(0.95).astype(np.int8),
        "taus_fromPV_0": flag(0.95).astype(np.int8),
        "taus_passJVT_0": known(draw.random(n) < 0.94, np.int32),
        "taus_isHadronic_0": (truth.real if simulated else np.full(n, NO_TRUTH)).astype(np.int8),
    }
    for place, name in enumerate(("Loose", "Medium", "Tight")):
        limit = np.where(one, LOOSE[1][place], LOOSE[3][place])
        columns[f"taus_JetRNNSig{name}_0"] = (has & (score > limit)).astype(np.int8)
    return columns


def _selected(columns: Mapping[str, Any]) -> NDArray[np.int32]:
    """Exactly two leptons of one sign, and one tau of more than 25 GeV that passes Loose."""
    same = columns["lep_ID_0"] * columns["lep_ID_1"] > 0
    two, one = columns["total_leptons"] == 2, columns["nTaus_OR_Pt25"] == 1
    tau = (columns["taus_JetRNNSigLoose_0"] == 1) & (columns["tau_Pt_0"] > 25 * MEV)
    passed: NDArray[np.bool_] = two & same & one & tau
    return passed.astype(np.int32)
