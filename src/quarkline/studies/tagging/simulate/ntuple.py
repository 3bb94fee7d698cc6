"""Simulated events in the layout of DiVertAnalysis ntuples, and as tables of their jets."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.convert import ntuple
from quarkline.studies.tagging.simulate.ragged import Constituents
from quarkline.studies.tagging.simulate.truth import Ints, TrueEvents, TrueJets

RUNS = {"simulation": 284_500, "data": 363_710}
CLEAN = (0.97, 0.9)
"""Share of jets that are clean: of collisions, and of muons along the beam."""
IN_SINGLE = {"clus_time", "track_chiSquared", "MSeg_t0", "MSeg_chiSquared"}
"""Branches of lists in 32 bits; all others are in 64."""
TRIGGER_ERROR = 0.01


def events_of(
    kind: ntuple.Kind,
    events: TrueEvents,
    parts: tuple[Constituents, Constituents, Constituents],
    first: int,
    draw: np.random.Generator,
    *,
    data: bool,
) -> ak.Array:
    """Events with the branches of `ntuple.BRANCHES[kind]`.

    Args:
        kind: What they hold.
        events: The events before the detector.
        parts: Clusters, tracks and muon segments of their jets.
        first: Number of the first event.
        draw: Decides which jets are clean, and what the trigger measures.
        data: Whether they are collisions; these have weight 1.
    """
    n, jets = events.number, events.jets
    per_event = np.bincount(jets.event, minlength=n)
    index = np.arange(len(jets)) - np.repeat(np.cumsum(per_event) - per_event, per_event)
    columns: dict[str, Any] = {
        "runNumber": np.full(n, RUNS["data" if data else "simulation"], np.uint32),
        "eventNumber": np.arange(first, first + n, dtype=np.uint64),
        **_lists(_jets(jets, draw), per_event),
        "nn_jet_index": ak.unflatten(index.astype(np.int32), per_event),
    }
    names = (ntuple.CLUSTER_JET, ntuple.TRACK_JETS, ntuple.SEGMENT_JETS)
    for part, name in zip(parts, names, strict=True):
        counts = np.bincount(jets.event, part.counts, n).astype(np.int64)
        owner = np.repeat(index, part.counts).astype(np.int32)
        columns |= _lists(part.columns | {name: owner}, counts)
    if kind == "sig":
        columns |= _lists(events.llps, np.full(n, 2))
    if kind == "bib":
        columns |= _lists(_trigger(jets, draw), per_event)
    if ntuple.WEIGHT in ntuple.BRANCHES[kind]:
        columns[ntuple.WEIGHT] = events.weight.astype(np.float32)
    return ak.zip(
        {name: columns[name] for name in ("nn_jet_index", *ntuple.BRANCHES[kind])}, depth_limit=1
    )


def _jets(jets: TrueJets, draw: np.random.Generator) -> dict[str, NDArray[Any]]:
    clean = draw.random(len(jets)) < np.where(jets.halo, CLEAN[1], CLEAN[0])
    return {
        "jet_pT": jets.pt,
        "jet_eta": jets.eta,
        "jet_phi": jets.phi,
        "jet_isClean_LooseBadLLP": clean.astype(np.int8),
    }


def _trigger(jets: TrueJets, draw: np.random.Generator) -> dict[str, NDArray[Any]]:
    """A trigger jet at each jet, that the trigger takes for beam-induced background."""
    pt, eta, phi = 1 + TRIGGER_ERROR * draw.standard_normal((3, len(jets)))
    return {
        "HLT_jet_pT": jets.pt * pt,
        "HLT_jet_eta": jets.eta + eta - 1,
        "HLT_jet_phi": jets.phi + phi - 1,
        "HLT_jet_isBIB": np.ones(len(jets), np.int32),
    }


def _lists(columns: Any, counts: Ints) -> dict[str, ak.Array]:
    """Branches of lists."""
    return {
        name: ak.unflatten(_stored(name, np.asarray(values)), counts)
        for name, values in columns.items()
    }


def _stored(name: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind != "f":
        whole = values.dtype.kind in "iu" and not name.startswith(("track_Pixel", "track_SCT"))
        return values if whole else values.astype(np.float64)
    return values.astype(np.float32 if name in IN_SINGLE else np.float64)
