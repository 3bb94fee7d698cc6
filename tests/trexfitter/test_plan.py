"""What actions would do, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.trexfitter import read_trexfitter
from quarkline.trexfitter.command_line import read_options
from quarkline.trexfitter.job import Job, open_job
from quarkline.trexfitter.letters import LETTERS, ordered
from quarkline.trexfitter.plan import JobPlan, plan_of, plan_text
from quarkline.trexfitter.refusals import refusals

CONFIG = """\
Job: job
  ReadFrom: NTUP
  POI: mu
  NtuplePath: in
  NtupleName: t
  SplitHistoFiles: TRUE

Region: SR;CR
  Variable: x,1,0,1

Sample: data;s
  Type: DATA;SIGNAL
  NtupleFile: d;s

NormFactor: mu
  Samples: s

Systematic: w;v
  WeightSufUp: a;b

Systematic: g
  NtupleFileUp: s_up
  NtupleFileDown: s_down
"""


@pytest.fixture
def opened(read) -> Callable[..., Job]:
    def opened(options: str = "", *, text: str = CONFIG) -> Job:
        return open_job(read(text, job=""), read_options(options))

    return opened


def steps(plan: JobPlan) -> dict[str, tuple[str, ...]]:
    return {step.letter: step.missing for step in plan.steps}


class TestLetters:
    @pytest.mark.parametrize(
        ("given", "order"),
        [("rfwn", "nwfr"), ("nn", "n"), ("dpfwn", "nwfdp"), ("apislrx", "xrlsipa")],
    )
    def test_they_are_carried_out_in_one_order(self, given, order):
        assert ordered(given) == order

    def test_every_letter_of_the_issue_is_one(self):
        assert set(LETTERS) == set("nhbwfdprlsixam")

    @pytest.mark.parametrize(
        ("given", "hint"),
        [("nz", "letters are"), ("u", "unfolding is not done"), ("chekc", "did you mean `check`")],
    )
    def test_others_are_refused(self, given, hint):
        with pytest.raises(InputError) as caught:
            ordered(given)
        (finding,) = caught.value.findings
        assert finding.code == "QL-TREX-035"
        assert hint in finding.suggestion


class TestPlan:
    def test_counts(self, opened):
        plan = plan_of(opened(), "n")
        assert (plan.regions, plan.samples, plan.systematics, plan.norm_factors) == (2, 2, 3, 1)
        assert plan.histograms == 2 * (2 + 1 + 1 + 2)
        assert (plan.files, plan.missing) == (4, 4)

    def test_statistics_only_reads_less(self, opened):
        plan = plan_of(opened("StatOnly=TRUE"), "n")
        assert (plan.files, plan.histograms) == (2, 4)

    def test_files_that_are_there_are_not_missing(self, opened, tmp_path):
        (tmp_path / "in").mkdir()
        (tmp_path / "in/s.root").touch()
        plan = plan_of(opened(), "n")
        assert plan.missing == 3
        assert not any(path.endswith("/s.root") for path in plan.missing_examples)

    def test_what_earlier_actions_left_is_needed(self, opened, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        alone = steps(plan_of(opened(), "wfp"))
        assert alone["w"] == tuple(
            f"job/Histograms/job_{name}_histos.root" for name in ("SR", "CR")
        )
        assert alone["f"] == alone["w"]
        both = steps(plan_of(opened(), "nwfp"))
        assert not any(both.values())
        results = steps(plan_of(opened("Suffix=_x"), "r"))["r"]
        assert results == (*alone["w"], "job/Fits/job_x.txt")

    def test_it_can_be_read(self, opened):
        text = plan_text(plan_of(opened("Suffix=_x"), "fn"))
        assert text.index("n  fill histograms from ntuples") < text.index("f  fit")
        assert "2 regions, 2 samples, 3 systematics, 1 norm factors" in text
        assert "12 histograms from 4 files, 4 missing" in text
        assert "writes  job/Fits/job_x.txt" in text


class TestRefused:
    def test_the_other_kind_of_inputs(self, opened):
        (finding,) = refusals(opened(), "h")
        assert (finding.code, finding.place.line) == ("QL-TREX-036", 2)
        assert "give `n` instead of `h`" in finding.suggestion
        assert refusals(opened(), "n") == []

    def test_formulas_only_where_a_likelihood_is_needed(self, opened):
        text = CONFIG.replace("  Samples: s\n", '  Samples: s\n  Expression: "a":"a[1,0,2]"\n')
        assert refusals(opened(text=text), "nda") == []
        (finding,) = refusals(opened(text=text), "nw")
        assert (finding.code, finding.place.line) == ("QL-TREX-038", 17)

    def test_formulas_of_samples_that_are_left_out(self, opened):
        text = CONFIG.replace("  Samples: s\n", '  Samples: none\n  Expression: "a":"a[1,0,2]"\n')
        assert refusals(opened(text=text), "f") == []


class TestWhereItRuns:
    """Relative paths count from the folder that TRExFitter would be run in."""

    def test_the_current_folder_if_its_inputs_are_there(self, read, tmp_path, monkeypatch):
        run = tmp_path / "run"
        (run / "in").mkdir(parents=True)
        monkeypatch.chdir(run)
        assert read(CONFIG, job="").base == run

    def test_a_folder_above_the_config(self, write, tmp_path, monkeypatch):
        (tmp_path / "in").mkdir()
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert read_trexfitter(write("configs/a.config", CONFIG)).base == tmp_path

    def test_the_folder_of_the_config_otherwise(self, read, tmp_path, monkeypatch):
        monkeypatch.chdir(Path("/"))
        assert read(CONFIG, job="").base == tmp_path
