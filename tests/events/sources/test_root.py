"""ROOT files: values against physics and other copies, trees, cycles, objects, truncation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from quarkline.engine.core.findings import InputError, QuarklineError, WorkError
from quarkline.events.sources import Source, list_trees, open_source


@pytest.fixture
def samples(data_folder: Path) -> Path:
    return data_folder / "root_samples"


@pytest.fixture(scope="module")
def daod(data_folder: Path) -> Iterator[Source]:
    """A tree with nested vectors and objects that cannot be read."""
    path = data_folder / "root_samples" / "uproot-issue-798.root"
    with open_source(path, tree="CollectionTree") as source:
        yield source


def write_tree(path: Path, **trees: dict[str, object]) -> Path:
    with uproot.recreate(path) as file:
        for name, columns in trees.items():
            file.mktree(name, {key: np.asarray(value).dtype for key, value in columns.items()})
            file[name].extend({key: np.asarray(value) for key, value in columns.items()})
    return path


def finding_of(path: Path, **options: object):
    with pytest.raises(InputError) as raised:
        open_source(path, **options)
    (finding,) = raised.value.findings
    return finding


def test_every_basic_type_of_the_sample_file(samples):
    """Entry i of this file holds i - 15 in the signed branches, i in the unsigned ones."""
    with open_source(samples / "uproot-sample-6.20.04-uncompressed.root") as source:
        events = source.read(list(source.schema.columns))
        assert source.schema.entries == 30
    entry = np.arange(30)
    for bits in (1, 2, 4, 8):
        assert events[f"i{bits}"].to_list() == (entry - 15).tolist()
        assert events[f"u{bits}"].to_list() == entry.tolist()
        fixed = (entry - 14)[:, np.newaxis] + np.arange(3)
        assert events[f"ai{bits}"].to_list() == fixed.tolist()
        assert ak.num(events[f"Ai{bits}"]).to_list() == events["n"].to_list()
    assert np.allclose(events["f8"], entry - 15 + 0.1, atol=1e-12)
    assert events["str"].to_list() == [f"hey-{i}" for i in entry]
    assert events["b"].to_list() == [i % 2 == 0 for i in entry]


@pytest.mark.parametrize("algorithm", ["lz4", "lzma", "zstd"])
def test_the_same_events_in_every_compression(samples, algorithm, equal):
    with (
        open_source(samples / "uproot-HZZ.root") as zlib,
        open_source(samples / f"uproot-HZZ-{algorithm}.root") as other,
    ):
        columns = list(zlib.schema.columns)
        assert zlib.schema == other.schema
        assert equal(other.read(columns), zlib.read(columns))


def test_split_objects_hold_what_the_flat_file_holds(samples):
    names = {"jetp4.fP.fX": "Jet_Px", "jetp4.fE": "Jet_E", "muonp4.fP.fZ": "Muon_Pz"}
    with (
        open_source(samples / "uproot-HZZ-objects.root") as objects,
        open_source(samples / "uproot-HZZ.root") as flat,
    ):
        split, plain = objects.read(list(names)), flat.read(list(names.values()))
    for member, branch in names.items():
        assert ak.all(ak.num(split[member]) == ak.num(plain[branch]))
        assert np.allclose(ak.flatten(split[member]), ak.flatten(plain[branch]), rtol=1e-6)


@pytest.mark.parametrize("step", [100, 798, 1000])
def test_objects_do_not_depend_on_where_baskets_end(samples, step, equal):
    """uproot 5.7 fails on ranges of fixed-size objects that end where a basket begins."""
    columns = ["MET.fX", "MC_lepton.fZ", "jetp4.fE"]
    with open_source(samples / "uproot-HZZ-objects.root") as source:
        whole = source.read(columns)
        chunks = [chunk.array for chunk in source.chunks(columns, step=step)]
        assert equal(ak.concatenate(chunks), whole)
        assert equal(source.read(columns, 798, 1596), whole[798:1596])


def test_the_stored_mass_is_that_of_the_stored_momenta(samples):
    parts = [f"{axis}{index}" for axis in ("E", "px", "py", "pz") for index in "12"]
    with open_source(samples / "uproot-Zmumu.root") as source:
        events = source.read([*parts, "M", "Type"])
    total = {axis: events[f"{axis}1"] + events[f"{axis}2"] for axis in ("E", "px", "py", "pz")}
    squared = total["E"] ** 2 - total["px"] ** 2 - total["py"] ** 2 - total["pz"] ** 2
    assert np.allclose(np.sqrt(squared), events["M"], atol=1e-3)
    assert set(events["Type"].to_list()) == {"GT", "TT", "GG"}


def test_truncated_floats_are_the_full_ones_rounded(samples):
    with open_source(samples / "uproot-demo-double32.root") as source:
        events = source.read(["fD64", "fI32", "fI16", "fF32"])
        assert source.schema["fI16"].dtype == "float64"
    assert ak.max(np.abs(events["fI32"] - events["fD64"])) < 2 * np.pi / 2**32 * 1.001
    assert ak.max(np.abs(events["fI16"] - events["fD64"])) < 2 * np.pi / 2**16
    assert np.allclose(events["fF32"], events["fD64"], rtol=1e-6)


def test_nested_vectors(daod):
    columns = ["METAssoc_AnalysisMETAux.calpx", "METAssoc_AnalysisMETAux.overlapIndices"]
    assert [daod.schema[name].depth for name in columns] == [2, 3]
    events = daod.read(columns)
    pieces = [chunk.array for chunk in daod.chunks(columns, step=7)]
    assert ak.concatenate(pieces).to_list() == events.to_list()
    assert ak.count(events[columns[0]]) > 0


def test_what_cannot_be_read_says_why_and_only_when_asked_for(daod):
    assert "McEventInfo" in daod.schema.metadata["unreadable"]
    assert len(daod.read(["EventInfoAuxDyn.mcEventWeights"])) == 40
    with pytest.raises(InputError) as raised:
        daod.read(["McEventInfo"])
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-008"
    assert "PileUpEventInfo" in finding.message


def test_jagged_branches_name_their_counter(data_folder):
    with open_source(data_folder / "dimuon_nanoaod" / "nanoaod_00.root") as source:
        assert source.schema.entries == 24690
        assert source.schema.metadata["counters"]["Muon_pt"] == "nMuon"
        events = source.read(["nMuon", "Muon_pt", "event"])
    assert ak.num(events["Muon_pt"]).to_list() == events["nMuon"].to_list()
    assert len(np.unique(events["event"])) == 24690


def test_several_trees_are_listed_with_their_entries(samples):
    finding = finding_of(samples / "uproot-issue-798.root")
    assert finding.code == "QL-EVENTS-006"
    assert "`CollectionTree` (40 entries)" in finding.message
    assert "--tree" in finding.suggestion


def test_an_rntuple_of_atlas_reads(samples):
    with open_source(samples / "uproot-physlite-rntuple_v1-0-0-0.root", tree="EventData") as source:
        assert source.schema.entries == 100
        assert source.schema["AnalysisJetsAuxDyn.pt"].depth == 1
        jets = source.read(["AnalysisJetsAuxDyn.pt", "AnalysisJetsAuxDyn.eta", "index_ref"])
    assert ak.num(jets["AnalysisJetsAuxDyn.pt"]).to_list() == (
        ak.num(jets["AnalysisJetsAuxDyn.eta"]).to_list()
    )
    with uproot.open(samples / "uproot-physlite-rntuple_v1-0-0-0.root") as file:
        expected = file["EventData"]["AnalysisJetsAuxDyn:pt"].array()
    assert jets["AnalysisJetsAuxDyn.pt"].to_list() == expected.to_list()


def test_an_unknown_tree_names_the_nearest(tmp_path):
    path = write_tree(tmp_path / "a.root", Events={"x": [1.0]})
    finding = finding_of(path, tree="events")
    assert finding.code == "QL-EVENTS-009"
    assert "`Events`" in finding.suggestion


def test_a_tree_in_a_folder_is_named_with_it(tmp_path):
    path = write_tree(tmp_path / "a.root", **{"nominal/tree": {"x": [1.0, 2.0]}})
    with open_source(path, tree="nominal/tree") as source:
        assert source.read(["x"])["x"].to_list() == [1.0, 2.0]
    with open_source(path) as source:
        assert source.schema.tree == "nominal/tree"


def test_of_several_cycles_the_highest_is_read(tmp_path):
    path = tmp_path / "cycles.root"
    with uproot.recreate(path) as file:
        for entries in (3, 5):
            file.mktree("Events", {"x": "float64"}).extend({"x": np.arange(entries, dtype=float)})
        assert set(file.keys()) == {"Events;2", "Events;1"}
    assert [(info.name, info.entries) for info in list_trees(path)] == [("Events", 5)]
    with open_source(path) as source:
        assert source.read(["x"])["x"].to_list() == [0, 1, 2, 3, 4]


def test_a_file_with_histograms_only_has_no_tree(tmp_path):
    path = tmp_path / "hist.root"
    with uproot.recreate(path) as file:
        file["h"] = np.histogram([1.0, 2.0])
    finding = finding_of(path)
    assert finding.code == "QL-EVENTS-005"
    assert "no tree" in finding.message


def test_a_tree_without_entries_is_read(tmp_path):
    path = write_tree(tmp_path / "empty.root", Events={"x": np.empty(0, "float32")})
    with open_source(path) as source:
        assert str(source.read(["x"]).type) == "0 * {x: float32}"


def test_a_tree_without_branches_is_read(data_folder):
    path = data_folder / "calratio" / "root" / "empty_divert_analysis_file.root"
    with open_source(path) as source:
        assert (source.schema.entries, dict(source.schema.columns)) == (0, {})


def test_truncated_at_any_offset_is_one_finding(tmp_path, write, events):
    whole = write("whole.root", events).read_bytes()
    for size in np.linspace(4, len(whole) - 1, 60).astype(int):
        path = tmp_path / "cut.root"
        path.write_bytes(whole[:size])
        finding = finding_of(path)
        assert finding.code == "QL-EVENTS-004"
        assert f"{size}" in finding.message


def test_a_damaged_basket_is_found_where_it_is_read(samples, tmp_path):
    source_path = samples / "uproot-HZZ-lz4.root"  # lz4 in ROOT carries checksums
    with uproot.open(source_path) as file:
        seek = file["events"]["Jet_Px"].member("fBasketSeek")[0]
    data = bytearray(source_path.read_bytes())
    data[seek + 200] ^= 0xFF
    path = tmp_path / "damaged.root"
    path.write_bytes(data)
    with open_source(path) as source:
        assert len(source.read(["NJet"])) == 2421
        with pytest.raises(WorkError) as raised:
            source.read(["Jet_Px"])
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-003"
    assert "`Jet_Px` cannot be read" in finding.message
    assert finding.place.label == "tree `events`"


def test_a_damaged_header_is_a_finding_or_without_effect(write, events, tmp_path):
    data = bytearray(write("whole.root", events).read_bytes())
    for position in range(4, 64):
        damaged = data.copy()
        damaged[position] ^= 0xFF
        path = tmp_path / "damaged.root"
        path.write_bytes(damaged)
        with contextlib.suppress(QuarklineError), open_source(path) as source:
            source.read(["flat_int8"])
