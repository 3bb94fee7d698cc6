"""The branches of a DiVertAnalysis ntuple that jets are made of."""

from __future__ import annotations

from typing import Literal

Kind = Literal["sig", "qcd", "bib", "data"]
"""What an ntuple holds: displaced decays, multijets, collisions with beam-induced background, or
the collisions of a control region."""

TREE = "trees_DV_"

JETS = ("jet_pT", "jet_eta", "jet_phi", "jet_isClean_LooseBadLLP")
CLUSTERS = (
    *("clus_pt", "clus_eta", "clus_phi", "clus_time"),
    *(f"clus_l{layer}{part}" for layer in (1, 2, 3, 4) for part in ("ecal", "hcal")),
)
TRACKS = (
    *("track_eta", "track_phi", "track_chiSquared", "track_d0", "track_PixelShared"),
    *("track_PixelHoles", "track_PixelHits", "track_SCTHits", "track_SCTHoles"),
    *("track_SCTShared", "track_vertex_nParticles", "track_z0", "track_pT"),
)
SEGMENTS = (
    *("MSeg_etaPos", "MSeg_phiPos", "MSeg_etaDir", "MSeg_phiDir", "MSeg_t0"),
    "MSeg_chiSquared",
)
LLPS = ("llp_eta", "llp_phi", "llp_Lxy", "llp_Lz", "llp_pT")
TRIGGER_JETS = ("HLT_jet_pT", "HLT_jet_eta", "HLT_jet_phi", "HLT_jet_isBIB")

CLUSTER_JET = "cluster_jetIndex"
TRACK_JETS = "track_jetIndex"
SEGMENT_JETS = "MSeg_jetIndex"
EVENT = ("runNumber", "eventNumber")
WEIGHT = "mcEventWeight"

_COMMON = (
    *JETS,
    *CLUSTERS,
    CLUSTER_JET,
    *TRACKS,
    TRACK_JETS,
    *SEGMENTS,
    SEGMENT_JETS,
    *EVENT,
)
BRANCHES: dict[Kind, tuple[str, ...]] = {
    "sig": (*_COMMON, *LLPS, WEIGHT),
    "qcd": (*_COMMON, WEIGHT),
    "bib": (*_COMMON, *TRIGGER_JETS),
    "data": _COMMON,
}
"""The branches that are read, by what an ntuple holds."""


TOGETHER = (
    JETS,
    (*CLUSTERS, CLUSTER_JET),
    (*TRACKS, TRACK_JETS),
    (*SEGMENTS, SEGMENT_JETS),
    LLPS,
    TRIGGER_JETS,
)
"""Branches whose lists have one value for each object of one kind."""


def renamed(name: str) -> str:
    """A column's name in tables of jets: pT becomes pt."""
    return name.replace("_pT", "_pt")
