"""RNTuples: the types uproot and ROOT write, several clusters, missing values, and damage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from quarkline.engine.core.findings import WorkError
from quarkline.events.sources import open_source

NESTED = ak.Array([[[1, 2], []], [], [[3]], [[], [4, 5, 6]]])
PARTS = {
    "flat": ak.Array([1.5, 2.5, 3.5, 4.5]),
    "nested": NESTED,
    "jets": ak.Array(
        [[{"pt": 1.0, "id": 3}], [], [], [{"pt": 2.0, "id": 4}, {"pt": 3.0, "id": 5}]]
    ),
    "texts": ak.Array([["a", ""], [], ["é"], []]),
    "fixed": ak.from_numpy(np.arange(8, dtype="int16").reshape(4, 2)),
    "part": ak.Array([{"x": 1.0, "y": {"z": 2}}] * 4),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Four clusters of four events."""
    path = tmp_path / "a.root"
    events = ak.Array(PARTS)
    with uproot.recreate(path) as file:
        ntuple = file.mkrntuple("Events", events.layout.form)
        for _ in range(4):
            ntuple.extend(events)
    return path


def test_every_type_reads_with_members_of_objects_as_columns(path):
    with open_source(path) as source:
        schema = source.schema
        events = source.read(list(schema.columns))
    assert schema.entries == 16
    assert set(schema.columns) == {
        *("flat", "nested", "jets.pt", "jets.id", "texts", "fixed", "part.x", "part.y.z")
    }
    assert schema["nested"].depth == 2
    assert schema["fixed"].shape == (2,)
    assert events["nested"].to_list() == NESTED.to_list() * 4
    assert events["jets.id"].to_list() == [[3], [], [], [4, 5]] * 4
    assert events["texts"].to_list() == PARTS["texts"].to_list() * 4
    assert events["fixed"].to_list() == PARTS["fixed"].to_list() * 4
    assert events["part.y.z"].to_list() == [2] * 16


@pytest.mark.parametrize("step", [1, 3, 4, 7, 16, 100])
def test_clusters_do_not_show_in_chunks(path, step, equal):
    with open_source(path) as source:
        columns = list(source.schema.columns)
        chunks = [chunk.array for chunk in source.chunks(columns, step=step)]
        assert equal(ak.concatenate(chunks), source.read(columns))
        assert equal(source.read(columns, 3, 9), source.read(columns)[3:9])


def test_missing_floats_are_nan_and_other_missing_values_are_refused(tmp_path):
    path = tmp_path / "a.root"
    events = ak.Array({"x": [1.0, None, 3.0], "n": [1, None, 3], "all": ak.Array([5, 6, 7])})
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", events)
    with open_source(path) as source:
        assert np.isnan(source.read(["x"])["x"]).tolist() == [False, True, False]
        assert source.read(["all"])["all"].to_list() == [5, 6, 7]
        with pytest.raises(WorkError, match="1 of 3 values are missing"):
            source.read(["n"])


def test_an_ntuple_without_entries_keeps_its_types(tmp_path):
    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", ak.Array(PARTS).layout.form)
    with open_source(path) as source:
        (chunk,) = source.chunks(["nested", "jets.pt", "texts"])
    assert str(chunk.array.type) == (
        '0 * {nested: var * var * int64, "jets.pt": var * float64, texts: var * string}'
    )


def test_a_tree_and_an_ntuple_in_one_file_are_both_read(tmp_path):
    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        file.mktree("old", {"x": "f8"}).extend({"x": np.arange(3.0)})
        file.mkrntuple("new", {"x": np.arange(2.0)})
    for name, entries in (("old", 3), ("new", 2)):
        with open_source(path, tree=name) as source:
            assert source.read(["x"])["x"].to_list() == list(range(entries))


