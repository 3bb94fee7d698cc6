"""The columns of jets: three streams of constituents, the jet itself, and what is known of it.

Order and padding are those of the networks of the ATLAS CalRatio search; names are those of its
tables, where column `x` of constituent i is `x_i`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Label(IntEnum):
    """What a jet is; also the place of its score among the outputs of a network."""

    QCD = 0
    SIGNAL = 1
    BIB = 2


@dataclass(frozen=True)
class Stream:
    """Constituents of one kind.

    Attributes:
        name: What the stream is called.
        rows: Constituents of a jet that a network sees.
        columns: Inputs of a network, in its order.
        stored: All columns of a table, in the order of upstream's main training file.
    """

    name: str
    rows: int
    columns: tuple[str, ...]
    stored: tuple[str, ...]


LAYERS = (
    *(f"clus_l{layer}{part}" for layer in (1, 2, 3) for part in ("hcal", "ecal")),
    *("clus_l4ecal", "clus_l4hcal"),
)
"""Energies of a cluster in layers of the calorimeters; in layer 4 the parts are swapped."""

_CLUSTER = ("clus_pt", "clus_eta", "clus_phi", *LAYERS, "clus_time")
_TRACK = (
    *("track_pt", "track_eta", "track_phi", "track_vertex_nParticles", "track_d0", "track_z0"),
    *("track_chiSquared", "track_SCTShared", "track_SCTHoles", "track_SCTHits"),
)
_TRACK_STORED = (
    *_TRACK[:7],
    *("track_PixelShared", "track_SCTShared", "track_PixelHoles", "track_SCTHoles"),
    *("track_PixelHits", "track_SCTHits"),
)
_SEGMENT = tuple(
    f"MSeg_{name}" for name in ("etaPos", "phiPos", "etaDir", "phiDir", "chiSquared", "t0")
)

CLUSTERS = Stream("constit", 30, _CLUSTER, _CLUSTER)
TRACKS = Stream("track", 20, _TRACK, _TRACK_STORED)
SEGMENTS = Stream("MSeg", 30, _SEGMENT, _SEGMENT)
STREAMS = (CLUSTERS, TRACKS, SEGMENTS)

JET = ("jet_pt", "jet_eta", "jet_phi")
LLP = ("llp_eta", "llp_phi", "llp_Lxy", "llp_Lz", "llp_pt")
