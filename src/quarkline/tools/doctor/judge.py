"""From what was seen in the files of one sample to findings, with the evidence file by file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import Finding, Place, did_you_mean
from quarkline.engine.workflow.samples import InputSample
from quarkline.events.identity import DUPLICATE_EVENTS, SAME_CONTENT
from quarkline.events.sources.problems import DAMAGED
from quarkline.tools.doctor.duplicates import PAIRS, Repeated
from quarkline.tools.doctor.examine import KNOWN_KEYS, FileFacts, WeightFacts
from quarkline.tools.doctor.rules import (
    BAD_WEIGHT,
    CONSTANT_COLUMN,
    CONSTANT_WEIGHT,
    HUGE_VALUE,
    LARGE_WEIGHT,
    MISSING_COLUMN,
    MIXED_SENTINEL,
    NEGATIVE_WEIGHT,
    NO_EVENTS,
    NOT_FINITE,
    OTHER_SCHEMA,
)
from quarkline.tools.inspect_values import ColumnValues

LARGE_SHARE = 0.1
ENOUGH = 20
"""Events from which on a large share of the sum of weights is worth a word."""
UNUSUAL = ("NaN", "infinite", "beyond 1e9")
SHOWN = 5
MOST = 20
LONGEST = 60
"""Characters of a weight that are shown."""


@dataclass(frozen=True)
class SampleFacts:
    """What was seen of a sample.

    Attributes:
        sample: The sample.
        files: What was seen in each file that could be read.
        repeated: Events that occur twice; None if they have no event key.
        needed: Columns that files have to hold.
    """

    sample: InputSample
    files: Sequence[FileFacts]
    repeated: Repeated | None = None
    needed: Sequence[str] = ()

    @property
    def keys(self) -> set[str]:
        """Columns that number events, whose values may be any."""
        usual = {name.lower() for key in KNOWN_KEYS for name in key}
        names = {name for file in self.files for name in file.types or {}}
        return {*self.sample.identity, *(name for name in names if name.lower() in usual)}

    @property
    def place(self) -> Place:
        """The file if there is one only, else the sample."""
        if len(self.files) == 1:
            return Place(Path(self.files[0].file))
        return Place(label=f"sample `{self.sample.name}`, {len(self.files)} files")


def judge(facts: SampleFacts) -> Iterator[Finding]:
    """What is wrong with a sample, or worth knowing about it."""
    yield from _empty(facts)
    yield from _copies(facts)
    yield from _missing(facts)
    yield from _schemas(facts)
    yield from _columns(facts)
    yield from _repeated(facts)
    yield from _weights(facts)


def _at(file: str) -> Place:
    return Place(Path(file))


def _empty(facts: SampleFacts) -> Iterator[Finding]:
    for file in facts.files:
        if file.entries == 0:
            hint = "check that the job that wrote it ended well"
            yield NO_EVENTS.finding("no events", place=_at(file.file), suggestion=hint)


def _copies(facts: SampleFacts) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for file in facts.files:
        other = first.setdefault(file.key, file.file)
        if file.key and other != file.file and file.entries:
            message = f"the file holds the same bytes as {other}"
            yield SAME_CONTENT.finding(
                message, place=_at(file.file), suggestion="name one of the two"
            )


def _missing(facts: SampleFacts) -> Iterator[Finding]:
    for file in facts.files:
        types = file.types or {}
        for name in facts.needed:
            if name not in types:
                yield MISSING_COLUMN.finding(
                    f"there is no column `{name}`",
                    place=_at(file.file),
                    suggestion=did_you_mean(name, types, what="columns"),
                )


def _schemas(facts: SampleFacts) -> Iterator[Finding]:
    """Files whose columns are not those of most files of the sample."""
    kinds = Counter(tuple((file.types or {}).items()) for file in facts.files)
    if len(kinds) < 2:
        return
    usual = dict(kinds.most_common(1)[0][0])
    for file in facts.files:
        types = file.types or {}
        lacks = [name for name in usual if name not in types and name not in facts.needed]
        more = [name for name in types if name not in usual]
        other = [
            f"`{name}` is {types[name]} instead of {usual[name]}"
            for name in usual
            if name in types and types[name] != usual[name]
        ]
        parts = [f"lacks {_names(lacks)}"] if lacks else []
        parts += [f"has {_names(more)} more"] if more else []
        if parts or other:
            yield OTHER_SCHEMA.finding(
                "unlike most files of the sample, it " + ", ".join(parts + other[:SHOWN])
                if parts
                else "unlike in most files of the sample, " + ", ".join(other[:SHOWN]),
                place=_at(file.file),
                suggestion="make the file again with the program of the others, or leave it out",
                evidence={"lacks": lacks, "more": more, "other": other},
            )


def _names(names: Sequence[str], most: int = SHOWN) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown + (f" and {len(names) - most} others" if len(names) > most else "")


@dataclass
class _Column:
    """One column over the files of a sample."""

    n: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    files: dict[str, dict[str, int]] = field(default_factory=dict)
    ends: set[Any] = field(default_factory=set)
    constant: bool = True

    def add(self, file: str, values: ColumnValues) -> None:
        self.n += values.n
        seen = dict(zip(UNUSUAL, (values.nan, values.infinite, values.huge), strict=True))
        for what, count in (seen | values.sentinels).items():
            if count:
                self.counts[what] += count
                self.files.setdefault(what, {})[file] = count
        if values.n:
            self.ends |= {values.min, values.max}
            self.constant &= values.nan == values.infinite == 0 and values.min is not None

    @property
    def fixed(self) -> bool:
        """Whether there is one value only, and more than one event."""
        return self.constant and len(self.ends) == 1 and self.n > 1

    @property
    def sentinels(self) -> list[str]:
        """Values that stand for missing ones, if there are others as well."""
        found = [what for what in self.counts if what not in UNUSUAL]
        return found if sum(self.counts[what] for what in found) < self.n else []

    def said(self, whats: Sequence[str]) -> str:
        """How many values are such, and in how many files if not in all of one."""
        parts = [f"{self.counts[what]:,} {what}" for what in whats]
        return f"{', '.join(parts)} of {self.n:,} values"

    def evidence(self, whats: Sequence[str]) -> dict[str, Any]:
        return {"values": self.n, "files": {what: self.files[what] for what in whats}}


def _columns(facts: SampleFacts) -> Iterator[Finding]:
    keys = facts.keys
    columns: dict[str, _Column] = {}
    for file in facts.files:
        for values in file.columns:
            if values.problem:
                yield DAMAGED.finding(values.problem, place=_at(file.file))
            else:
                columns.setdefault(values.name, _Column()).add(file.file, values)
    for name, column in columns.items():
        if name not in keys:
            yield from _column(name, column, facts.place)
    yield from _sentinels({k: v for k, v in columns.items() if k not in keys}, facts.place)
    fixed = {
        name: next(iter(column.ends))
        for name, column in columns.items()
        if name not in keys and column.fixed
    }
    if fixed:
        shown = [f"`{name}` ({value:g})" for name, value in fixed.items()]
        rest = f" and {len(shown) - MOST} others" if len(shown) > MOST else ""
        yield CONSTANT_COLUMN.finding(
            f"one value in all events: {', '.join(shown[:MOST])}{rest}",
            place=facts.place,
            suggestion="leave them out of features",
            evidence={"columns": fixed},
        )


def _column(name: str, column: _Column, place: Place) -> Iterator[Finding]:
    """What one column holds that it should not."""
    for rule, asked, hint in (
        (
            NOT_FINITE,
            ("NaN", "infinite"),
            f"`{name} == {name}` passes what is not NaN",
        ),
        (HUGE_VALUE, ("beyond 1e9",), f"see `quarkline inspect --stats`, or cut on `{name}`"),
    ):
        if whats := [what for what in asked if column.counts[what]]:
            message = f"`{name}`: {column.said(whats)}"
            if len(column.files[whats[0]]) == 1:
                place = _at(next(iter(column.files[whats[0]])))
            yield rule.finding(
                message, place=place, suggestion=hint, evidence=column.evidence(whats)
            )


def _sentinels(columns: Mapping[str, _Column], place: Place) -> Iterator[Finding]:
    """Values that stand for missing ones among others: a finding for all columns."""
    mixed = {name: found for name, column in columns.items() if (found := column.sentinels)}
    if not mixed:
        return
    names = list(mixed)
    whats = list(dict.fromkeys(what for found in mixed.values() for what in found))
    if len(names) == 1:
        (name,), column = names, columns[names[0]]
        said = ", ".join(f"{column.counts[what]:,} times {what}" for what in whats)
        message = f"`{name}`: {said} among {column.n:,} values"
    else:
        listed = " and ".join(filter(None, [", ".join(whats[:-1]), whats[-1]]))
        message = f"{listed} among the values of {_names(names, MOST)}"
    yield MIXED_SENTINEL.finding(
        message,
        place=place,
        suggestion=f"ask for `{names[0]} != {whats[0]}` before you cut on it",
        evidence={
            "columns": {name: columns[name].evidence(found) for name, found in mixed.items()}
        },
    )


def _repeated(facts: SampleFacts) -> Iterator[Finding]:
    found = facts.repeated
    if found is None or not found.repeated:
        return
    shown = "; ".join(
        f"{', '.join(f'{name} {value}' for name, value in key.items())} is entry {entry} of {one} "
        f"and entry {again} of {other}"
        for key, (one, entry), (other, again) in found.examples[:1]
    )
    yield DUPLICATE_EVENTS.finding(
        f"{found.repeated:,} of {found.rows:,} rows repeat an event key, such as: {shown}",
        place=facts.place,
        suggestion="look for overlapping files, or add a column: `--identity a,b,c`",
        evidence={
            "repeated": found.repeated,
            "rows": found.rows,
            "examples": [key for key, *_ in found.examples],
            "files": [
                {"first": str(one), "second": str(other), "rows": count}
                for (one, other), count in found.pairs.most_common(PAIRS)
            ],
        },
    )


def _weights(facts: SampleFacts) -> Iterator[Finding]:
    weighed = [(file.file, file.weight) for file in facts.files if file.weight is not None]
    if not weighed:
        return
    text = f"`{_shortened(facts.sample.weight or '')}`"
    n, total = sum(w.n for _, w in weighed), sum(w.sum for _, w in weighed)
    for rule, what, counts in (
        (BAD_WEIGHT, "NaN", {file: w.nan for file, w in weighed if w.nan}),
        (BAD_WEIGHT, "infinite", {file: w.infinite for file, w in weighed if w.infinite}),
    ):
        if counts:
            place = _at(next(iter(counts))) if len(counts) == 1 else facts.place
            message = f"the weight {text} is {what} in {sum(counts.values()):,} of {n:,} events"
            hint = "look at its factors with `quarkline doctor` and `quarkline draw`"
            yield rule.finding(message, place=place, suggestion=hint, evidence={"files": counts})
    for file, weight in weighed:
        if weight.n and weight.zero == weight.n:
            yield _vanishing(f"the weight {text} is 0 in all {weight.n:,} events", _at(file))
    if n and total <= 0 and any(w.zero < w.n for _, w in weighed):
        below = f"{sum(w.negative for _, w in weighed):,} of them negative"
        said = f"the weights {text} of {n:,} events, {below}, add up to {total:.4g}"
        yield _vanishing(said, facts.place)
    else:
        yield from _negative(text, weighed, facts.place)
    yield from _constant(text, [w for _, w in weighed], facts.place)
    yield from _largest(weighed, n, total)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def _constant(text: str, weights: Sequence[WeightFacts], place: Place) -> Iterator[Finding]:
    n, ends = sum(w.n for w in weights), {end for w in weights for end in (w.low, w.high)}
    if n >= ENOUGH and len(ends) == 1 and (value := ends.pop()):
        yield CONSTANT_WEIGHT.finding(
            f"the weight {text} is {value:.6g} in all {n:,} events",
            place=place,
            suggestion="check whether a generator weight or correction is left out",
            evidence={"weight": value, "events": n},
        )


def _negative(
    text: str, weighed: Sequence[tuple[str, WeightFacts]], place: Place
) -> Iterator[Finding]:
    n, count = sum(w.n for _, w in weighed), sum(w.negative for _, w in weighed)
    if not count:
        return
    below = -math.fsum(w.negative_sum for _, w in weighed)
    above = math.fsum(w.sum for _, w in weighed) + below
    share = f"; they take {100 * below / above:.3g} % off the sum of the others" if above else ""
    yield NEGATIVE_WEIGHT.finding(
        f"the weight {text} is negative in {count:,} of {n:,} events ({100 * count / n:.3g} %)"
        + share,
        place=place,
        suggestion="say how a training takes them: `weights: signed` or `weights: absolute`",
        evidence={"files": {file: w.negative for file, w in weighed if w.negative}},
    )


def _vanishing(message: str, place: Place) -> Finding:
    hint = "check its factors: a cross-section or sum of weights may be missing"
    return BAD_WEIGHT.finding(message, place=place, suggestion=hint)


def _largest(weighed: Sequence[tuple[str, WeightFacts]], n: int, total: float) -> Iterator[Finding]:
    file, weight = max(weighed, key=lambda item: abs(item[1].largest))
    if n >= ENOUGH and total and abs(weight.largest) > LARGE_SHARE * abs(total):
        share = 100 * abs(weight.largest / total)
        yield LARGE_WEIGHT.finding(
            f"event {weight.entry} has the weight {weight.largest:.4g}, {share:.3g} % of the sum "
            f"{total:.4g} of {n:,} events",
            place=_at(file),
            suggestion=f"look at it: `quarkline draw FILE ... --select 'Entry$ == {weight.entry}'`",
            evidence={"entry": weight.entry, "weight": weight.largest, "sum": total},
        )
