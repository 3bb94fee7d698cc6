"""What a skim holds: the events that pass, the branches that stay, sums and cut-flows."""

from __future__ import annotations

import json
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import result_from_json
from quarkline.engine.store.filekeys import file_key, source_id
from quarkline.events.sources import list_trees, open_source
from quarkline.events.table import TableMetadata
from quarkline.tools.skim import skim
from tests.events.skim.farm import config_of, contents, write_ntuple

CUTS = ["hard jet: jets_pt > 60", "flag == 1"]


def passing(path: Path) -> ak.Array:
    """The events of a file that pass `CUTS`, by uproot and awkward alone."""
    events = uproot.open(path)["nominal"].arrays()
    return events[ak.any(events.jets_pt > 60, axis=1) & (events.flag == 1)]


def test_an_output_holds_the_events_that_pass_with_every_branch(cut, ntuples, tmp_path):
    cut(select=CUTS)
    for path in ntuples.rglob("*.root"):
        expected = passing(path)
        found = uproot.open(tmp_path / "out" / path.relative_to(ntuples))["nominal"]
        assert found.num_entries == len(expected)
        for name in expected.fields:
            assert found[name].array().to_list() == expected[name].to_list(), name
        kinds = uproot.open(path)["nominal"].typenames()
        assert {name: found.typenames()[name] for name in kinds} == kinds


def test_a_row_says_which_entry_of_which_file_it_was(cut, ntuples, tmp_path):
    cut(select=CUTS, merge="sample")
    with open_source(tmp_path / "out" / "skim.root") as source:
        rows = source.read(["_source", "_entry", "_object", "eventNumber"])
    by_source = {source_id(file_key(path)): path for path in ntuples.rglob("*.root")}
    assert len(rows) > 50
    assert not np.any(rows._object)
    for row in rows:
        original = uproot.open(by_source[row["_source"]])["nominal"]["eventNumber"].array()
        assert original[row["_entry"]] == row.eventNumber


def test_a_skim_of_a_skim_keeps_the_first_rows_ids(cut, ntuples, tmp_path, here):
    cut(select=["flag == 1"])
    first = tmp_path / "out"
    again = config_of(first, tmp_path / "again", select=["jets_pt > 60"], files=f"{first}/*/*.root")

    skim(again, executor=here)
    path = ntuples / "mc20a" / "3.root"
    with open_source(tmp_path / "again" / "mc20a" / "3.root") as source:
        rows = source.read(["_source", "eventNumber"])
    assert set(rows._source.to_list()) == {source_id(file_key(path))}
    assert rows.eventNumber.to_list() == passing(path).eventNumber.to_list()


def test_branches_are_kept_and_dropped_by_glob(cut, tmp_path):
    cut(keep=["jets_*", "eventNumber"], drop=["*_eta", "_*"])
    path = tmp_path / "out" / "mc20a" / "0.root"
    names = set(uproot.open(path)["nominal"].keys())
    assert names == {"eventNumber", "jets_pt", "njets_pt"}  # the counter stays with its lists


@pytest.mark.parametrize(
    ("key", "glob", "hint"),
    [("keep", "jets_p", "`jets_pt`"), ("drop", "wieght", "`weight`"), ("keep", "x*", "branches")],
)
def test_a_glob_that_matches_no_branch(cut, tmp_path, key, glob, hint):
    with pytest.raises(InputError, match=f"`{glob[:1]}.*matches no branch") as error:
        cut(**{key: [glob]})
    assert hint in error.value.findings[0].suggestion
    assert not (tmp_path / "out").exists()


def test_two_lists_without_a_common_counter_need_not_be_of_one_length(tmp_path, here):
    path = tmp_path / "in" / "vectors.parquet"
    path.parent.mkdir()
    array = ak.Array({"lep_pt": [[1.0, 2.0], []], "lep_track_z": [[0.5], [1.5, 2.5]]})
    ak.to_parquet(array, path)

    keys = {"tree": None, "files": str(path), "format": "root"}
    skim(config_of(tmp_path, tmp_path / "out", **keys), executor=here)
    found = uproot.open(tmp_path / "out" / "vectors.root")["Events"]
    assert found["lep_pt"].array().to_list() == array.lep_pt.to_list()
    assert found["lep_track_z"].array().to_list() == array.lep_track_z.to_list()


