"""Looks at one file: its columns, event keys and weights, in chunks; the task of one worker."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.addresses import spelt
from quarkline.engine.core.findings import Finding, Place, QuarklineError
from quarkline.engine.core.results import Result
from quarkline.engine.store.filekeys import file_key
from quarkline.events.cuts import Cuts
from quarkline.events.expressions import Batch, Entries
from quarkline.events.identity import EVENT_KEY, SIMULATION_KEY, integer_key
from quarkline.events.schema import Column, Schema
from quarkline.events.selection import event_weights
from quarkline.events.sources import Source, open_source
from quarkline.tools.doctor.duplicates import write_keys
from quarkline.tools.inspect import type_name
from quarkline.tools.inspect_values import ColumnValues, column_values

KNOWN_KEYS = (SIMULATION_KEY, EVENT_KEY, ("run", "event"))
"""Event keys that are looked for where none is given."""


@dataclass(frozen=True)
class WeightFacts:
    """Weights of the events of one file.

    Attributes:
        n: Number of events.
        nan: How many weights are NaN.
        infinite: How many are infinite.
        zero: How many are 0.
        negative: How many are below 0.
        sum: Sum of the finite ones.
        negative_sum: Sum of those below 0.
        low: The lowest finite one, None if there is none.
        high: The highest finite one.
        largest: The finite one of largest size.
        entry: Its event.
    """

    n: int = 0
    nan: int = 0
    infinite: int = 0
    zero: int = 0
    negative: int = 0
    sum: float = 0.0
    negative_sum: float = 0.0
    low: float | None = None
    high: float | None = None
    largest: float = 0.0
    entry: int = 0


@dataclass(frozen=True)
class FileFacts(Result, kind="file-facts"):
    """What was seen in one file.

    Attributes:
        file: The file.
        entries: Number of events, None if it cannot be read.
        key: Its content key, "" if it cannot be read or was not read whole.
        types: Type of each column by name.
        columns: What the columns that were looked at hold.
        identity: Columns that its events were identified by, none if it has none.
        weight: Its weights, None if there is no weight.
        problems: Findings of what cannot be read, as JSON.
    """

    file: str
    entries: int | None = None
    key: str = ""
    types: Mapping[str, str] | None = None
    columns: tuple[ColumnValues, ...] = ()
    identity: tuple[str, ...] = ()
    weight: WeightFacts | None = None
    problems: tuple[Mapping[str, Any], ...] = ()


class FirstEvents(Source):
    """The first events of a file, for a look that leaves the rest unread.

    Its rows have no identity: that would take all bytes of the file.
    """

    def __init__(self, source: Source, most: int) -> None:
        self.source, self.path = source, source.path
        self.schema = replace(source.schema, entries=min(most, source.schema.entries))

    @functools.cached_property
    def source_id(self) -> int:
        """None of these rows is told apart from those of other files."""
        return 0

    def close(self) -> None:
        """Release the file."""
        self.source.close()

    def _arrays(self, columns: Sequence[str], start: int, stop: int) -> Mapping[str, ak.Array]:
        array = self.source.read(columns, start, stop)
        return {name: array[name] for name in columns}


def examine_file(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: look at one file; what is wrong with it is part of the outcome.

    Args:
        args: `tree`; `columns` to look at, None for all; `identity`, empty for what is known;
            `weight`, an expression or None; and `first`, how many events, None for all.
        inputs: `file`.
        folder: Where the event keys go.
    """
    path = inputs["file"]
    try:
        with open_source(path, tree=args["tree"]) as source:
            seen = source if args["first"] is None else FirstEvents(source, args["first"])
            facts = replace(_facts(seen, args, folder), entries=source.schema.entries)
    except QuarklineError as error:
        problems = tuple(finding.as_json() for finding in error.findings)
        facts = FileFacts(spelt(path), problems=problems)
    return facts.as_json()


