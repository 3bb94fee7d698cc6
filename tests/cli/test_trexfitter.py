"""`quarkline trexfitter`: its words, plans and mistakes, as a person sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quarkline.catalog import Catalog
from quarkline.engine.core.config import load_config

CONFIG = """\
Job: job
  ReadFrom: NTUP
  POI: mu
  NtuplePath: in
  NtupleName: t
  ReplacementFile: r.txt

Fit: fit
  FitType: SPLUSB

Region: SR
  Variable: x,1,0,1
  Selection: XXX_CUT

Sample: s
  Type: SIGNAL
  NtupleFile: s
  FillColor: 632

NormFactor: mu
  Samples: s
  Constant: TRUE

"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "r.txt").write_text("XXX_CUT: x>0\n")
    (tmp_path / "a.config").write_text(CONFIG)
    return "a.config"


def broken(config: str, old: str, new: str) -> str:
    path = Path(config)
    path.write_text(path.read_text().replace(old, new))
    return config


class TestDryRun:
    def test_a_plan_for_eyes(self, quarkline, config, tmp_path):
        answer = quarkline("trexfitter", "fwn", config, "Suffix=_x", "--dry-run")
        assert answer.code == 0
        assert f"relative paths count from {tmp_path}" in answer.out
        assert "1 histograms from 1 files, 1 missing" in answer.out
        assert not (tmp_path / "job").exists()

    def test_a_plan_for_programs(self, quarkline, config):
        answer = quarkline("trexfitter", "n", config, "--dry-run", "--json")
        plan = json.loads(answer.out)
        assert (plan["job"], plan["missing"], plan["steps"][0]["letter"]) == ("job", 1, "n")

    def test_the_folder_may_be_another(self, quarkline, config):
        answer = quarkline("trexfitter", "f", config, "--dry-run", "-o", "out")
        assert "writes  out/job/Fits/job.txt" in answer.out


class TestConvert:
    def test_it_loads_again(self, quarkline, config, tmp_path):
        assert quarkline("trexfitter", "convert", config, "-o", "own.yaml").code == 0
        catalog = load_config(tmp_path / "own.yaml").validate(Catalog)
        assert catalog.samples["s"].drawing.fill == "#ff0000"
        assert catalog.regions["SR"].selection == "x>0"
        assert catalog.fit is not None
        assert catalog.limit is None

    def test_it_says_where_parts_come_from(self, quarkline, config):
        answer = quarkline("trexfitter", "convert", config)
        assert "# a.config:11\n" in answer.out
        assert "The job `job` of TRExFitter" in answer.out

    def test_options_are_part_of_it(self, quarkline, config, tmp_path):
        arguments = (config, "LumiScale=2", "--replace", "XXX_CUT=x>5", "--free", "mu")
        quarkline("trexfitter", "convert", *arguments, "-o", "own.yaml")
        catalog = load_config(tmp_path / "own.yaml").validate(Catalog)
        assert catalog.luminosity.scale == 2
        assert catalog.regions["SR"].selection == "x>5"
        assert catalog.fit is not None
        assert catalog.fit.free == ["mu"]


class TestCheck:
    def test_misspelt_options_hide_no_missing_file(self, quarkline, config):
        answer = quarkline("trexfitter", "check", broken(config, "Variable:", "Varable:"))
        assert answer.code == 2
        assert "did you mean `Variable`" in answer.out
        assert "none of 1 files is below" in answer.out
        assert "has no variable" not in answer.out  # it follows from the first

    def test_a_constant_parameter_of_interest(self, quarkline, config, tmp_path):
        answer = quarkline("trexfitter", "check", config)
        assert "`mu` is the parameter of interest and is held constant at 1" in answer.out
        assert "--free mu" in answer.out
        freed = quarkline("trexfitter", "check", config, "--free", "mu")
        assert "held constant" not in freed.out

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("FillColor", "FilColor", "did you mean `FillColor`"),
            ("XXX_CUT", "XXX_CAT", "placeholder `XXX_CAT` is not defined"),
            ("NormFactor: mu", "INCLUDE: no.config\n\nNormFactor: mu", "no.config"),
            ("  Constant: TRUE", "  Min: x", "`Min: x` is not a number"),
            ("  Samples: s\n", '  Samples: s\n  Expression: "a":"a[1,0,2]"\n', "is the formula"),
            ("FitType: SPLUSB", "NPValues: a", "has the part `a`"),
        ],
    )
    def test_errors_end_with_code_2(self, quarkline, config, old, new, said):
        answer = quarkline("trexfitter", "check", broken(config, old, new))
        assert answer.code == 2
        assert said in answer.out
        assert "error  " in answer.out

    def test_every_problem_at_once(self, quarkline, config):
        broken(config, "FillColor", "FilColor")
        broken(config, "Variable: x,1", "Variable: x,y")
        broken(config, "FitType: SPLUSB", "FitType: SPLUSBB")
        answer = quarkline("trexfitter", "check", config, "Sufix=_x", "--json")
        found = json.loads(answer.out)["findings"]
        errors = [item for item in found if item["severity"] == "error"]
        said = " ".join(item["message"] for item in errors)
        assert all(name in said for name in ("FilColor", "SPLUSBB", "Sufix"))
        assert [item["severity"] for item in found] == sorted(
            (item["severity"] for item in found), key=["error", "warning", "note"].index
        )

    def test_each_is_said_once(self, quarkline, config):
        answer = quarkline("trexfitter", "check", config, "--json")
        found = [
            (item["code"], item["place"], item["message"])
            for item in json.loads(answer.out)["findings"]
        ]
        assert len(set(found)) == len(found)


class TestMistakes:
    def test_actions(self, quarkline, config):
        answer = quarkline("trexfitter", "nz", config)
        assert answer.code == 2
        assert "QL-TREX-035" in answer.err

    def test_no_config(self, quarkline, config):
        answer = quarkline("trexfitter", "n", "b.config")
        assert answer.code == 2
        assert "did you mean `a.config`" in answer.err

    def test_what_is_refused_is_refused_before_any_work(self, quarkline, config, tmp_path):
        broken(config, "  Samples: s\n", '  Samples: s\n  Expression: "a":"a[1,0,2]"\n')
        answer = quarkline("trexfitter", "wf", config)
        assert answer.code == 2
        assert "QL-TREX-038" in answer.err
        assert not (tmp_path / "job").exists()

    def test_a_multi_fit_is_not_converted(self, quarkline, config, tmp_path):
        (tmp_path / "m.config").write_text("MultiFit: m\n  Combine: TRUE\n\nFit: a\n  Label: b\n")
        answer = quarkline("trexfitter", "convert", "m.config")
        assert answer.code == 2
        assert "QL-TREX-041" in answer.err

    def test_a_placeholder_that_nobody_knows(self, quarkline, config):
        answer = quarkline("trexfitter", "n", config, "--replace", "XXX_CAT=1", "--dry-run")
        assert answer.code == 2
        assert "did you mean `XXX_CUT`" in answer.err
