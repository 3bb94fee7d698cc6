"""Placeholders: the lines `XXX_NAME: value` of a replacement file, and texts with their values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, Place, Rule, Severity, did_you_mean
from quarkline.trexfitter.lines import BAD_LINE, read_text, split_lines

UNKNOWN = Rule(
    "QL-TREX-010",
    "every placeholder is defined",
    "A word that begins with `XXX` is replaced by its value in the replacement file. Left as it "
    "is, it would be taken for a branch.",
)
CIRCLE = Rule(
    "QL-TREX-011",
    "no placeholder contains itself",
    "The value of a placeholder may contain others, as long as none leads back to the first.",
)
PREFIX = Rule(
    "QL-TREX-012",
    "no placeholder begins with the name of another",
    "TRExFitter replaces names as texts, the alphabetically first before the others, so "
    "`XXX_TAU_SELECTION` becomes the value of `XXX_TAU` followed by `_SELECTION` where both are "
    "defined. Here whole words are replaced. Rename one of them.",
    Severity.WARNING,
)
TWICE = Rule(
    "QL-TREX-013",
    "a name is given one value",
    "Where an option or placeholder stands twice, the later value wins and the earlier one does "
    "nothing.",
    Severity.WARNING,
)

TOO_LONG = Rule(
    "QL-TREX-014",
    "what placeholders stand for fits into memory",
    "Placeholders that use each other multiply: thirty lines can ask for more text than a computer "
    "holds. No value may come to more than a million characters, and no config to more than 50 "
    "million; and values may use each other at most 100 deep.",
)

WORD = re.compile(r"XXX\w*")
LONGEST = 1_000_000
MOST = 50_000_000
DEEPEST = 100


@dataclass
class Replacements:
    """The placeholders of a config.

    Attributes:
        values: What each stands for, as written.
        findings: What is wrong with the definitions and their uses, each said once.
        used: Placeholders that a text has asked for.
        unknown: Those that nothing defines, each said once.
        expanded: What they have come to, each worked out once.
        spent: Characters of all texts so far.
        unread: Whether the file with their values cannot be read, which is said once.
    """

    values: Mapping[str, Written] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set, repr=False)
    expanded: dict[str, Written] = field(default_factory=dict, repr=False)
    spent: int = 0
    unread: bool = False

    def expand(self, text: Written) -> Written:
        """The text with the values of its placeholders."""
        if self.spent > MOST:
            self._say(TOO_LONG.finding(f"all texts come to more than {MOST:,}", place=text.place))
            return Written("")
        whole = self._expand(text, ())
        self.spent += len(whole)
        return whole

    def _expand(self, text: Written, within: tuple[str, ...]) -> Written:
        parts, done = [], 0
        for match in WORD.finditer(text):
            start, stop = match.start(), match.end()
            place = text.within(start, stop)
            parts += [text.part(done, start), self._value(match[0], place, within)]
            done = stop
        if not parts:
            return text
        return Written.joined([*parts, text.part(done, len(text))])

    def _value(self, word: str, place: Place | None, within: tuple[str, ...]) -> Written:
        name = word if word in self.values else self._beginning(word)
        if name is None:
            return self._unknown(word, place)
        if name in within:
            chain = " -> ".join((*within[within.index(name) :], name))
            self._say(CIRCLE.finding(f"placeholders go in a circle: {chain}", place=place))
            return Written("")
        self.used.add(name)
        shorter = [other for other in self.values if word != other and word.startswith(other)]
        if word in self.values and shorter:
            self._say(_prefix(word, min(shorter), place))
        if name not in self.expanded:
            value = Written("")
            if len(within) < DEEPEST:
                value = self._expand(self.values[name], (*within, name))
            if len(value) > LONGEST or len(within) >= DEEPEST:
                self._say(TOO_LONG.finding(f"`{name}` is too long or too deep", place=place))
                value = Written("")
            self.expanded[name] = value
        return Written.joined([self.expanded[name], word[len(name) :]])

    def _beginning(self, word: str) -> str | None:
        """The longest placeholder that a word begins with, as in `XXX_A2` with `XXX_A`."""
        known = [name for name in self.values if word.startswith(name)]
        return max(known, key=len, default=None)

    def _unknown(self, word: str, place: Place | None) -> Written:
        if not self.unread and word not in self.unknown:
            self.unknown.add(word)
            self._say_unknown(word, place)
        return Written(word)

    def _say_unknown(self, word: str, place: Place | None) -> None:
        self._say(
            UNKNOWN.finding(
                f"placeholder `{word}` is not defined",
                suggestion=did_you_mean(word, self.values, what="placeholders"),
                place=place,
            )
        )

    def _say(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)


def read_replacements(path: Path, place: Place | None = None) -> Replacements:
    """Read a replacement file.

    Args:
        path: The file.
        place: Where it is named.

    Raises:
        InputError: If it is not there.
    """
    findings: list[Finding] = []
    values: dict[str, Written] = {}
    for line in split_lines(path, read_text(path, place), findings):
        if not line.text:
            continue
        if ":" not in line.text or not line.key:
            findings.append(BAD_LINE.finding("no `NAME: value`", place=line.place))
            continue
        if line.key in values:
            findings.append(twice(f"placeholder `{line.key}`", line.key, values[line.key].place))
        values[str(line.key)] = line.value
    return Replacements(values, findings)


def overridden(replacements: Replacements, values: Mapping[str, str]) -> Replacements:
    """The placeholders with other values for some of them, as given to `--replace`."""
    given = {
        name: Written.at(value, Place(label=f"--replace {name}={value}"))
        for name, value in values.items()
    }
    findings = [*replacements.findings, *_undefined(replacements.values, given)]
    return Replacements({**replacements.values, **given}, findings, unread=replacements.unread)


def _undefined(known: Mapping[str, Written], given: Mapping[str, Written]) -> Iterator[Finding]:
    for name, value in given.items():
        if known and name not in known:
            yield UNKNOWN.finding(
                f"placeholder `{name}` is not defined",
                suggestion=did_you_mean(name, known, what="placeholders"),
                place=value.place,
            )


def twice(what: str, name: Written, first: Place | None) -> Finding:
    """The finding for something that stands twice."""
    at = f", first in {first}" if first else ""
    return TWICE.finding(
        f"{what} stands twice{at}; the later value wins",
        suggestion="delete one of them",
        place=name.place,
    )


def _prefix(word: str, shorter: str, place: Place | None) -> Finding:
    return PREFIX.finding(
        f"TRExFitter replaces `{shorter}` inside `{word}`; here `{word}` is replaced as a whole",
        suggestion=f"rename one of them, for example to `{shorter}_ONLY`",
        place=place,
    )
