"""`quarkline doctor` on a TRExFitter config: what it names, and what the values in it say."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import uproot

from quarkline.catalog import Catalog
from quarkline.catalog.checks import check_catalog
from quarkline.catalog.inputs import input_samples
from quarkline.cli.main import main
from quarkline.engine.core.findings import Finding, Place
from quarkline.engine.workflow import study
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.study import StudyConfig
from quarkline.tools.config_inputs import checks_of, load_inputs
from quarkline.tools.doctor import doctor_config, examination

ROWS = 400
CONFIG = """\
Job: "test"
  ReadFrom: NTUP
  POI: mu
  NtuplePaths: {folder}
  NtupleName: nominal
  MCweight: weight_mc
  Lumi: 140
  ReplacementFile: values.txt

Region: SR
  Type: SIGNAL
  Variable: "pt",10,0,100
  Selection: good != 0 && XXX_CUT

Sample: S
  Type: SIGNAL
  NtupleFiles: s
  NormFactor: mu,1,0,10

Sample: B
  Type: BACKGROUND
  NtupleFiles: b1,b2

Sample: Data
  Type: DATA
  NtupleFiles: data
"""


def events(seed: int, rows: int = ROWS) -> dict[str, np.ndarray]:
    """Clean columns."""
    rng = np.random.default_rng(seed)
    return {
        "eventNumber": np.arange(rows, dtype=np.int64) + 10**6 * seed,
        "runNumber": np.full(rows, 7, np.int32),
        "pt": rng.exponential(20, rows).astype(np.float32),
        "good": rng.integers(0, 2, rows).astype(np.int32),
        "weight_mc": rng.uniform(0.5, 1.5, rows),
    }


def write(path: Path, data: dict[str, np.ndarray]) -> None:
    with uproot.recreate(path) as file:
        tree = file.mktree("nominal", {name: values.dtype for name, values in data.items()})
        if len(data["pt"]):
            tree.extend(data)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A sound analysis with its files."""
    folder = tmp_path / "ntuples"
    folder.mkdir()
    for seed, name in enumerate(("s", "b1", "b2", "data"), start=1):
        write(folder / f"{name}.root", events(seed))
    (tmp_path / "values.txt").write_text("XXX_CUT: pt > 1\n")
    path = tmp_path / "a.config"
    path.write_text(CONFIG.format(folder=folder))
    return path


def found(config: Path, **options) -> dict[str, str]:
    """Message by code; a code stands once."""
    report = doctor_config(load_inputs(config, **options))
    messages = {item["code"]: item["message"] for item in report.findings}
    assert len(messages) == len(report.findings)
    return messages


def test_a_sound_analysis_has_nothing_wrong(config):
    report = doctor_config(load_inputs(config))
    assert (report.findings, report.files, report.events) == ((), 4, 4 * ROWS)


def weights(change) -> dict[str, np.ndarray]:
    values = events(2)["weight_mc"]
    change(values)
    return {"weight_mc": values}


def put(where, value):
    def change(values):
        values[where] = value

    return change


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        (weights(put(slice(0, 3), np.nan)), "QL-CHECK-008", "is NaN in 3 of 800 events"),
        (weights(put(slice(0, 1), np.inf)), "QL-CHECK-008", "is infinite in 1 of 800 events"),
        (weights(put(slice(None), 0)), "QL-CHECK-008", "is 0 in all 400 events"),
        (weights(put(slice(0, 8), -1)), "QL-CHECK-050", "negative in 8 of 800 events (1 %)"),
        (weights(put(7, 900)), "QL-CHECK-009", "event 7 has the weight 900"),
        ({"pt": np.full(ROWS, np.nan, np.float32)}, "QL-CHECK-002", "`pt`: 400 NaN of 800 values"),
    ],
)
def test_what_is_wrong_with_values_is_found_by_its_name(config, changed, code, said):
    write(config.parent / "ntuples" / "b1.root", {**events(2), **changed})
    messages = found(config)
    assert set(messages) == {code}
    assert said in messages[code]


