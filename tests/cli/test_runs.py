"""The commands new, plan, run and list."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from quarkline.engine.core.config import load_config
from quarkline.engine.workflow.study import study_of
from quarkline.tools.new import examples, studies

from .conftest import Answer

Call = Callable[..., Answer]


class TestNew:
    """`quarkline new`."""

    def test_an_example_is_copied_under_its_name(self, quarkline: Call) -> None:
        answer = quarkline("new", "upsilon")
        assert (answer.code, answer.err) == (0, "")
        assert answer.out == "wrote upsilon.yaml; next: quarkline plan upsilon.yaml\n"
        assert Path("upsilon.yaml").read_text() == examples()["upsilon"]

    @pytest.mark.parametrize("example", studies())
    def test_every_example_is_valid_under_another_name(self, quarkline: Call, example: str) -> None:
        quarkline("new", example, "mine-2")
        file = load_config(Path("mine-2.yaml"))
        assert file.validate(study_of(file).Config).name == "mine-2"
        written, shipped = Path("mine-2.yaml").read_text(), examples()[example]
        lines = zip(written.splitlines(), shipped.splitlines(), strict=True)
        assert [one.split(":")[0] for one, other in lines if one != other] == ["name"]

    def test_an_unknown_example(self, quarkline: Call) -> None:
        answer = quarkline("new", "upsilom")
        assert answer.code == 2
        assert answer.err == (
            "QL-RUN-005  there is no example `upsilom`\n   did you mean `upsilon`?\n"
        )

    def test_a_file_is_never_written_over(self, quarkline: Call) -> None:
        Path("upsilon.yaml").write_text("mine")
        answer = quarkline("new", "upsilon")
        assert answer.code == 2
        assert answer.err == (
            "QL-RUN-006  `upsilon.yaml` exists\n   choose a name: quarkline new upsilon NAME\n"
        )
        assert Path("upsilon.yaml").read_text() == "mine"

    @pytest.mark.parametrize("name", ["a/b", "../x", "", "a b", ".hidden", "x" * 81])
    def test_a_name_that_is_no_folder_name(self, quarkline: Call, name: str) -> None:
        answer = quarkline("new", "upsilon", name)
        if name == "":
            assert answer.code == 0  # no name given: the example's
        else:
            assert answer.code == 2
            assert f"QL-RUN-011  `{name}` cannot be the name of an analysis" in answer.err


class TestPlan:
    """`quarkline plan`."""

    def test_it_shows_state_and_reason_and_writes_nothing(
        self, quarkline: Call, config: Path
    ) -> None:
        answer = quarkline("plan", str(config))
        assert (answer.code, answer.err) == (0, "")
        lines = [line.split() for line in answer.out.splitlines() if "not run yet" in line]
        assert [line[:2] for line in lines] == [
            ["numbers", "run"],
            ["squares", "run"],
            ["total", "run"],
        ]
        assert not Path("runs").exists()

    def test_reasons_are_shown_as_they_are(self, quarkline: Call, ran: Path) -> None:
        answer = quarkline("plan", str(ran), "--set", "labels=[a, /b]")
        assert 'labels [] -> ["a", "/b"]' in answer.out  # brackets are no markup

    def test_json(self, quarkline: Call, config: Path) -> None:
        answer = quarkline("plan", str(config), "--json", "--until", "squares")
        rows = json.loads(answer.out)
        assert [row["stage"] for row in rows] == ["numbers", "squares", "total"]
        assert [row["state"] for row in rows] == ["run", "run", "not asked for"]
        assert rows[0].keys() == {
            "stage", "state", "why", "estimate_seconds", "key", "weak_keys"
        }  # fmt: skip

    def test_a_missing_input_is_exit_code_2(self, quarkline: Call, config: Path) -> None:
        Path("a.txt").unlink()
        answer = quarkline("plan", str(config))
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith("QL-TOY-001  there is no input")


class TestRun:
    """`quarkline run`."""

    def test_it_says_what_it_does_and_ends_with_the_result(
        self, quarkline: Call, config: Path
    ) -> None:
        answer = quarkline("run", str(config))
        assert answer.code == 0
        headline, report = answer.out.splitlines()
        assert headline.startswith("total = ")
        assert report == "runs/bench/00001/report.html"
        assert Path(report).is_file()
        assert "numbers        ✓" in answer.err
        assert "2 numbers" in answer.err
        again = quarkline("run", str(config))
        assert again.out == answer.out
        assert again.err.count("cached") == 3

    def test_json_is_the_only_thing_on_standard_output(self, quarkline: Call, config: Path) -> None:
        answer = quarkline("run", str(config), "--json")
        assert (answer.code, answer.err) == (0, "")
        data = json.loads(answer.out)
        assert data["run"] == "runs/bench/00001"
        assert data["complete"] is True
        assert data["report"] == "runs/bench/00001/report.html"
        assert data["results"]["total"]["kind"] == "toy-total"
        assert data["warnings"] == []

    def test_until_says_what_is_left(self, quarkline: Call, config: Path) -> None:
        answer = quarkline("run", str(config), "--until", "numbers")
        assert answer.code == 0
        assert answer.out == "unfinished: 1 stages are done\nruns/bench/00001\n"

    def test_a_failing_stage_is_exit_code_1(
        self, quarkline: Call, config: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TOY_FAIL", "numbers:raise")
        answer = quarkline("run", str(config))
        assert (answer.code, answer.out) == (1, "")
        assert "QL-RUN-007  stage `numbers` failed: RuntimeError: the toy was told to fail" in (
            answer.err
        )
        assert "Traceback" not in answer.err

    def test_a_stop_is_exit_code_130(
        self, quarkline: Call, config: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TOY_FAIL", "numbers:interrupt")
        answer = quarkline("run", str(config))
        assert (answer.code, answer.out) == (130, "")
        assert "stopped; finished work is kept" in answer.err

    def test_device_and_workers_are_noted_but_in_no_key(self, quarkline: Call, ran: Path) -> None:
        quarkline("run", str(ran), "--workers", "2", "--device", "cpu")
        attempts = json.loads(Path("runs/bench/00001/provenance.json").read_text())["attempts"]
        assert [(a["workers"], a["device"]) for a in attempts] == [(1, "auto"), (2, "cpu")]
        assert attempts[1]["ran"] == []


class TestList:
    """`quarkline list`."""

    def test_nothing_yet(self, quarkline: Call) -> None:
        answer = quarkline("list")
        assert (answer.code, answer.err) == (0, "")
        assert answer.out == "no runs in runs; `quarkline new upsilon` starts an analysis\n"

    def test_an_empty_folder(self, quarkline: Call) -> None:
        Path("empty").mkdir()
        assert quarkline("list", "empty").out.startswith("no runs in empty;")
        assert quarkline("list", "empty", "--json").out == "[]\n"

    @pytest.mark.parametrize("name", ["nowhere", "file"])
    def test_a_bad_folder(self, quarkline: Call, name: str) -> None:
        Path("file").touch()
        answer = quarkline("list", name)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err == f"QL-RUN-012  there is no folder `{name}`\n"

    def test_runs_with_state_and_result(self, quarkline: Call, ran: Path) -> None:
        quarkline("run", str(ran), "--set", "seed=6", "--until", "numbers")
        rows = json.loads(quarkline("list", "--json").out)
        assert [(row["name"], row["number"], row["state"]) for row in rows] == [
            ("bench", 1, "done"),
            ("bench", 2, "unfinished"),
        ]
        assert rows[0]["headline"].startswith("total = ")
        assert (rows[1]["headline"], rows[1]["folder"]) == ("", "runs/bench/00002")
        text = quarkline("list").out
        assert "bench/00001" in text
        assert rows[0]["headline"] in text

    def test_a_run_that_cannot_be_read_does_not_hide_the_others(
        self, quarkline: Call, ran: Path
    ) -> None:
        shutil.copytree("runs/bench", "runs/other")
        next(Path("runs/bench/stages").glob("total-*/stage.json")).unlink()
        run = Path("runs/other/00001/run.json")
        run.write_text(run.read_text().replace('"toy"', '"forgotten"'))
        rows = json.loads(quarkline("list", "--json").out)
        assert "is damaged: `stage.json`: No such file" in rows[0]["headline"]
        assert rows[1]["headline"] == "unknown study `forgotten`"
