"""Findings: one type for everything Quarkline has to say about an input.

A rule is declared once, beside the code that checks it, and gets a stable code and a page in the
documentation. A finding is one violation: what is wrong, where, which rule, what to type next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from quarkline.engine.core.addresses import spelt

EXCERPT_WIDTH = 96


class Severity(StrEnum):
    """How much a finding matters: an error stops the work, a warning is shown and recorded."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Place:
    """Where a finding points to; lines and columns count from 1.

    Attributes:
        file: The file, as the user named it.
        line: Line in the file.
        column: Column in the line.
        length: Number of characters concerned, for the marker below an excerpt.
        text: The line itself, or the expression that was read.
        label: A place that is not a file position, such as "selection of region `SR`".
        offset: Position in the whole text that was read, of which `text` may be a part; from 0.
    """

    file: Path | None = None
    line: int | None = None
    column: int | None = None
    length: int = 1
    text: str | None = None
    label: str | None = None
    offset: int | None = None

    def __str__(self) -> str:
        """The place as `file:line:column`, or its label."""
        column = None if self.line is None else self.column
        file = None if self.file is None else spelt(self.file)
        position = [str(part) for part in (file, self.line, column) if part is not None]
        return "  ".join(part for part in (":".join(position), self.label) if part)


@dataclass(frozen=True)
class Rule:
    """One rule an input must keep, with its stable code.

    Attributes:
        code: Stable identifier, `QL-AREA-NNN`.
        title: The rule in a few words; the heading of its page.
        explanation: One paragraph for the documentation: why the rule exists and what to do.
        severity: What a violation amounts to.
    """

    code: str
    title: str
    explanation: str
    severity: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        other = _RULES.setdefault(self.code, self)
        if other != self:
            msg = f"{self.code} is declared twice: '{other.title}' and '{self.title}'"
            raise ValueError(msg)

    def finding(
        self,
        message: str,
        *,
        suggestion: str | None = None,
        place: Place | None = None,
        evidence: Mapping[str, Any] | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """State one violation of this rule.

        Args:
            message: What is wrong, with the offending value.
            suggestion: What to do or type next.
            place: Where it is wrong.
            evidence: Numbers or names behind the message, for `--json`.
            severity: Overrides the rule's own severity.
        """
        return Finding(
            code=self.code,
            severity=severity or self.severity,
            message=message,
            rule=self.title,
            suggestion=suggestion,
            place=place,
            evidence=dict(evidence or {}),
        )


_RULES: dict[str, Rule] = {}


def rules() -> list[Rule]:
    """All rules of the modules imported so far, by code."""
    return [_RULES[code] for code in sorted(_RULES)]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing, about an input."""

    code: str
    severity: Severity
    message: str
    rule: str
    suggestion: str | None = None
    place: Place | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def at(self, place: Place) -> Finding:
        """The same finding, pointing at `place`."""
        return replace(self, place=place)

    def __str__(self) -> str:
        """The finding as plain text: head line, excerpt with marker, suggestion."""
        place = str(self.place) if self.place else ""
        head = "  ".join(part for part in (self.code, place, self.message) if part)
        excerpt = _excerpt(self.place) if self.place else []
        hint = [f"   {self.suggestion}"] if self.suggestion else []
        return "\n".join([head, *excerpt, *hint])

    def as_json(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        place = self.place
        return {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            "rule": self.rule,
            "suggestion": self.suggestion,
            "place": str(place) if place else None,
            "evidence": dict(self.evidence),
        }


def _excerpt(place: Place) -> list[str]:
    if place.text is None:
        return []
    gutter = f"{place.line:5d} | " if place.line is not None else "      | "
    column = place.column or 1
    first = max(0, column - EXCERPT_WIDTH // 2) if len(place.text) > EXCERPT_WIDTH else 0
    text = place.text[first : first + EXCERPT_WIDTH]
    lines = [gutter + text]
    if place.column is not None:
        before = "".join("\t" if sign == "\t" else " " for sign in text[: column - 1 - first])
        before = before.ljust(column - 1 - first)
        marked = min(place.length, EXCERPT_WIDTH - len(before))
        lines.append("      | " + before + "^" * max(1, marked))
    return lines


class QuarklineError(Exception):
    """Findings that end the work; `exit_code` follows the command line's convention."""

    exit_code = 1

    def __init__(self, *findings: Finding) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings

    def __reduce__(self) -> tuple[type[QuarklineError], tuple[Finding, ...]]:
        """Rebuild from the findings, so that an error crosses process borders."""
        return type(self), self.findings


class InputError(QuarklineError):
    """Wrong usage, config or input, seen before any work: nothing has been written."""

    exit_code = 2


class WorkError(QuarklineError):
    """The work failed after it had started."""

    exit_code = 1


def nearest(name: str, candidates: Iterable[str], *, most: int = 3) -> list[str]:
    """The candidates most like `name`, best first, ignoring case."""
    by_folded = {candidate.casefold(): candidate for candidate in sorted(candidates)}
    hits = difflib.get_close_matches(name.casefold(), by_folded, n=most, cutoff=0.6)
    return [by_folded[hit] for hit in hits]


def did_you_mean(name: str, candidates: Iterable[str], *, what: str = "names") -> str:
    """A suggestion for an unknown name: near misses first, else the names that exist."""
    known = sorted(candidates)
    if near := nearest(name, known):
        return "did you mean " + " or ".join(f"`{hit}`" for hit in near) + "?"
    if not known:
        return f"there are no {what} here"
    shown = ", ".join(known[:12])
    return f"{what} here: {shown}" + (f", ... ({len(known)} in all)" if len(known) > 12 else "")