class TestSums:
    """Sums of weights before cuts, and cut-flows."""

    def test_of_a_file_and_of_the_sample(self, cut, ntuples, tmp_path):
        outcome = cut(select=CUTS, weight="weight", sums={"squares": "weight * weight"})
        trees = [uproot.open(path)["nominal"] for path in ntuples.rglob("*.root")]
        every = np.concatenate([tree["weight"].array(library="np") for tree in trees])
        found = outcome.result.samples["skim"].trees["nominal"]
        total = found.sums["weight"]
        assert (total.events, total.negative) == (len(every), (every < 0).sum())
        assert total.sum_weights == pytest.approx(every.sum(), rel=1e-12)
        assert total.sum_weights2 == pytest.approx((every**2).sum(), rel=1e-12)
        assert found.sums["squares"].sum_weights == pytest.approx((every**2).sum(), rel=1e-12)
        kept = sum(len(passing(path)) for path in ntuples.rglob("*.root"))
        assert [step.name for step in found.flow.steps] == ["hard jet", "flag == 1"]
        assert found.flow.steps[-1].events == kept
        one = uproot.open(ntuples / "mc20d" / "7.root")["nominal"]["weight"].array(library="np")
        with open_source(tmp_path / "out" / "mc20d" / "7.root") as source:
            told = TableMetadata.from_json(source.schema.metadata["quarkline"])
        assert told.sum_of_weights == pytest.approx(one.sum(), rel=1e-12)
        assert (told.sample, told.tree) == ("skim", "nominal")
        assert told.cut_flow.events == len(one)

    def test_samples_have_cuts_and_weights_of_their_own(self, cut, ntuples):
        samples = {
            "signal": {"files": f"{ntuples}/mc20a/*.root", "select": ["flag == 1"]},
            "data": {"files": f"{ntuples}/mc20d/*.root", "weight": "1"},
        }
        outcome = cut(samples=samples, weight="weight", select=["jets_pt > 60"], merge="all")
        signal, data = (outcome.result.samples[name].trees["nominal"] for name in samples)
        assert [step.expression for step in signal.flow.steps] == ["flag == 1", "jets_pt > 60"]
        assert data.flow.sum_weights == data.flow.events == 120
        assert [file.file for file in outcome.result.outputs] == ["skim.root"]

    def test_results_hold_nothing_of_place_and_time(self, cut, tmp_path, ntuples):
        cut(select=CUTS)
        text = (tmp_path / "out" / "skim.json").read_text()
        assert str(tmp_path) not in text
        assert str(ntuples) not in text
        read = json.loads(text)
        assert read["schema"] == "quarkline.results/1"
        assert result_from_json(read["results"]["skim"]).as_json() == read["results"]["skim"]
        assert str(ntuples) in (tmp_path / "out" / "provenance.json").read_text()


class TestTrees:
    """Several trees of a file."""

    def test_a_copied_tree_comes_whole_and_once_a_file(self, cut, ntuples, tmp_path):
        cut(select=CUTS, copy_tree=["sum*"])
        for path in ntuples.rglob("*.root"):
            found = uproot.open(tmp_path / "out" / path.relative_to(ntuples))["sumWeights"]
            expected = uproot.open(path)["sumWeights"]
            assert found.arrays().to_list() == expected.arrays().to_list()

    @pytest.mark.parametrize("form", ["root", "rntuple"])
    def test_merged_files_have_the_copied_rows_of_each(self, cut, tmp_path, form):
        keys = {"copy_tree": ["sumWeights"], "merge": "sample", "format": form}
        cut(select=CUTS, max_size="50kB" if form == "root" else "3kB", **keys)
        files = sorted((tmp_path / "out").glob("skim_*.root"))
        assert len(files) > 1
        listed = [{tree.name: tree.entries for tree in list_trees(path)} for path in files]
        assert listed[0]["sumWeights"] == 5
        with open_source(files[0], tree="sumWeights") as source:
            assert sorted(source.read(["total"]).total.to_list()) == [0, 1, 2, 3, 7]
        assert all("sumWeights" not in trees for trees in listed[1:])

    def test_every_tree_can_be_cut(self, cut, tmp_path):
        outcome = cut(tree=["*"], keep=["*"], select=[])
        assert set(outcome.result.samples["skim"].trees) == {"nominal", "sumWeights"}

    def test_formats_with_one_table(self, cut, tmp_path):
        with pytest.raises(InputError, match="2 trees for a file of the format `parquet`"):
            cut(copy_tree=["sumWeights"], format="parquet")
        assert not (tmp_path / "out").exists()

    def test_a_tree_is_never_guessed(self, cut):
        with pytest.raises(InputError, match="holds 2 trees") as error:
            cut(tree=None)
        assert "--copy-tree" in error.value.findings[0].suggestion

    def test_the_one_that_is_not_copied_is_cut(self, cut):
        outcome = cut(tree=None, copy_tree=["sumWeights"])
        assert set(outcome.result.samples["skim"].trees) == {"nominal"}

    def test_an_unknown_tree(self, cut):
        with pytest.raises(InputError, match="no tree `nominel`") as error:
            cut(tree="nominel")
        assert error.value.findings[0].suggestion == "did you mean `nominal`?"


