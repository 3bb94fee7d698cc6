"""Splits texts of the language: lines without comments, keys and values, lists outside quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, Severity, did_you_mean

NO_FILE = Rule(
    "QL-TREX-001",
    "every file that a TRExFitter config names is there",
    "`INCLUDE` counts from the folder of the file that states it. `ReplacementFile` counts from "
    "the folder that TRExFitter is run in, which is taken to be the nearest one at or above the "
    "config in which that file is found.",
)
BAD_LINE = Rule(
    "QL-TREX-002",
    "a line is `Option: value`",
    "Every line that is no comment has a name, a colon and a value. An unquoted value ends at `%` "
    "or `#`, so a value may be missing because it begins with one of them.",
)
OPEN_QUOTE = Rule(
    "QL-TREX-003",
    "quotes come in pairs",
    "A quote that is not closed hides the commas and comment signs after it.",
)
CUT = Rule(
    "QL-TREX-004",
    "a comment does not begin inside a word",
    "`%` and `#` begin a comment wherever they stand outside quotes: `5%` is read as 5, and "
    "`t#bar{t}` as `t`. Put the value in quotes, or a space before the comment.",
    Severity.WARNING,
)

COMMENT_SIGNS = "%#"


@dataclass(frozen=True)
class Line:
    """One line that is no comment.

    Attributes:
        text: Its content without comment and outer spaces; empty for a blank line.
        place: The line as a place.
        indented: Whether it begins with a space.
    """

    text: Written
    place: Place
    indented: bool

    @cached_property
    def key(self) -> Written:
        """What stands before the colon."""
        return self.text.part(0, self.text.find(":")).trimmed()

    @cached_property
    def value(self) -> Written:
        """What stands after the colon."""
        return self.text.part(self.text.find(":") + 1, len(self.text)).stripped()


def read_text(path: Path, place: Place | None = None) -> str:
    """The text of a file of the language.

    Args:
        path: The file.
        place: Where it is named, for the message if it is not there.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # which no path may hold
    except OSError as error:
        near = sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else []
        raise InputError(
            NO_FILE.finding(
                f"cannot read `{path}`: {error.strerror or error}",
                suggestion=did_you_mean(path.name, near, what="files"),
                place=place,
            )
        ) from error


def split_lines(path: Path, text: str, findings: list[Finding]) -> Iterator[Line]:
    """The lines of a text; those that are comments are left out, blank ones are kept."""
    for number, raw in enumerate(text.splitlines(), start=1):
        content = raw.replace("\t", " ").rstrip()
        start = len(content) - len(content.lstrip())
        if content[start : start + 1] in tuple(COMMENT_SIGNS):
            continue
        place = Place(path, number, start + 1, max(1, len(content) - start), raw.rstrip())
        stop = _end(content)
        kept = content[start:stop].rstrip()
        if kept.count('"') % 2:
            findings.append(
                OPEN_QUOTE.finding("a quote is not closed", place=place, suggestion='add a `"`')
            )
        line = Line(Written.at(kept, place), place, indented=start > 0)
        if stop < len(content) and content[stop - 1 : stop].strip(" :;,"):
            findings.append(_cut(line, content[stop:], stop + 1))
        yield line


def _end(text: str) -> int:
    """Where the comment of a line begins; the length of the line without one."""
    return min((at for sign in COMMENT_SIGNS for at in unquoted(text, sign)), default=len(text))


def _cut(line: Line, comment: str, column: int) -> Finding:
    place = Place(line.place.file, line.place.line, column, len(comment), line.place.text)
    return CUT.finding(
        f"`{comment[0]}` begins a comment here, so the value read is `{line.value}`",
        suggestion="put the whole value in quotes",
        place=place,
    )


def split(text: Written, sign: str) -> list[Written]:
    """The parts of a text between signs that stand outside quotes, without outer spaces."""
    edges = unquoted(text, sign)
    starts, ends = [0, *(edge + 1 for edge in edges)], [*edges, len(text)]
    return [text.part(start, stop).stripped() for start, stop in zip(starts, ends, strict=True)]


def unquoted(text: str, sign: str) -> list[int]:
    """Where a sign stands outside quotes."""
    quoted, found = False, []
    for match in re.finditer(f'["{sign}]', text):
        quoted ^= match[0] == '"'
        if match[0] == sign and not quoted:
            found.append(match.start())
    return found