def test_weights_that_add_up_to_less_than_nothing_are_an_error(config):
    for seed, name in ((2, "b1"), (3, "b2")):
        data = events(seed)
        write(config.parent / "ntuples" / f"{name}.root", {**data, "weight_mc": -data["weight_mc"]})
    messages = found(config)
    assert "of 800 events, 800 of them negative, add up to -" in messages["QL-CHECK-008"]


def test_a_weight_of_columns_that_is_the_same_for_all_events_is_worth_a_note(config):
    for seed, name in ((2, "b1"), (3, "b2")):
        data = {**events(seed), "weight_mc": np.full(ROWS, 0.25)}
        write(config.parent / "ntuples" / f"{name}.root", data)
    assert found(config) == {"QL-CHECK-051": "the weight `weight_mc` is 0.25 in all 800 events"}


def test_what_is_alike_in_many_columns_and_samples_is_said_once(config):
    folder = config.parent / "ntuples"
    for seed, name in enumerate(("s", "b1", "b2", "data"), start=1):
        columns = events(seed)
        columns |= {"pt": columns["pt"].copy(), "good": columns["good"].copy()}
        columns["pt"][:5] = columns["good"][3:9] = -99
        write(folder / f"{name}.root", columns)
    report = doctor_config(load_inputs(config))
    assert [item["message"] for item in report.findings] == [
        "-99 among the values of `pt`, `good`"
    ] * 3
    counted = report.findings[0]["evidence"]["columns"]["pt"]["files"]
    assert counted == {"-99": {str(folder / "s.root"): 5}}


def test_data_have_no_weight_to_look_at(config):
    path = config.parent / "ntuples" / "data.root"
    write(path, {**events(4), "weight_mc": np.full(ROWS, np.nan)})
    assert found(config) == {}


def test_a_branch_that_one_file_lacks_is_told_once(config):
    data = events(3)
    del data["weight_mc"]
    write(config.parent / "ntuples" / "b2.root", data)
    messages = found(config)
    assert "no column `weight_mc`" in messages["QL-EXPR-001"]
    assert messages["QL-EXPR-001"].endswith("/ntuples/b2.root)")
    assert set(messages) == {"QL-EXPR-001", "QL-CHECK-007"}


def test_empty_and_absent_samples(config):
    write(config.parent / "ntuples" / "s.root", events(1, rows=0))
    assert "sample `S`: its file holds no events" in found(config)["QL-CATALOG-031"]
    (config.parent / "ntuples" / "s.root").unlink()
    assert found(config) == {"QL-CATALOG-031": "sample `S`: its file is not there"}


class ToyConfig(StudyConfig, Catalog):
    """A study's config with the keys of a catalog."""


class Toy:
    """As much of a study as is checked."""

    name = "toy"
    Config = ToyConfig

    def checks(self, config: ToyConfig) -> list[Finding]:
        return check_catalog(config, lambda *_: Place())

    def samples(self, config: ToyConfig) -> list[InputSample]:
        return input_samples(config)


def test_a_config_that_extends_such_a_one_is_looked_over_alike(config, monkeypatch):
    monkeypatch.setitem(study._REGISTERED, "toy", Toy())
    (config.parent / "values.txt").write_text("XXX_CUT: pt > 1\nXXX_OLD: pt > 3 && pt < 2\n")
    text = config.read_text().replace("  Lumi: 140", "  Lumi: 139\n  Lumi: 140")
    config.write_text(f"{text}% Events that are good below 0.5 are cut.\n")
    write(config.parent / "ntuples" / "b1.root", {**events(2), **weights(put(0, -1))})
    ours = config.parent / "ours.yaml"
    header = "schema: 1\nstudy: toy\nname: ours\nextends: a.config\n"
    ours.write_text(f"{header}regions: {{SR: {{variable: good, selection: good > 0.3}}}}\n")
    assert set(found(ours)) == {"QL-TREX-013", "QL-EXPR-007", "QL-CATALOG-014", "QL-CHECK-050"}
    assert "placeholder `XXX_OLD`" in str(checks_of(load_inputs(ours)))


