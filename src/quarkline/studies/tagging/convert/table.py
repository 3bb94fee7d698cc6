"""Tables of jets: lists of constituents, or upstream's 815 columns with padding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.columns import CLUSTERS, LLP, SEGMENTS, TRACKS, Label, Stream
from quarkline.studies.tagging.convert import ntuple
from quarkline.studies.tagging.convert.constituents import Members
from quarkline.studies.tagging.convert.jets import Jets

Columns = dict[str, NDArray[Any] | ak.Array]

IN_OUR_UNITS = {"MeV": ("GeV", 1e-3), "mm": ("cm", 0.1)}
UNITS: Mapping[str, str] = {
    **dict.fromkeys(("jet_pt", "track_pt", "llp_pt", "llp_mH", "llp_mS"), "GeV"),
    **{name: "MeV" for name in ntuple.CLUSTERS if name == "clus_pt" or name.endswith("cal")},
    **dict.fromkeys(("track_d0", "track_z0", "llp_Lxy", "llp_Lz"), "mm"),
    **dict.fromkeys(("clus_time", "MSeg_t0"), "ns"),
    **dict.fromkeys(("jet_phi", "clus_phi", "track_phi", "MSeg_phiPos", "MSeg_phiDir"), "rad"),
    "llp_phi": "rad",
}
"""Units of an ntuple's columns."""

UPSTREAM_ORDER = {
    stream.name: tuple(ntuple.renamed(name) for name in names)
    for stream, names in (
        (TRACKS, ntuple.TRACKS),
        (CLUSTERS, ntuple.CLUSTERS),
        (SEGMENTS, ntuple.SEGMENTS),
    )
}
"""Columns of a constituent in upstream's tables of jets, stream by stream in their order."""

_JET = ("jet_eta", "jet_phi", "jet_isClean_LooseBadLLP", "jet_pt")


def own_table(jets: Jets, masses: tuple[float, float]) -> Columns:
    """A column of lists for each quantity of constituents; GeV, cm, ns, rad.

    Args:
        jets: The jets.
        masses: Masses of the heavy and the long-lived scalar in GeV; 0 for background.

    Returns:
        Columns of N rows. No more constituents than a network sees are kept; `n_<stream>` says how
        many there were.
    """
    table: Columns = dict(_front(jets, masses))
    for name in (*_JET, *LLP):
        table[name] = _in_our_unit(name, _value(jets, name))
    for stream, found in _streams(jets):
        first = found.first(stream.rows)
        kept = found.places < stream.rows
        table[f"n_{stream.name}"] = found.counts.astype(np.int32)
        for name in stream.stored:
            column = _in_our_unit(name, jets.constituents[name][kept])
            table[name] = ak.unflatten(column.astype(np.float32), first.counts)
    return table


def upstream_table(jets: Jets, masses: tuple[float, float]) -> Columns:
    """The columns, order, types and units of upstream's converter."""
    front = _front(jets, masses)
    signal = jets.label is Label.SIGNAL
    table: Columns = {name: front.pop(name) for name in ("label", "llp_mS", "llp_mH")}
    llps = {"llp_pT" if name == "llp_pt" else name: _value(jets, name) for name in LLP}
    if not signal:
        table |= {name: llps[name] for name in ("llp_pT", *LLP[:-1])}
    weight = front.pop("mcEventWeight")
    if jets.label is not Label.BIB:
        table["mcEventWeight"] = weight
    table |= front
    table |= {name: _value(jets, name) for name in _JET}
    found = {stream.name: (stream, members) for stream, members in _streams(jets)}
    for name in UPSTREAM_ORDER:
        table |= _padded(jets, *found[name])
    if signal:
        table |= {name: _value(jets, name) for name in LLP}
    if jets.label is Label.BIB:
        table["mcEventWeight"] = weight
    return table


def own_units(table: Columns) -> dict[str, str]:
    """Units of those columns of our table that have one."""
    return {
        name: IN_OUR_UNITS.get(UNITS[name], (UNITS[name],))[0] for name in table if name in UNITS
    }


def _front(jets: Jets, masses: tuple[float, float]) -> dict[str, NDArray[Any]]:
    """What a jet is, how much it counts, and of which event it is."""
    ones = np.ones(len(jets), np.int64)
    heavy, light = masses if jets.label is Label.SIGNAL else (0.0, 0.0)
    return {
        "label": ones * jets.label,
        "llp_mS": np.full(len(jets), light),
        "llp_mH": np.full(len(jets), heavy),
        "mcEventWeight": jets.values.get(ntuple.WEIGHT, ones),
        **{name: jets.values[name] for name in ntuple.EVENT},
    }


def _value(jets: Jets, name: str) -> NDArray[Any]:
    """A column of the jets; 0 where there is no long-lived particle."""
    return jets.values.get(name, np.zeros(len(jets)))


def _streams(jets: Jets) -> tuple[tuple[Stream, Members], ...]:
    return (CLUSTERS, jets.clusters), (TRACKS, jets.tracks), (SEGMENTS, jets.segments)


def _padded(jets: Jets, stream: Stream, found: Members) -> Columns:
    """Columns `x_i`, constituent by constituent in the ntuple's order of columns, 0 for none."""
    places, jet = found.places, found.jet
    kept = places < stream.rows
    padded = {}
    for name in UPSTREAM_ORDER[stream.name]:
        values = jets.constituents[name]
        padded[name] = np.zeros((len(jets), stream.rows), values.dtype)
        padded[name][jet[kept], places[kept]] = values[kept]
    return {
        f"{name}_{row}": column[:, row]
        for row in range(stream.rows)
        for name, column in padded.items()
    }


def _in_our_unit(name: str, values: NDArray[Any]) -> NDArray[Any]:
    _, factor = IN_OUR_UNITS.get(UNITS.get(name, ""), ("", None))
    return values if factor is None else values * factor
