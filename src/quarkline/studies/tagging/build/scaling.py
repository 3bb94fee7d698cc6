"""How values of jets are scaled: ours, and upstream's with all its traps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.build.block import JetBlock, in_their_unit
from quarkline.studies.tagging.columns import CLUSTERS, LAYERS, SEGMENTS, TRACKS

Array = NDArray[Any]

LATE = 50.0
"""Times of clusters, in ns, are bounded by this on both sides: bunches are 25 ns apart."""
NO_TIME = 500.0
"""Beyond this, in ns, a segment's time stands for none."""
DEPTH_CM, DEPTH_MM = 25.0, 250.0
"""Unit of the z of tracks."""
MIRRORED = ("jet_eta", "llp_eta", "llp_Lz")
MIRRORED_INSIDE = {
    CLUSTERS.name: ("clus_eta",),
    TRACKS.name: ("track_eta", "track_z0"),
    SEGMENTS.name: ("MSeg_etaPos", "MSeg_etaDir"),
}
"""What changes sign when a jet is mirrored along the beam."""


def scaled(block: JetBlock, low: float, high: float) -> JetBlock:
    """Jets without scales of momenta, and without the side of the detector that they are on.

    With D = high - low: the jet's momentum is (pt - low) / D, those of clusters and tracks are
    pt / D. A layer's energy becomes its share max(E, 0) / sum of max(E, 0) over the layers of the
    cluster, 0 where that sum is. With s = -1 where the sum of eta pt over the clusters is below 0
    and else 1, eta of jet, clusters, tracks and segments and z of tracks are multiplied by s.
    z of tracks is in units of 25 cm. Times of clusters are bounded by 50 ns; times of segments
    beyond 500 ns, which stand for none, are NaN.

    Args:
        block: Jets in GeV and cm.
        low: Least momentum of a jet in GeV.
        high: Largest.
    """
    clusters, tracks = dict(block.streams[CLUSTERS.name]), dict(block.streams[TRACKS.name])
    segments, reach = dict(block.streams[SEGMENTS.name]), high - low
    sign = _sign(clusters["clus_eta"], clusters["clus_pt"])
    clusters["clus_pt"] = clusters["clus_pt"] / reach
    clusters |= _shares(clusters)
    clusters["clus_time"] = np.clip(clusters["clus_time"], -LATE, LATE)
    tracks["track_pt"] = tracks["track_pt"] / reach
    tracks["track_z0"] = tracks["track_z0"] / DEPTH_CM
    times = segments["MSeg_t0"]
    segments["MSeg_t0"] = np.where(np.abs(times) > NO_TIME, np.nan, times)
    streams = {CLUSTERS.name: clusters, TRACKS.name: tracks, SEGMENTS.name: segments}
    mirrored = {
        stream: {
            name: column * sign[:, None] if name in MIRRORED_INSIDE[stream] else column
            for name, column in columns.items()
        }
        for stream, columns in streams.items()
    }
    values = dict(block.values) | {"jet_pt": (block.values["jet_pt"] - low) / reach}
    values |= {name: values[name] * sign for name in MIRRORED if name in values}
    return JetBlock(values, mirrored, block.present)


def _shares(clusters: Mapping[str, Array]) -> dict[str, Array]:
    energies = {name: np.maximum(clusters[name], 0.0) for name in LAYERS}
    total = np.sum(list(energies.values()), axis=0)
    whole = np.where(total > 0, total, 1.0)
    return {name: energy / whole for name, energy in energies.items()}


def scaled_as_upstream(block: JetBlock, low: float, high: float) -> JetBlock:
    """Jets with the values of upstream's build step, padding and all.

    With D = high - low and momenta of clusters in MeV: jets (pt - low) / D, clusters
    (pt - low) / (1000 D), tracks (pt - low) / D; layers E / sum of E, which is NaN for padding;
    z of tracks in units of 250 mm. Clusters' eta is multiplied by the sign of the sum of eta pt
    over clusters, tracks' eta by that over tracks with scaled momenta; jets and segments stay.

    Args:
        block: Jets in GeV and cm.
        low: Least momentum of a jet in GeV.
        high: Largest.
    """
    streams = {
        stream: {name: in_their_unit(name, column) for name, column in columns.items()}
        for stream, columns in block.streams.items()
    }
    values = {name: in_their_unit(name, column) for name, column in block.values.items()}
    clusters, tracks, reach = streams[CLUSTERS.name], streams[TRACKS.name], high - low
    clusters["clus_eta"] = clusters["clus_eta"] * _column(
        _sign(clusters["clus_eta"], clusters["clus_pt"])
    )
    clusters["clus_pt"] = (clusters["clus_pt"] - low) / (1000 * reach)
    total = np.sum([clusters[name] for name in LAYERS], axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        clusters |= {name: clusters[name] / total for name in LAYERS}
    tracks["track_pt"] = (tracks["track_pt"] - low) / reach
    tracks["track_z0"] = tracks["track_z0"] / DEPTH_MM
    tracks["track_eta"] = tracks["track_eta"] * _column(
        _sign(tracks["track_eta"], tracks["track_pt"])
    )
    values["jet_pt"] = (values["jet_pt"] - low) / reach
    return JetBlock(values, streams, block.present)


def _sign(eta: Array, pt: Array) -> Array:
    """Signs of the sums of eta pt, 1 for 0, with shape (N,)."""
    return np.where((eta * pt).sum(axis=1) >= 0, 1.0, -1.0)


def _column(values: Array) -> Array:
    return values[:, None]
