"""Findings of a kind together, with what to do said once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quarkline.engine.core.findings import Finding

MOST_ALIKE = 3
NAMES = re.compile("`[^`]*`")
"""What may differ in advice that is the same."""


def alike_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings as lines of text: a head for each code, below it the first of them and advice.

    Args:
        findings: The findings; codes come in the order of their first one.
    """
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.code, []).append(finding)
    for kind in kinds.values():
        yield from _kind_lines(kind)


def _kind_lines(kind: list[Finding]) -> Iterator[str]:
    first = kind[0]
    if len(kind) == 1:
        place = f"{_place(first)}  " if first.place else ""
        yield f"{first.severity} {first.code}  {place}{first.message}"
    else:
        yield f"{first.severity} {first.code}  {len(kind):,} against the rule: {first.rule}"
        for finding in kind[:MOST_ALIKE]:
            place = f"{_place(finding)}  " if finding.place else ""
            yield f"   {place}{finding.message}"
        if len(kind) > MOST_ALIKE:
            yield f"   and {len(kind) - MOST_ALIKE:,} more; --json has all"
    advice: dict[str, str] = {}
    for finding in kind[:MOST_ALIKE]:
        if finding.suggestion:
            advice.setdefault(NAMES.sub("", finding.suggestion), finding.suggestion)
    yield from (f"   -> {suggestion}" for suggestion in advice.values())


def _place(finding: Finding) -> str:
    """The place as seen from the current folder."""
    return str(finding.place).replace(f"{Path.cwd()}/", "")
