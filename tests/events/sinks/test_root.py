"""Trees laid out as NanoAOD: shared counters, names, and lists that do not fit together."""

from __future__ import annotations

import datetime as dt

import awkward as ak
import numpy as np
import pytest
import uproot

from quarkline.engine.core.findings import InputError
from quarkline.events.sinks import open_sink
from quarkline.events.sources import open_source
from quarkline.events.sources.base import record_array

MUONS = ak.Array([[30.0, 20.0], [], [10.0]])


def table(**columns: object) -> ak.Array:
    return record_array({name: ak.Array(values) for name, values in columns.items()}, 3)


def test_columns_with_a_prefix_share_its_counter(write):
    columns = {"Muon_pt": MUONS, "Muon_eta": -MUONS, "jets": MUONS, "jets_m_0": MUONS}
    events = table(**columns, run=[1, 1, 2])
    path = write("a.root", events, tree="Events")
    with uproot.open(path) as file:
        assert file.keys() == ["Events;1"]
        tree = file["Events"]
        assert set(tree.keys()) == {*columns, "nMuon", "njets", "run"}
        assert tree["nMuon"].array().tolist() == [2, 0, 1]
        assert tree["Muon_pt"].count_branch.name == "nMuon"
        assert tree["Muon_eta"].count_branch.name == "nMuon"
    with open_source(path) as source:
        assert source.schema.metadata["counters"]["Muon_pt"] == "nMuon"
        assert source.read(["Muon_pt"])["Muon_pt"].to_list() == MUONS.to_list()


def test_a_counter_among_the_columns_is_the_counter(write):
    path = write("a.root", table(nMuon=np.array([2, 0, 1], "int32"), Muon_pt=MUONS))
    with uproot.open(path) as file:
        assert sorted(file["Events"].keys()) == ["Muon_pt", "nMuon"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"Muon_pt": MUONS, "Muon_id": [[1], [], [2]]}, "1 `Muon_id` and 2 `Muon_pt`"),
        ({"Muon_pt": MUONS, "nMuon": [2, 0, 2]}, "2 `nMuon` and 1 `Muon_pt`"),
    ],
)
def test_lists_that_share_a_prefix_and_no_length_are_refused(tmp_path, columns, words):
    with pytest.raises(InputError) as raised, open_sink(tmp_path / "a.root") as sink:
        sink.write(table(**columns))
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-042"
    assert words in finding.message
    assert list(tmp_path.iterdir()) == []


def test_the_tree_has_the_name_that_was_asked_for(write):
    with open_source(write("a.root", table(x=[1, 2, 3]), tree="nominal")) as source:
        assert source.schema.tree == "nominal"


def test_the_clock_of_uproot_is_given_back(write):
    write("a.root", table(x=[1, 2, 3]))
    module = uproot.writing._cascade
    assert module.datetime.datetime is dt.datetime


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
def test_root_reads_what_was_written(write, events):
    """Draw gives float64; lists of 8-bit integers are text to ROOT and left out."""
    root = pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    lists = [name for name in events.fields if name.startswith("Jet_") and "int8" not in name]
    path = write("a.root", events[[*lists, "text", "matrix"]], step=300)
    file = root.TFile.Open(str(path))
    tree = file.Get("Events")
    assert tree.GetEntries() == len(events)
    assert tree.GetLeaf("Jet_float64").GetLeafCount().GetName() == "nJet"
    tree.SetEstimate(10 * len(events))
    for name in [*lists, "matrix"]:
        found = [tree.GetV1()[row] for row in range(tree.Draw(name, "", "goff"))]
        expected = ak.values_astype(ak.flatten(events[name], axis=None), "float64")
        assert found == expected.to_list()
    file.Close()


def test_several_trees_in_one_file(tmp_path, events, equal):
    path = tmp_path / "a.root"
    with open_sink(path, tree="first", metadata={"sample": "x"}) as sink:
        sink.write(events[:10])
        for name in ("second", "third"):
            with sink.beside(name) as other:
                other.write(events[10:30])
        sink.write(events[30:])
    with open_source(path, tree="second") as second, open_source(path, tree="first") as first:
        assert equal(second.read(events.fields), events[10:30])
        assert first.schema.entries == second.schema.entries + len(events) - 40
        assert first.schema.metadata["quarkline"] == {"sample": "x"}
    assert not list(tmp_path.glob(".*"))


def test_counters_that_are_named(tmp_path):
    """Lists of different lengths share a prefix, and a counter is in the file already."""
    array = ak.Array({"lep_pt": [[1.0], [2.0, 3.0]], "lep_z": [[], [1.0]], "NLep": [1, 2]})
    path = tmp_path / "a.root"
    with open_sink(path) as sink:
        sink.counters = {"lep_pt": "NLep", "lep_z": "nlep_z"}
        sink.write(array)
    with uproot.open(path) as file:
        tree = file["Events"]
        assert set(tree.keys()) == {"lep_pt", "lep_z", "NLep", "nlep_z"}
        assert tree["lep_pt"].count_branch.name == "NLep"
        assert tree["lep_z"].array().to_list() == [[], [1.0]]