def _facts(source: Source, args: Mapping[str, Any], folder: Path) -> FileFacts:
    problems: list[Mapping[str, Any]] = []
    schema = source.schema
    asked = args["columns"]
    names = [name for name in schema.columns if asked is None or name in asked]
    identity = tuple(args["identity"]) or known_key(schema)
    if not all(name in schema for name in identity):
        identity = ()
    weight = None
    for look in (
        functools.partial(_write_keys, source, identity, folder),
        functools.partial(_weights, source, args["weight"]),
    ):
        try:
            weight = look()
        except QuarklineError as error:
            problems += [_in(finding, source.path).as_json() for finding in error.findings]
    return FileFacts(
        file=spelt(source.path),
        entries=schema.entries,
        key="" if isinstance(source, FirstEvents) else file_key(source.path).digest,
        types={column.name: type_name(column) for column in schema.columns.values()},
        columns=column_values(source, names, shapes=False),
        identity=identity,
        weight=weight,
        problems=tuple(problems),
    )


def _in(finding: Finding, path: Path) -> Finding:
    """A finding that names the file, too."""
    return finding.at(replace(finding.place or Place(), file=path))


def known_key(schema: Schema) -> tuple[str, ...]:
    """The event key of a table by the names that are usual, none if it has no such columns."""
    spelt_as = {name.lower(): name for name, column in schema.columns.items() if _whole(column)}
    for key in KNOWN_KEYS:
        if all(name.lower() in spelt_as for name in key):
            return tuple(spelt_as[name.lower()] for name in key)
    return ()


def _whole(column: Column) -> bool:
    return "int" in column.dtype and not column.depth and not column.shape


def _write_keys(source: Source, identity: Sequence[str], folder: Path) -> None:
    """Write the event keys of a file, chunk by chunk."""
    for number, chunk in enumerate(source.chunks(identity) if identity else ()):
        rows = integer_key({name: ak.to_numpy(chunk.array[name]) for name in identity})
        write_keys(folder / f"keys_{number:05d}.npy", rows, chunk.start)


def _weights(source: Source, weight: str | None) -> WeightFacts | None:
    if weight is None:
        return None
    cuts, found = Cuts.of(source.schema, cuts={}, weight=weight), WeightFacts()
    sums: list[tuple[float, float]] = []
    entries = source.schema.entries
    for chunk in source.chunks(sorted(cuts.columns)):
        batch = Batch(chunk.array, Entries(chunk.start, entries, 0, entries))
        values = event_weights(batch, cuts.weight) if cuts.weight else np.ones(batch.rows)
        known = values[np.isfinite(values)]
        sums.append((math.fsum(known), math.fsum(known[known < 0])))
        found = _with(found, values, known, chunk.start)
    total, negative = (math.fsum(part) for part in zip(*sums, strict=True))
    return replace(found, sum=total, negative_sum=negative)


def _with(
    facts: WeightFacts, values: NDArray[np.float64], known: NDArray[np.float64], start: int
) -> WeightFacts:
    """Facts with those of further events."""
    ends = [end for end in (facts.low, facts.high, *_ends(known)) if end is not None]
    size = np.where(np.isfinite(values), np.abs(values), -1.0)
    top = int(np.argmax(size)) if len(size) else 0
    larger = len(size) > 0 and size[top] > abs(facts.largest)
    nan = int(np.isnan(values).sum())
    return replace(
        facts,
        n=facts.n + len(values),
        nan=facts.nan + nan,
        infinite=facts.infinite + len(values) - len(known) - nan,
        zero=facts.zero + int((values == 0).sum()),
        negative=facts.negative + int((known < 0).sum()),
        low=min(ends, default=None),
        high=max(ends, default=None),
        largest=float(values[top]) if larger else facts.largest,
        entry=start + top if larger else facts.entry,
    )


def _ends(values: NDArray[np.float64]) -> tuple[float, ...]:
    return (float(values.min()), float(values.max())) if len(values) else ()
