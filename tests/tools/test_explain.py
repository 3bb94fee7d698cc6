"""`quarkline explain`: how an expression is read, and which events its clauses pass."""

from __future__ import annotations

import json
import sys

import awkward as ak
import numpy as np
import pytest
import uproot

from quarkline.cli.main import main
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import result_from_json
from quarkline.tools.explain import Part, explain

PT = [[30.0, 5.0], [], [20.0], [40.0, 10.0, 8.0], [6.0]]
CUT = "n >= 1 && pt > 9 and abs(w) < 1.5"


@pytest.fixture
def events(tmp_path):
    """Five events with a jagged column, in a tree."""
    path = tmp_path / "events.root"
    with uproot.recreate(path) as file:
        tree = file.mktree("T", {"n": "int32", "w": "float64", "pt": "var * float32"})
        columns = {"n": np.array([2, 0, 1, 3, 1], np.int32), "w": np.array([1, 2, 0.5, -1, 1.0])}
        tree.extend(columns | {"pt": ak.values_astype(ak.Array(PT), np.float32)})
    return path


def test_the_parts_of_an_expression(events):
    found = explain(CUT, [events])
    assert found.canonical == "(n >= 1) && (pt > 9) && (abs(w) < 1.5)"
    assert (found.type, found.depth) == ("boolean", 1)
    assert [(column.name, column.type) for column in found.columns] == [
        ("n", "int32"),
        ("pt", "float32[]"),
        ("w", "float64"),
    ]
    assert found.tree.name == "&&"
    assert found.tree.parts[0] == Part(">=", "boolean", (Part("n", "int32"), Part("1", "integer")))
    assert found.tree.parts[2].parts[0] == Part("abs()", "real", (Part("w", "float64"),))


def test_an_element_is_one_part(events):
    found = explain("pt[0] + pt[1]", [events])
    assert found.tree.parts == (Part("pt[0]", "float32[]"), Part("pt[1]", "float32[]"))
    assert found.depth == 0


def test_the_events_each_clause_passes(events):
    flow = explain(CUT, [events]).clauses
    assert flow.events == 5
    assert [(step.expression, step.alone, step.events) for step in flow.steps] == [
        ("n >= 1", 4, 4),
        ("pt > 9", 3, 3),
        ("abs(w) < 1.5", 4, 3),
    ]


EVERYTHING = (
    "Sum$(pt > 7) > 0 && @pt.size() > n - 1 && Alt$(pt[1], 0) < 10 && Entry$ < Entries$ - 1 "
    "&& pt[n-1] > 5 && (int)w > -2 && n << 1 > 1 && Iteration$ < 2"
)


def test_clauses_of_every_construct_are_counted(events):
    found = explain(EVERYTHING, [events])
    assert [(step.expression, step.alone, step.events) for step in found.clauses.steps] == [
        ("Sum$(pt > 7) > 0", 3, 3),
        ("@pt.size() > n - 1", 5, 3),
        ("Alt$(pt[1], 0) < 10", 4, 2),
        ("Entry$ < Entries$ - 1", 4, 2),
        ("pt[n-1] > 5", 3, 1),
        ("(int)w > -2", 5, 1),
        ("n << 1 > 1", 4, 1),
        ("Iteration$ < 2", 5, 1),
    ]
    assert found.columns[1].type == "float32[]"
    assert found.tree.parts[0].parts[0].name == "Sum$()"
    assert found.tree.parts[1].parts[0] == Part("@pt.size()", "integer")
    assert found.tree.parts[4].parts[0] == Part("pt[n - 1]", "float32[]")
    assert found.tree.parts[5].parts[0].name == "(int)"


def test_entries_are_counted_through_all_files(events, tmp_path):
    copy = tmp_path / "more.root"
    copy.write_bytes(events.read_bytes())
    for cut, passed in (("Entry$ >= 7", 3), ("Entries$ == 10", 10), ("LocalEntry$ == 1", 2)):
        for step in (2, 5):
            found = explain(cut, [events, copy], step=step)
            assert found.clauses.steps[0].events == passed


def test_missing_values_that_a_cut_passes_are_counted(tmp_path):
    columns = {"a": np.array([-99.0, 1.0, -99.0, -999.0, 7.0]), "n": np.array([1, -99, 2, 3, 4])}
    np.savez(tmp_path / "gaps.npz", **columns)
    found = explain("a < 5 && n > 0 && a != 1", [tmp_path / "gaps.npz"], step=2)
    messages = [warning["message"] for warning in found.warnings]
    assert messages == [
        "`a < 5` holds for -99; `a` has it in the files: 2",
        "`a < 5` holds for -999; `a` has it in the files: 1",
    ]
    assert [warning["evidence"]["count"] for warning in found.warnings] == [2, 1]


@pytest.mark.parametrize("step", [1, 2, 5])
@pytest.mark.parametrize("cut", [CUT, EVERYTHING])
def test_the_counts_do_not_depend_on_the_chunks(events, cut, step):
    assert explain(cut, [events], step=step) == explain(cut, [events])


def test_several_files_count_as_one(events, tmp_path):
    copy = tmp_path / "more.root"
    copy.write_bytes(events.read_bytes())
    once, twice = explain(CUT, [events]).clauses, explain(CUT, [events, copy]).clauses
    assert twice == once + once


def test_warnings_are_part_of_the_answer(events):
    found = explain("n >= 3 && n <= 1", [events])
    assert [warning["code"] for warning in found.warnings] == ["QL-EXPR-007"]
    assert found.clauses.steps[-1].events == 0


def test_a_result_survives_json(events):
    found = explain("pt[1] > 3 || w", [events])
    assert result_from_json(json.loads(json.dumps(found.as_json()))) == found


def test_nan_is_counted_by_column(tmp_path):
    columns = {"a": np.array([1.0, np.nan, np.nan]), "n": np.array([1, 2, 3])}
    np.savez(tmp_path / "nan.npz", **columns)
    found = explain("a < 2 || a >= n", [tmp_path / "nan.npz"], step=2)
    assert [(column.name, column.nan) for column in found.columns] == [("a", 2), ("n", 0)]
    assert found.clauses.steps[0].events == 1


def test_no_events_are_no_trouble(tmp_path):
    np.savez(tmp_path / "none.npz", a=np.zeros(0))
    assert explain("a > 1", [tmp_path / "none.npz"]).clauses.events == 0


def test_what_is_wrong_is_said(events):
    with pytest.raises(InputError, match=r"QL-EXPR-001.*\n.*\n.*\n.*did you mean `pt`"):
        explain("ptt > 1", [events])


def run(monkeypatch, capsys, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["quarkline", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_the_command_shows_tree_columns_warnings_and_counts(events, monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "explain", f"{CUT} && n != 9 || 0", events)
    assert code == 0
    for part in ("(abs(w) < 1.5)", "├── >=", "float32[]", "QL-EXPR-008", "5 events", "60 %"):
        assert part in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_command_writes_json(events, monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "explain", CUT, events, "--tree", "T", "--json")
    assert (code, err) == (0, "")
    assert result_from_json(json.loads(out)) == explain(CUT, [events])
