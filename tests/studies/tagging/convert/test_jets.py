"""Jets of real ntuples are upstream's, row for row; every event is counted once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot

from quarkline.studies.tagging.columns import STREAMS
from quarkline.studies.tagging.convert import ntuple
from quarkline.studies.tagging.convert.constituents import members
from quarkline.studies.tagging.convert.jets import Cuts, Jets, jets_of
from quarkline.studies.tagging.convert.matching import Objects, nearest
from quarkline.studies.tagging.convert.table import own_table, own_units, upstream_table

UPSTREAM = Cuts(trigger_distance=None)
CASES = [
    ("sig_311314_bad_object_small", "sig", "convert_sig_311314__as_sig_mH600_mS275"),
    ("sig_311314_bad_object_small", "qcd", "convert_sig_311314__as_qcd"),
    ("bib", "bib", "convert_bib__as_bib"),
]


@pytest.fixture(scope="module")
def ntuples(data_folder: Path) -> Path:
    return data_folder / "calratio" / "root"


def read(ntuples: Path, name: str, kind: ntuple.Kind) -> ak.Array:
    with uproot.open(ntuples / f"{name}.root") as file:
        return file[ntuple.TREE].arrays(ntuple.BRANCHES[kind])


def invented(seed: int) -> ak.Array:
    """Events with objects of every number, jets without any, and objects of several jets."""
    random = np.random.default_rng(seed)
    n = 40
    counts = {"jet": random.integers(0, 5, n), "clus": random.integers(0, 70, n)}
    counts |= {"track": random.integers(0, 40, n), "MSeg": random.integers(0, 20, n)}
    counts |= {"llp": random.integers(0, 3, n), "HLT": random.integers(0, 3, n)}
    events: dict[str, Any] = {}
    names = {*ntuple.BRANCHES["sig"], *ntuple.BRANCHES["bib"]} - {*ntuple.EVENT, ntuple.WEIGHT}
    for name in sorted(names):
        count = counts[name.split("_")[0].replace("cluster", "clus")]
        values = random.normal(0.0, 0.3, count.sum())
        if name.endswith(("pT", "clus_pt")):
            values = random.choice([25.0, 41.0, 60.0, 80.0], len(values))  # some are equal
        elif name in ("llp_Lxy", "llp_Lz"):
            values = random.uniform(0, 5000, len(values))
        elif name.endswith("isBIB"):
            values = random.integers(0, 2, len(values))
        elif name == ntuple.CLUSTER_JET:
            values = random.integers(-1, 5, len(values))
        elif name in (ntuple.TRACK_JETS, ntuple.SEGMENT_JETS):
            times = random.integers(0, 3, len(values))
            values = ak.unflatten(random.integers(-1, 5, times.sum()), times)
        events[name] = ak.unflatten(values, count)
    events |= {"runNumber": np.ones(n, np.uint32), "eventNumber": np.arange(n, dtype=np.uint64)}
    return ak.zip(events | {"mcEventWeight": random.normal(size=n)}, depth_limit=1)


@pytest.mark.parametrize(("name", "kind", "expected"), CASES)
def test_upstreams_tables_come_out(
    ntuples: Path, name: str, kind: ntuple.Kind, expected: str
) -> None:
    table = upstream_table(jets_of(read(ntuples, name, kind), kind, UPSTREAM), (600.0, 275.0))
    golden = pq.read_table(ntuples.parent / "expected" / f"{expected}.parquet")
    assert list(table) == golden.column_names
    for column, values in table.items():
        assert values.dtype == golden[column].to_numpy().dtype, column
        assert values == pytest.approx(golden[column].to_numpy(), rel=1e-6, abs=1e-12), column


def test_nothing_survives_where_no_trigger_jet_is_marked(ntuples: Path) -> None:
    found = jets_of(read(ntuples, "bib_25563461_slice_error", "bib"), "bib", UPSTREAM)
    assert (len(found), found.events["no trigger jet of beam-induced background"]) == (0, 3)
    assert all(len(column) == 0 for column in own_table(found, (0.0, 0.0)).values())


def test_momenta_are_between_the_cuts(ntuples: Path) -> None:
    events = read(ntuples, "sig_311314_bad_object_small", "qcd")
    momenta = jets_of(events, "qcd", Cuts(25.0, 100.0)).values["jet_pt"]
    every = ak.flatten(events["jet_pT"][np.abs(events["jet_eta"]) <= 2.5]).to_numpy()
    assert len(momenta) == np.count_nonzero((every >= 25.0) & (every < 100.0))


def test_signal_is_near_its_decay_and_angles_are_relative(ntuples: Path) -> None:
    found = jets_of(read(ntuples, "sig_311314_bad_object_small", "sig"), "sig", UPSTREAM)
    table = own_table(found, (125.0, 55.0))
    phi = np.abs(table["jet_phi"] - table["llp_phi"])
    away = np.hypot(table["jet_eta"] - table["llp_eta"], np.minimum(phi, 2 * np.pi - phi))
    assert away.max() <= 0.4
    first = ak.fill_none(ak.firsts(table["clus_eta"]), 0.0)
    assert ak.to_numpy(first) == pytest.approx(0.0)
    for name in ("clus_phi", "track_phi", "MSeg_phiPos", "MSeg_phiDir"):
        assert np.abs(ak.flatten(table[name])).to_numpy().max(initial=0.0) <= np.pi


def test_our_tables_are_upstreams_in_our_units(ntuples: Path) -> None:
    found = jets_of(read(ntuples, "sig_311314_bad_object_small", "qcd"), "qcd", UPSTREAM)
    own, upstream = own_table(found, (0.0, 0.0)), upstream_table(found, (0.0, 0.0))
    factors = {"GeV": 1e-3, "cm": 0.1}
    units = own_units(own)
    for stream in STREAMS:
        for name in stream.stored:
            scale = factors.get(units.get(name, ""), 1.0) if name != "track_pt" else 1.0
            padded = ak.fill_none(ak.pad_none(own[name], stream.rows, clip=True), 0.0).to_numpy()
            expected = np.stack([upstream[f"{name}_{row}"] for row in range(stream.rows)], axis=1)
            assert padded == pytest.approx(expected * scale, rel=1e-5, abs=1e-6), name
        assert (ak.num(own[stream.stored[0]]).to_numpy() <= stream.rows).all()
        assert (own[f"n_{stream.name}"] >= ak.num(own[stream.stored[0]]).to_numpy()).all()


@pytest.mark.parametrize("kind", ["sig", "qcd", "bib"])
@pytest.mark.parametrize("seed", range(5))
def test_every_event_is_counted_once(kind: ntuple.Kind, seed: int) -> None:
    events = invented(seed)
    found = jets_of(events, kind, Cuts())
    assert sum(found.events.values()) == len(events)
    assert found.events["kept"] == len(np.unique(found.event))
    assert len(found) > 0


@pytest.mark.parametrize("seed", range(5))
def test_constituents_are_those_of_a_plain_loop(seed: int) -> None:
    events = invented(seed)
    found = jets_of(events, "qcd", Cuts())
    lists = events.to_list()
    for row in range(len(found)):
        event, jet = lists[found.event[row]], found.object[row]
        assert _values(found, row, "track_pt") == _of_jet(
            event, "track_pT", [jet in of for of in event[ntuple.TRACK_JETS]], falling=True
        )
        assert _values(found, row, "clus_pt") == _of_jet(
            event, "clus_pt", [of == jet for of in event[ntuple.CLUSTER_JET]], falling=True
        )
        assert _values(found, row, "MSeg_t0") == _of_jet(
            event, "MSeg_t0", [jet in of for of in event[ntuple.SEGMENT_JETS]], falling=False
        )


def _values(found: Jets, row: int, name: str) -> list[float]:
    streams = {"clus": found.clusters, "track": found.tracks, "MSeg": found.segments}
    return found.constituents[name][streams[name.split("_", maxsplit=1)[0]].jet == row].tolist()


def _of_jet(event: dict[str, Any], name: str, belongs: list[bool], *, falling: bool) -> list[float]:
    chosen = [value for value, kept in zip(event[name], belongs, strict=True) if kept]
    return sorted(chosen, reverse=True) if falling else chosen


def test_chunks_change_nothing() -> None:
    events = invented(7)
    whole = own_table(jets_of(events, "qcd", Cuts()), (0.0, 0.0))
    parts = [
        own_table(jets_of(part, "qcd", Cuts()), (0.0, 0.0)) for part in (events[:13], events[13:])
    ]
    for name, column in whole.items():
        joined = ak.concatenate([part[name] for part in parts])
        assert ak.array_equal(joined, ak.Array(column), dtype_exact=False), name


def test_the_first_of_equally_near_jets_is_taken() -> None:
    jets = Objects(np.array([0, 0, 2]), np.array([0.1, -0.1, 3.0]), np.zeros(3))
    decays = Objects(np.array([0, 1, 2]), np.zeros(3), np.array([0.0, 0.0, 2 * np.pi]))
    place, away = nearest(decays, jets)
    assert place.tolist() == [0, -1, 2]
    assert away == pytest.approx([0.1, np.inf, 3.0])


def test_a_claim_that_is_repeated_counts_once() -> None:
    claims = (np.array([0, 0, 0, 0]), np.array([1, 1, -1, 0]), np.array([3, 3, 2, 0]))
    found = members((np.array([0, 0, 0]), np.array([1, 2, 1])), claims)
    assert (found.counts.tolist(), found.index.tolist()) == ([1, 0, 1], [3, 3])


def test_claims_to_jets_that_cannot_be_are_nothing() -> None:
    claims = (np.array([0, 0, 1]), np.array([2**40, 1, -5]), np.array([0, 1, 2]))
    found = members((np.array([0, 1]), np.array([1, 0])), claims)
    assert (found.counts.tolist(), found.index.tolist()) == ([1, 0], [1])
