"""Reads the written documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
LATER = "*later*"


def pages() -> list[Path]:
    """Every page written by hand."""
    written = [page for page in DOCS.rglob("*.md") if not {"generated", "_build"} & set(page.parts)]
    return [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted(written)]


def code_spans(text: str) -> list[str]:
    """Texts in single backticks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"(?s)```.*?```", "", text))


def table_rows(text: str) -> Iterator[list[str]]:
    """The cells of every table row but headings and rules."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if line.startswith("|") and set(line) - set("|- ") and cells[0] not in {"there", "step"}:
            yield cells


def command_lines(text: str) -> Iterator[str]:
    """Every `quarkline ...` line of a page that does not come with a later release."""
    for block in re.findall(r"(?s)```sh\n(.*?)```", text):
        yield from re.findall(r"(?m)^(?:\$ )?(quarkline [^#\n]+)", block)
    for line in re.sub(r"(?s)```.*?```", "", text).splitlines():
        for cell in re.split(r"(?<!\\)\||; |\. ", line):
            if LATER not in cell:
                yield from (span for span in code_spans(cell) if span.startswith("quarkline "))
