"""`quarkline simulate`: files whose events depend on the seed alone, and plain refusals."""

from __future__ import annotations

import json
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.yaml_file import read_yaml
from quarkline.studies.resonance.simulate import simulate_dimuons
from quarkline.studies.tagging.simulate.config import BENCHMARKS
from quarkline.tools.simulate import simulate


def events_of(paths) -> ak.Array:
    return ak.concatenate([uproot.open(path)["Events"].arrays() for path in paths])


@pytest.mark.parametrize("files", [1, 3])
def test_files_hold_what_was_simulated(tmp_path, files):
    result = simulate("upsilon", tmp_path / "sample", events=400, signal=50, seed=5, files=files)
    read = events_of(result.files)
    drawn = simulate_dimuons(350, 50, seed=5)
    assert set(read.fields) == set(drawn.fields)
    for name in drawn.fields:
        assert ak.almost_equal(read[name], drawn[name], rtol=0, atol=0), name
    assert [path.name for path in sorted((tmp_path / "sample").iterdir())] == [
        f"upsilon_{number:02d}.root" for number in range(files)
    ]


def test_the_layout_is_that_of_nanoaod(tmp_path):
    path = simulate("upsilon", tmp_path / "x.root", events=60).files[0]
    with uproot.open(path) as file:
        types = {branch.name: branch.typename for branch in file["Events"].branches}
        counter = file["Events"]["Muon_pt"].count_branch.name
    assert counter == "nMuon"
    expected = {
        "run": "uint32_t",
        "event": "uint64_t",
        "nMuon": "int32_t",
        "Muon_pt": "float[]",
        "Muon_charge": "int32_t[]",
        "Muon_tightId": "bool[]",
        "nJet": "int32_t",
        "Jet_pt": "float[]",
        "HLT_TrkMu15_DoubleTrkMu5NoFiltersNoVtx": "bool",
    }
    assert {name: types[name] for name in expected} == expected


def test_equal_seeds_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        simulate("upsilon", tmp_path / f"{name}.root", events=3000, seed=2)
    assert (tmp_path / "a.root").read_bytes() == (tmp_path / "b.root").read_bytes()


def test_the_result_counts_what_the_files_hold(tmp_path):
    result = simulate("upsilon", tmp_path, events=2000, signal=300, files=2)
    code = np.asarray(events_of(result.files).Gen_process)
    assert result.events == sum(result.composition.values()) == 2000
    assert sum(n for name, n in result.composition.items() if "Upsilon" in name) == 300
    assert result.composition["bottom"] == (code == 5).sum()
    assert result.composition["Upsilon(2S)"] == (code == 100553).sum()


def test_a_sample_may_be_empty_or_smaller_than_its_files(tmp_path):
    empty = simulate("upsilon", tmp_path / "empty.root", events=0)
    assert len(events_of(empty.files)) == 0
    few = simulate("upsilon", tmp_path / "few", events=2, files=3)
    assert [len(events_of([path])) for path in few.files] == [0, 1, 1]


def test_progress_ends_at_the_number_of_events(tmp_path):
    seen = []
    simulate(
        "upsilon", tmp_path, events=300, files=2, progress=lambda done, total: seen.append(done)
    )
    assert seen == sorted(seen)
    assert seen[-1] == 300


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"example": "upsilom"}, "QL-RUN-005", "did you mean `upsilon`?"),
        ({"events": 10, "signal": 11}, "QL-RUN-020", "11 signal events among 10"),
        ({"events": -1}, "QL-RUN-020", "-1 events"),
        ({"files": 0}, "QL-RUN-020", "0 files"),
        ({"files": 4, "output": "x.root"}, "QL-RUN-020", "--files 4"),
        ({"output": "old"}, "QL-RUN-021", "`upsilon_07.root`"),
    ],
)
def test_wrong_usage_is_one_finding_and_writes_nothing(tmp_path, arguments, code, words):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "upsilon_07.root").touch()
    before = sorted(tmp_path.rglob("*"))
    settings = {"example": "upsilon", "output": "new", "events": 5, **arguments}
    settings["output"] = tmp_path / settings["output"]
    with pytest.raises(InputError) as raised:
        simulate(settings.pop("example"), settings.pop("output"), **settings)
    (finding,) = raised.value.findings
    assert finding.code == code
    assert words in str(finding)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_command_says_what_to_type_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    called = CliRunner().invoke(
        app,
        ["simulate", "upsilon", "-o", "sim", "--events", "500", "--signal", "0", "--files", "2"],
    )
    assert called.exit_code == 0, called.output
    assert "wrote sim/upsilon_00.root sim/upsilon_01.root\n500 events" in called.stdout
    assert "Upsilon" not in called.stdout
    assert "quarkline run upsilon.yaml --set inputs.files='sim/upsilon_*.root'" in called.stdout


def test_the_command_writes_json(tmp_path):
    path = tmp_path / "x.root"
    called = CliRunner().invoke(
        app, ["simulate", "upsilon", "-o", str(path), "--events", "100", "--json"]
    )
    written = json.loads(called.stdout)
    assert written["kind"] == "simulation"
    assert written["files"] == [str(path)]
    assert sum(written["composition"].values()) == written["events"] == 100


def test_a_folder_of_jets_with_the_config_that_converts_them(tmp_path):
    result = simulate("calratio", tmp_path / "jets", events=300, seed=3)
    assert 150 < result.events < 320
    assert result.events == sum(uproot.open(path)["trees_DV_"].num_entries for path in result.files)
    assert set(result.composition) == {
        *("signal", "qcd", "bib", "control-simulation", "control-data"),
    }
    config = read_yaml(tmp_path / "jets" / "convert.yaml").data
    named = {path for item in config["ntuples"] for path in (tmp_path / "jets").glob(item["files"])}
    assert named == {Path(file) for file in result.files}
    masses = {(item["llp_mH"], item["llp_mS"]) for item in config["ntuples"] if "llp_mH" in item}
    assert len(masses) == len(BENCHMARKS)
    assert result.next_steps == (
        f"quarkline convert divertanalysis --config {tmp_path / 'jets' / 'convert.yaml'}",
    )
    with pytest.raises(InputError, match="no weights that could be negative"):
        simulate("calratio", tmp_path / "other", events=10, negative=0.1)
