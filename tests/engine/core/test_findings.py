"""Rules, findings and how a person reads them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from quarkline.engine.core.findings import (
    InputError,
    Place,
    Rule,
    Severity,
    WorkError,
    did_you_mean,
    nearest,
    rules,
)

RULE = Rule("QL-TEST-001", "tests have a rule", "Only for tests.")


def test_a_code_belongs_to_one_rule() -> None:
    assert Rule("QL-TEST-001", "tests have a rule", "Only for tests.") == RULE
    with pytest.raises(ValueError, match="QL-TEST-001 is declared twice"):
        Rule("QL-TEST-001", "another rule", "Only for tests.")
    assert RULE in rules()


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(), ""),
        (Place(Path("a.yaml")), "a.yaml"),
        (Place(Path("a.yaml"), 3, 4), "a.yaml:3:4"),
        (Place(label="--set a=b"), "--set a=b"),
        (Place(Path("a.yaml"), 3, label="region `SR`"), "a.yaml:3  region `SR`"),
    ],
)
def test_places(place: Place, text: str) -> None:
    assert str(place) == text


def test_the_text_of_a_finding() -> None:
    place = Place(Path("a.yaml"), 12, 3, 4, "  clas: 3")
    assert str(RULE.finding("unknown key", suggestion="write class", place=place)) == (
        "QL-TEST-001  a.yaml:12:3  unknown key\n   12 |   clas: 3\n      |   ^^^^\n   write class"
    )
    assert str(RULE.finding("no place")) == "QL-TEST-001  no place"


def test_the_marker_follows_tabs() -> None:
    place = Place(column=4, text="\ta b")
    assert str(RULE.finding("x", place=place)).splitlines()[-2:] == [
        "      | \ta b",
        "      | \t  ^",
    ]


def test_long_lines_are_cut_around_the_marker() -> None:
    text = "a" * 500 + "HERE" + "b" * 500
    shown, marker = str(RULE.finding("x", place=Place(None, 1, 501, 4, text))).splitlines()[-2:]
    assert len(shown) < 110
    assert shown[marker.index("^") :].startswith("HERE")
    assert marker.count("^") == 4


def test_findings_as_json() -> None:
    finding = RULE.finding("x", place=Place(Path("a"), 1, 2), evidence={"n": 3})
    assert finding.as_json() == {
        "code": "QL-TEST-001",
        "severity": "error",
        "message": "x",
        "rule": "tests have a rule",
        "suggestion": None,
        "place": "a:1:2",
        "evidence": {"n": 3},
    }
    assert RULE.finding("x", severity=Severity.WARNING).severity is Severity.WARNING


@pytest.mark.parametrize(("kind", "code"), [(InputError, 2), (WorkError, 1)])
def test_errors_cross_process_borders(kind: type[InputError | WorkError], code: int) -> None:
    error = pickle.loads(pickle.dumps(kind(RULE.finding("one"), RULE.finding("two"))))
    assert type(error) is kind
    assert [finding.message for finding in error.findings] == ["one", "two"]
    assert error.exit_code == code
    assert str(error) == "QL-TEST-001  one\nQL-TEST-001  two"


def test_near_misses_ignore_case() -> None:
    assert nearest("MUON_PT", ["Muon_pt", "Muon_eta", "run"])[0] == "Muon_pt"
    assert nearest("zzz", ["Muon_pt"]) == []


@pytest.mark.parametrize(
    ("name", "known", "text"),
    [
        ("degre", ["degree", "bins"], "did you mean `degree`?"),
        ("zzz", ["b", "a"], "keys here: a, b"),
        ("zzz", [], "there are no keys here"),
        (
            "zzz",
            [f"k{i:02d}" for i in range(13)],
            "keys here: " + ", ".join(f"k{i:02d}" for i in range(12)) + ", ... (13 in all)",
        ),
    ],
)
def test_suggestions(name: str, known: list[str], text: str) -> None:
    assert did_you_mean(name, known, what="keys") == text