def test_the_members_of_real_objects_agree_in_number(data_folder):
    """PHYSLITE: track parameters of one collection have equal lengths, and angles are angles."""
    path = data_folder / "root_samples" / "uproot-physlite-rntuple_v1-0-0-0.root"
    names = [f"InDetTrackParticlesAuxDyn.{name}" for name in ("phi", "theta", "qOverP", "z0")]
    with open_source(path, tree="EventData") as source:
        tracks = source.read(names)
    counts = ak.num(tracks[names[0]])
    assert ak.sum(counts) > 1000
    assert all(ak.all(ak.num(tracks[name]) == counts) for name in names)
    assert ak.max(abs(tracks[names[0]])) <= np.pi + 1e-6
    assert 0 < ak.min(tracks[names[1]]) < ak.max(tracks[names[1]]) < np.pi


def test_a_changed_bit_in_a_page_of_roots_is_found_where_it_is_read(data_folder, tmp_path):
    """ROOT writes a checksum behind every page, uproot does not."""
    whole = data_folder / "root_samples" / "uproot-physlite-rntuple_v1-0-0-0.root"
    column, field = "AnalysisJetsAuxDyn.pt", "AnalysisJetsAuxDyn:pt"
    with uproot.open(whole) as file:
        ntuple = file["EventData"]
        (top,) = [n for n, f in enumerate(ntuple.field_records) if f.field_name == field]
        parents = {n: f.parent_field_id for n, f in enumerate(ntuple.field_records)}
        (values,) = [
            n
            for n, c in enumerate(ntuple.column_records)
            if parents[c.field_id] == top != c.field_id
        ]
        page = ntuple.page_link_list[0][values].pages[0]
    assert page.has_checksum
    data = bytearray(whole.read_bytes())
    data[page.locator.offset + page.locator.num_bytes // 2] ^= 1
    path = tmp_path / "damaged.root"
    path.write_bytes(data)
    with open_source(path, tree="EventData") as source:
        assert len(source.read(["AnalysisJetsAuxDyn.eta"])) == 100
        with pytest.raises(WorkError, match="the checksum of the page at byte"):
            source.read([column])


WRITE = """
import sys, ROOT
ROOT.gInterpreter.Declare('''
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriter.hxx>
#include <optional>
void write(const char *path) {
  auto model = ROOT::RNTupleModel::Create();
  auto x = model->MakeField<double>("x");
  auto pt = model->MakeField<std::vector<float>>("pt");
  auto nested = model->MakeField<std::vector<std::vector<int>>>("nested");
  auto text = model->MakeField<std::string>("text");
  auto maybe = model->MakeField<std::optional<float>>("maybe");
  auto fixed = model->MakeField<std::array<int, 3>>("fixed");
  auto pair = model->MakeField<std::pair<int, float>>("pair");
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "Events", path);
  for (int i = 0; i < 1000; ++i) {
    *x = 0.5 * i; pt->assign(i % 4, float(i)); nested->assign(i % 3, std::vector<int>(i % 2, i));
    *text = std::to_string(i); *fixed = {i, i + 1, i + 2}; *pair = {i, 2.f * i};
    if (i % 2) *maybe = float(i); else maybe->reset();
    writer->Fill();
    if (i % 300 == 299) writer->CommitCluster();
  }
}
''')
ROOT.write(sys.argv[1])
"""


@pytest.mark.oracle
def test_what_root_writes_is_read(tmp_path):
    pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    path = tmp_path / "root.root"
    subprocess.run([sys.executable, "-c", WRITE, str(path)], check=True, timeout=200)
    with open_source(path) as source:
        columns = ["x", "pt", "nested", "text", "maybe", "fixed"]
        assert set(columns) <= set(source.schema.columns)
        events = source.read(columns)
    entry = np.arange(1000)
    assert events["x"].to_list() == (0.5 * entry).tolist()
    assert events["pt"].to_list() == [[i] * (i % 4) for i in entry.tolist()]
    assert events["nested"].to_list() == [[[i] * (i % 2)] * (i % 3) for i in entry.tolist()]
    assert events["text"].to_list() == [str(i) for i in entry.tolist()]
    assert events["fixed"].to_list() == (entry[:, np.newaxis] + np.arange(3)).tolist()
    maybe = events["maybe"].to_numpy()
    assert np.array_equal(maybe, np.where(entry % 2, entry, np.nan), equal_nan=True)
