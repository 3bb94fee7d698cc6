"""Finding runs again, and the folders they are in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench import Bench

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.engine.workflow.runs import (
    find_run,
    list_runs,
    next_run_folder,
    read_history,
    read_run,
)
from quarkline.engine.workflow.study import find_study, study_names


@pytest.mark.parametrize("text", ["bench", "bench/00001", "runs/bench", "runs/bench/00001"])
def test_a_run_is_found_by_name_number_or_folder(ran: Bench, text: str) -> None:
    run = find_run(text, Path("runs"))
    assert (run.name, run.number, run.study) == ("bench", 1, "toy")
    assert list(run.records()) == ["numbers", "squares", "total"]
    assert run.results().keys() == {"total"}


def test_a_run_is_found_from_inside_its_folder(ran: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ran.runs / "00001")
    assert find_run(".", Path("runs")).number == 1


def test_the_newest_run_of_a_name(ran: Bench) -> None:
    ran.run(new=True)
    assert find_run("bench", Path("runs")).number == 2


def test_a_run_is_named_by_a_short_number_or_counted_from_the_newest(ran: Bench) -> None:
    ran.run(new=True)
    named = {"bench/1": 1, "bench/2": 2, "bench/-1": 2, "bench/-2": 1, "runs/bench/-1": 2}
    assert {text: find_run(text, Path("runs")).number for text in named} == named
    for text in ("bench/3", "bench/-3", "bench/1/2", "/-1", "bench/x"):
        with pytest.raises(InputError, match="there is no run"):
            find_run(text, Path("runs"))


def test_a_run_that_is_not_there_is_told_with_near_names(ran: Bench) -> None:
    with pytest.raises(InputError, match=r"there is no run `bensh`\n   did you mean `bench`\?"):
        find_run("bensh", Path("runs"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"study": "toy"}'])
def test_a_damaged_run_is_told(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "bench" / "00001"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(content)
    with pytest.raises(WorkError, match=r"QL-RUN-004  .*00001 is not a readable run"):
        read_run(folder)


def make_run(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"study": "toy", "identity": "x", "stages": [["a", "a-1"]], "complete": False}
    (folder / "run.json").write_text(json.dumps(content))


def test_numbers_follow_each_other(tmp_path: Path) -> None:
    assert next_run_folder(tmp_path).name == "00001"
    assert next_run_folder(tmp_path).name == "00001"  # left empty: taken up again
    make_run(tmp_path / "00001")
    assert next_run_folder(tmp_path).name == "00002"
    (tmp_path / "00002" / ".run.json.ab.tmp").touch()  # killed while writing
    assert next_run_folder(tmp_path).name == "00002"
    make_run(tmp_path / "00007")
    assert next_run_folder(tmp_path).name == "00008"
    (tmp_path / "00009").mkdir()
    (tmp_path / "00009" / "notes.txt").touch()  # somebody's own file
    assert next_run_folder(tmp_path).name == "00010"


def test_only_folders_with_a_record_are_runs(tmp_path: Path) -> None:
    make_run(tmp_path / "00002")
    make_run(tmp_path / "00010")
    (tmp_path / "00003").mkdir()
    (tmp_path / "12notes").mkdir()
    (tmp_path / "stages").mkdir()
    assert [run.number for run in list_runs(tmp_path)] == [2, 10]


def test_history_is_empty_where_there_is_none(tmp_path: Path) -> None:
    history = read_history(tmp_path / "nothing")
    assert (history.records, history.folders, history.verified) == ({}, frozenset(), {})


def test_studies_come_from_entry_points_and_registration() -> None:
    assert {"resonance", "toy"} <= set(study_names())
    assert find_study("resonance").name == "resonance"
    with pytest.raises(InputError, match=r"did you mean `resonance`\?"):
        find_study("resonanse")
