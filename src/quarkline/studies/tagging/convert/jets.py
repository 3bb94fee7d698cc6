"""Jets of the events of an ntuple, one row each, and what became of every event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.columns import Label
from quarkline.studies.tagging.convert import ntuple
from quarkline.studies.tagging.convert.constituents import Ints, Members, members, wrapped
from quarkline.studies.tagging.convert.matching import (
    MATCHED,
    MAX_ETA,
    Objects,
    in_calorimeter,
    nearest,
)

Flat = Mapping[str, NDArray[Any]]

CONTROL_DATA = Label.BIB
"""Data of a control region have label 2, too."""
LABELS: dict[ntuple.Kind, Label] = {
    "sig": Label.SIGNAL,
    "qcd": Label.QCD,
    "bib": Label.BIB,
    "data": CONTROL_DATA,
}
UNEQUAL = "lists of different lengths"
"""What becomes of an event that has, say, more momenta of tracks than angles."""


@dataclass(frozen=True)
class Cuts:
    """What jets are taken.

    Attributes:
        min_pt: Least transverse momentum in GeV, itself included.
        max_pt: Largest, not included.
        trigger_distance: Largest distance in eta and phi between a trigger jet of beam-induced
            background and the jet it became; None for any.
    """

    min_pt: float = 40.0
    max_pt: float = 500.0
    trigger_distance: float | None = MATCHED


@dataclass(frozen=True)
class Jets:
    """Jets of some events.

    Attributes:
        label: What they are.
        event: Number of each jet's event among those read, with shape (N,).
        object: Place of each jet among the jets of its event in the ntuple.
        values: Columns of the jets and of their events, each with shape (N,).
        clusters: The clusters of each jet, the hardest first.
        tracks: Its tracks, the hardest first.
        segments: Its muon segments, in the ntuple's order.
        constituents: Columns of the clusters, tracks and segments of the jets, in this order, in
            which angles are relative.
        events: Number of events by what became of them; together they are all events.
    """

    label: Label
    event: Ints
    object: Ints
    values: Flat
    clusters: Members
    tracks: Members
    segments: Members
    constituents: Flat
    events: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.event)


@dataclass(frozen=True)
class _Good:
    """Jets that pass, in falling order of momentum in each event."""

    event: Ints
    index: Ints
    values: Flat

    @property
    def objects(self) -> Objects:
        return Objects(self.event, self.values["jet_eta"], self.values["jet_phi"])


@dataclass(frozen=True)
class _Rows:
    """Which jets become rows, with what belongs to them."""

    jet: Ints
    values: Flat
    events: dict[str, int]


def jets_of(events: ak.Array, kind: ntuple.Kind, cuts: Cuts) -> Jets:
    """The jets of events that are kept.

    Args:
        events: Record array with the branches of `ntuple.BRANCHES[kind]`.
        kind: What they hold.
        cuts: What jets are taken.

    Returns:
        Signal: for each long-lived particle that decays in the calorimeters, the nearest jet
        within 0.4; a jet near two of them comes twice. Multijets: every jet. Beam-induced
        background: for each trigger jet marked so, the nearest jet. An event whose lists do not
        belong together has no jets.
    """
    sound = _sound(events, kind)
    if sound.all():
        return _jets_of(events, kind, cuts)
    found = _jets_of(events[sound], kind, cuts)
    told = {**found.events, UNEQUAL: int((~sound).sum())}
    return replace(found, event=np.flatnonzero(sound)[found.event], events=told)


def _jets_of(events: ak.Array, kind: ntuple.Kind, cuts: Cuts) -> Jets:
    good = _good(events, cuts)
    rows = _CHOICES[kind](events, good, cuts)
    chosen = rows.jet
    event, index = good.event[chosen], good.index[chosen]
    values = {name: column[chosen] for name, column in good.values.items()} | dict(rows.values)
    for name in (*ntuple.EVENT, *((ntuple.WEIGHT,) if kind == "qcd" else ())):
        values[name] = ak.to_numpy(events[name])[event]
    clusters, tracks, segments = _members(events, (event, index))
    return Jets(
        LABELS[kind],
        event,
        index,
        values,
        clusters,
        tracks,
        segments,
        _clusters(events, clusters)
        | _tracks(events, tracks, values)
        | _segments(events, segments, values),
        rows.events,
    )


def _sound(events: ak.Array, kind: ntuple.Kind) -> NDArray[np.bool_]:
    """Events in which all lists of objects of one kind are equally long."""
    sound = np.ones(len(events), bool)
    for names in ntuple.TOGETHER:
        read = [name for name in names if name in ntuple.BRANCHES[kind]]
        counts = [ak.num(events[name]).to_numpy() for name in read]
        for other in counts[1:]:
            sound &= other == counts[0]
    return sound


def _good(events: ak.Array, cuts: Cuts) -> _Good:
    """Jets that pass, by falling momentum."""
    flat = {ntuple.renamed(name): _flat(events, name) for name in ntuple.JETS}
    counts = ak.num(events["jet_pT"]).to_numpy()
    event = np.repeat(np.arange(len(counts)), counts)
    index = np.arange(len(event)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.lexsort((-flat["jet_pt"].astype(np.float64), event))
    pt, eta = flat["jet_pt"][order], flat["jet_eta"][order]
    kept = order[(pt >= cuts.min_pt) & (pt < cuts.max_pt) & (np.abs(eta) <= MAX_ETA)]
    return _Good(event[kept], index[kept], {name: item[kept] for name, item in flat.items()})


def _multijets(events: ak.Array, good: _Good, cuts: Cuts) -> _Rows:  # noqa: ARG001
    with_jet = len(np.unique(good.event))
    return _Rows(
        np.arange(len(good.event)), {}, {"kept": with_jet, "no jet": len(events) - with_jet}
    )


def _signal(events: ak.Array, good: _Good, cuts: Cuts) -> _Rows:  # noqa: ARG001
    values = {ntuple.renamed(name): _flat(events, name) for name in ntuple.LLPS}
    event = _event(events, "llp_eta")
    inside = in_calorimeter(values["llp_eta"], values["llp_Lxy"], values["llp_Lz"])
    values = {name: column[inside] for name, column in values.items()}
    decays = Objects(event[inside], values["llp_eta"], values["llp_phi"])
    jet, away = nearest(decays, good.objects)
    matched = away <= MATCHED
    told = _told(
        len(events),
        ("no decay in the calorimeters", decays.event),
        ("no jet", good.event),
        ("no jet near a decay", decays.event[matched]),
    )
    return _Rows(jet[matched], {name: item[matched] for name, item in values.items()}, told)


def _background(events: ak.Array, good: _Good, cuts: Cuts) -> _Rows:
    marked = _flat(events, "HLT_jet_isBIB") == 1
    event = _event(events, "HLT_jet_eta")[marked]
    trigger = Objects(
        event, _flat(events, "HLT_jet_eta")[marked], _flat(events, "HLT_jet_phi")[marked]
    )
    jet, away = nearest(trigger, good.objects)
    limit = np.inf if cuts.trigger_distance is None else cuts.trigger_distance
    matched = (jet >= 0) & (away <= limit)
    told = _told(
        len(events),
        ("no trigger jet of beam-induced background", event),
        ("no jet", good.event),
        ("no jet near the trigger jet", event[matched]),
    )
    return _Rows(jet[matched], {}, told)


_CHOICES: dict[ntuple.Kind, Callable[[ak.Array, _Good, Cuts], _Rows]] = {
    "sig": _signal,
    "qcd": _multijets,
    "bib": _background,
    "data": _multijets,
}


def _told(events: int, *demands: tuple[str, Ints]) -> dict[str, int]:
    """Events by the first demand that they fail; each names the events that meet it."""
    left = np.ones(events, bool)
    told = {}
    for reason, met in demands:
        passing = np.zeros(events, bool)
        passing[met] = True
        told[reason] = int((left & ~passing).sum())
        left &= passing
    return {"kept": int(left.sum())} | told


def _members(events: ak.Array, jets: tuple[Ints, Ints]) -> tuple[Members, Members, Members]:
    def claims(name: str) -> tuple[Ints, Ints, Ints]:
        column = events[name]
        counts = ak.num(column).to_numpy()
        event = np.repeat(np.arange(len(counts)), counts)
        number = np.arange(len(event))
        if column.ndim > 2:
            times = ak.flatten(ak.num(column, axis=2)).to_numpy()
            event, number = np.repeat(event, times), np.repeat(number, times)
        return event, ak.flatten(column, axis=None).to_numpy().astype(np.int64), number

    return (
        members(jets, claims(ntuple.CLUSTER_JET), falling=_flat(events, "clus_pt")),
        members(jets, claims(ntuple.TRACK_JETS), falling=_flat(events, "track_pT")),
        members(jets, claims(ntuple.SEGMENT_JETS)),
    )


def _clusters(events: ak.Array, found: Members) -> dict[str, NDArray[Any]]:
    """Columns of clusters; angles relative to the hardest of the jet."""
    values = _taken(events, ntuple.CLUSTERS, found)
    first = found.leading()
    values["clus_eta"] = values["clus_eta"] - values["clus_eta"][first]
    values["clus_phi"] = wrapped(values["clus_phi"] - values["clus_phi"][first])
    return values


def _tracks(events: ak.Array, found: Members, jets: Flat) -> dict[str, NDArray[Any]]:
    values = _taken(events, ntuple.TRACKS, found)
    values["track_eta"] = values["track_eta"] - jets["jet_eta"][found.jet]
    values["track_phi"] = wrapped(values["track_phi"] - jets["jet_phi"][found.jet])
    return values


def _segments(events: ak.Array, found: Members, jets: Flat) -> dict[str, NDArray[Any]]:
    """Columns of segments; the direction's pseudorapidity stays absolute, as upstream has it."""
    values = _taken(events, ntuple.SEGMENTS, found)
    values["MSeg_etaPos"] = values["MSeg_etaPos"] - jets["jet_eta"][found.jet]
    for name in ("MSeg_phiPos", "MSeg_phiDir"):
        values[name] = wrapped(values[name] - jets["jet_phi"][found.jet])
    return values


def _taken(events: ak.Array, names: Sequence[str], found: Members) -> dict[str, NDArray[Any]]:
    return {ntuple.renamed(name): _flat(events, name)[found.index] for name in names}


def _flat(events: ak.Array, name: str) -> NDArray[Any]:
    flat: NDArray[Any] = ak.flatten(events[name]).to_numpy()
    return flat


def _event(events: ak.Array, name: str) -> Ints:
    counts = ak.num(events[name]).to_numpy()
    return np.repeat(np.arange(len(counts)), counts)
