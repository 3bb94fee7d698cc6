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

from quarkline.engine.core.addresses import spelt
from quarkline.engine.core.findings import Finding, Place, QuarklineError
from quarkline.engine.core.results import Result
from quarkline.engine.store.filekeys import file_key
from quarkline.events.cuts import Cuts
from quarkline.events.identity import EVENT_KEY, SIMULATION_KEY, integer_key
from quarkline.events.schema import Column, Schema
from quarkline.events.selection import event_weights
from quarkline.events.sources import Source, open_source
from quarkline.events.sources.base import CHUNK_ROWS
from quarkline.tools.batches import read_batches
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
        sum: Sum of the finite ones.
        largest: The finite one of largest size.
        entry: Its event.
    """

    n: int = 0
    nan: int = 0
    infinite: int = 0
    zero: int = 0
    sum: float = 0.0
    largest: float = 0.0
    entry: int = 0


@dataclass(frozen=True)
class FileFacts(Result, kind="file-facts"):
    """What was seen in one file.

    Attributes:
        file: The file.
        entries: Number of events, None if it cannot be read.
        key: Its content key, "" if it cannot be read.
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


def examine_file(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: look at one file; what is wrong with it is part of the outcome.

    Args:
        args: `tree`; `columns` to look at, None for all; `identity`, empty for what is known; and
            `weight`, an expression or None.
        inputs: `file`.
        folder: Where the event keys go.
    """
    path = inputs["file"]
    try:
        with open_source(path, tree=args["tree"]) as source:
            facts = _facts(source, args, folder)
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
        key=file_key(source.path).digest,
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
    found, start = WeightFacts(), 0
    sums: list[float] = []
    bound = functools.partial(Cuts.of, cuts={}, weight=weight)
    for cuts, batch, _ in read_batches([source.path], source.schema.tree, CHUNK_ROWS, bound):
        values = event_weights(batch, cuts.weight) if cuts.weight else np.ones(batch.rows)
        known = np.isfinite(values)
        sums.append(math.fsum(values[known]))
        size = np.where(known, np.abs(values), -1.0)
        top = int(np.argmax(size)) if len(size) else 0
        larger = len(size) > 0 and size[top] > abs(found.largest)
        nan = int(np.isnan(values).sum())
        found = WeightFacts(
            n=found.n + len(values),
            nan=found.nan + nan,
            infinite=found.infinite + int((~known).sum()) - nan,
            zero=found.zero + int((values == 0).sum()),
            sum=math.fsum(sums),
            largest=float(values[top]) if larger else found.largest,
            entry=start + top if larger else found.entry,
        )
        start += len(values)
    return found
