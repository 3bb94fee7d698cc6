"""Many findings on a terminal: those of a code together, with their number and advice."""

from __future__ import annotations

from pathlib import Path

from quarkline.cli.alike import alike_lines
from quarkline.engine.core.findings import Finding, Place, Severity


def finding(code: str, name: str, advice: str | None = None, **options) -> Finding:
    return Finding(code, Severity.WARNING, f"`{name}` is ill", "all are well", advice, **options)


def test_findings_of_a_code_are_together_with_their_number() -> None:
    many = [finding("A", f"p{at}", f"mend `p{at}`") for at in range(5)]
    mixed = [many[0], finding("B", "q", "drop it"), *many[1:]]
    assert list(alike_lines(mixed)) == [
        "warning A  5 against the rule: all are well",
        "   `p0` is ill",
        "   `p1` is ill",
        "   `p2` is ill",
        "   and 2 more; --json has all",
        "   -> mend `p0`",
        "warning B  `q` is ill",
        "   -> drop it",
    ]


def test_other_advice_is_said_too() -> None:
    found = list(alike_lines([finding("A", "p", "mirror it"), finding("A", "q", "swap it")]))
    assert found[-2:] == ["   -> mirror it", "   -> swap it"]


def test_places_are_told_from_the_current_folder() -> None:
    place = Place(Path.cwd() / "fit.config", 3, 1)
    one, other = finding("A", "p", place=place), finding("A", "q")
    assert list(alike_lines([one])) == ["warning A  fit.config:3:1  `p` is ill"]
    assert list(alike_lines([one, other]))[1:] == [
        "   fit.config:3:1  `p` is ill",
        "   `q` is ill",
    ]


def test_without_findings_nothing_is_said() -> None:
    assert list(alike_lines([])) == []