def test_a_placeholder_is_replaced(config):
    assert set(found(config, replace={"XXX_CUT": "ptt > 1"})) == {"QL-EXPR-001"}
    messages = found(config, replace={"XXX_CUTS": "pt > 1"})
    assert "placeholder `XXX_CUTS` is not defined" in messages["QL-TREX-010"]


def test_only_the_first_events_of_each_file_are_looked_at(config, monkeypatch):
    monkeypatch.setattr(examination, "FIRST", 100)
    write(
        config.parent / "ntuples" / "b1.root",
        {**events(2), **weights(put(slice(100, 103), np.nan))},
    )
    report = doctor_config(load_inputs(config))
    assert (report.findings, report.first, report.events) == ((), 100, 4 * ROWS)
    whole = doctor_config(load_inputs(config), every=True)
    assert "QL-CHECK-008" in {item["code"] for item in whole.findings}
    assert whole.first is None


def test_workers_find_the_same(config):
    write(config.parent / "ntuples" / "b1.root", {**events(2), **weights(put(0, -1))})
    alone = doctor_config(load_inputs(config))
    assert doctor_config(load_inputs(config), workers=2) == alone
    assert alone.findings


def run(monkeypatch, capsys, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["quarkline", "doctor", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    seen = capsys.readouterr()
    return stopped.value.code or 0, seen.out, seen.err


def test_the_command_takes_placeholders(config, monkeypatch, capsys):
    assert run(monkeypatch, capsys, config)[0] == 0
    code, out, _ = run(monkeypatch, capsys, config, "--replace", "XXX_CUT=ptt>1", "--json")
    (finding,) = json.loads(out)["findings"]
    assert (code, finding["code"]) == (1, "QL-EXPR-001")
    assert "`pt`" in finding["suggestion"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a.config", "--replace", "XXX"), "not of the form NAME=VALUE"),
        (("a.config", "--set", "a=b"), "takes --replace"),
        (("a.yaml", "--replace", "A=b"), "takes --set"),
        (("a.root", "--replace", "A=b"), "goes with a config, not with files"),
    ],
)
def test_options_that_do_not_go_together(config, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(config.parent)
    monkeypatch.setenv("COLUMNS", "200")
    code, _, err = run(monkeypatch, capsys, *arguments)
    assert code == 2
    assert said in err


def test_a_config_that_does_not_exist_is_answered_with_those_that_do(
    data_folder, monkeypatch, capsys
):
    configs = data_folder / "lq" / "trex-fitter" / "configs"
    code, _, err = run(monkeypatch, capsys, configs / "probs_no-cut.config")
    assert code == 2
    assert "did you mean `probs.config`" in err


def test_the_real_analysis_in_full(data_folder, monkeypatch, capsys):
    """Of 304 files 55 are there; what their values say is read from all of these."""
    config = data_folder / "lq" / "trex-fitter" / "configs" / "pre-fit.config"
    place = f"XXX_NtuplePaths={data_folder / 'lq_ntuples'}"
    code, out, _ = run(monkeypatch, capsys, config, "--replace", place)
    assert code == 1
    lines = out.splitlines()
    assert lines[-1] == "55 files, 132,823 events: 1 error, 6 warnings, 10 notes"
    assert sum("QL-CHECK-005" in line and "`tau_Pt_0`" in line for line in lines) == 5


def test_data_that_are_absent_beside_simulation_that_is_there(data_folder, tmp_path):
    for folder in ("mc20a", "mc20d", "mc20e"):
        (tmp_path / folder).symlink_to(data_folder / "lq_ntuples" / folder)
    config = data_folder / "lq" / "trex-fitter" / "configs" / "pre-fit.config"
    here = {"XXX_NtuplePaths": str(tmp_path)}
    messages = [finding.message for finding in checks_of(load_inputs(config, replace=here))]
    assert any("11 samples have no file" in text and "`Data`" in text for text in messages)