class TestOutputs:
    """Where events are written to, and how."""

    @pytest.mark.parametrize("form", ["root", "rntuple", "parquet", "hdf5"])
    def test_every_format_holds_the_same(self, cut, ntuples, tmp_path, form):
        outcome = cut(select=CUTS, merge="sample", format=form)
        (file,) = outcome.result.outputs
        with open_source(tmp_path / "out" / file.file) as source:
            found = source.read(["eventNumber", "jets_pt", "flag"])
        expected = [passing(path) for path in sorted(ntuples.rglob("*.root"))]
        for name in ("eventNumber", "jets_pt", "flag"):
            assert found[name].to_list() == [v for part in expected for v in part[name].to_list()]

    def test_csv_holds_no_lists(self, cut, tmp_path):
        with pytest.raises(InputError, match="`jets_pt` cannot be written"):
            cut(format="csv")
        assert cut(format="csv", drop=["jets_*"]).failures == ()

    @pytest.mark.parametrize("compression", ["zstd:9", "lz4:4", "zlib:1", "none"])
    @pytest.mark.parametrize("form", ["root", "parquet"])
    def test_compressions(self, cut, tmp_path, form, compression):
        outcome = cut(merge="sample", format=form, compression=compression)
        (file,) = outcome.result.outputs
        with open_source(tmp_path / "out" / file.file) as source:
            assert len(source.read(["weight"])) == 811

    def test_a_file_has_about_the_size_that_was_asked_for(self, tmp_path, here):
        path = write_ntuple(tmp_path / "in" / "a.root", 20_000, 1)
        keys = {"max_size": "300kB", "compression": "none"}
        outcome = skim(config_of(tmp_path / "in", tmp_path / "out", **keys), executor=here)
        sizes = [file.size for file in outcome.result.outputs]
        assert len(sizes) > 3
        assert [size for size in sizes[:-1] if not 270_000 < size < 400_000] == []
        numbers = range(1, len(sizes) + 1)
        whole = uproot.concatenate([f"{tmp_path}/out/a_{n}.root:nominal" for n in numbers])
        assert whole.eventNumber.to_list() == list(range(1_000_000, 1_020_000))
        assert whole.jets_pt.to_list() == uproot.open(path)["nominal"]["jets_pt"].array().to_list()

    def test_merged_files_must_have_the_same_branches(self, tmp_path, here):
        write_ntuple(tmp_path / "in" / "a.root", 10, 1)
        with uproot.recreate(tmp_path / "in" / "b.root") as file:
            file["nominal"] = {"flag": np.zeros(3, np.int8), "weight": np.zeros(3, np.float32)}

        keys = {"keep": ["w*", "f*"], "merge": "all"}
        with pytest.raises(InputError) as error:
            skim(config_of(tmp_path / "in", tmp_path / "out", **keys), executor=here)
        finding = error.value.findings[0]
        assert str(finding.place) == f"{tmp_path}/in/b.root"
        assert finding.message.startswith("tree `nominal`: `weight` is float32, and float64 in ")
        outcome = skim(config_of(tmp_path / "in", tmp_path / "out", keep=["w*"]), executor=here)
        assert len(outcome.result.outputs) == 2

    def test_two_inputs_never_share_an_output(self, cut, ntuples):
        both = {name: {"files": f"{ntuples}/mc20d/*.root"} for name in ("light", "heavy")}
        with pytest.raises(InputError, match="2 inputs would be written to `7`"):
            cut(samples=both)
        assert len(cut(samples=both, merge="sample").result.outputs) == 2

    def test_equal_events_give_equal_files_on_any_number_of_workers(self, cut, tmp_path):
        cut(select=CUTS, merge="sample", copy_tree=["sumWeights"])
        alone = contents(tmp_path / "out")
        (tmp_path / "out").rename(tmp_path / "alone")
        cut(select=CUTS, merge="sample", copy_tree=["sumWeights"], executor=LocalWorkers(2))
        assert contents(tmp_path / "out") == alone
