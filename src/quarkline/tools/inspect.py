"""What is in a file of events: format, content key, trees, columns and their first values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quarkline.engine.core.addresses import spelt
from quarkline.engine.core.findings import InputError, WorkError
from quarkline.engine.core.results import Result
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.remote import file_size
from quarkline.events.schema import Column
from quarkline.events.sources import Source, TreeInfo, detect, list_trees
from quarkline.tools.friend_files import NO_FRIENDS, Friends
from quarkline.tools.inspect_values import ColumnValues, column_values

FIRST = 3


@dataclass(frozen=True)
class ColumnSummary:
    """One column as `quarkline inspect` shows it.

    Attributes:
        name: Its name, as an expression spells it.
        type: Type of its values; `[]` marks a list, `[3]` an array of fixed length.
        counter: Column that holds the number of values in each event, "" if there is none.
        unit: Unit of its values, "" if none is known.
        title: The format's own comment.
        first: Values of the first events, as JSON.
        problem: Why it cannot be read, "" if it can.
    """

    name: str
    type: str = ""
    counter: str = ""
    unit: str = ""
    title: str = ""
    first: tuple[Any, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class TreeSummary:
    """One table of a file: its name, events and columns, or why it cannot be read."""

    name: str
    entries: int | None
    columns: int | None
    problem: str = ""


@dataclass(frozen=True)
class InspectResult(Result, kind="inspect"):
    """What is in a file of events.

    Attributes:
        file: Path as it was given.
        format: Name of the format.
        size: In bytes.
        key: Content key.
        weak: Whether the key covers only the size and both ends of the file.
        trees: All tables in the file.
        tree: The one described below, None if it has no name or none was chosen.
        entries: Its number of events, None if none was chosen.
        columns: Its columns, in the file's order; those that cannot be read come last.
        metadata: What a table of our own says about itself.
        values: What the readable columns hold, empty unless it was asked for.
    """

    file: str
    format: str
    size: int
    key: str
    weak: bool
    trees: tuple[TreeSummary, ...]
    tree: str | None = None
    entries: int | None = None
    columns: tuple[ColumnSummary, ...] = ()
    metadata: Mapping[str, Any] | None = None
    values: tuple[ColumnValues, ...] = ()


def inspect(
    path: str | Path,
    *,
    tree: str | None = None,
    stats: bool = False,
    friends: Friends = NO_FRIENDS,
) -> InspectResult:
    """Say what is in a file of events.

    Args:
        path: A file of any format that is read.
        tree: The tree to describe. Without it the only one is; of several only names and
            numbers of events are given.
        stats: Read the whole table, and say what its columns hold.
        friends: What is read beside the file; their columns follow those of the file.

    Raises:
        InputError: If the file is missing, of no known format or damaged, or has no such tree.
    """
    path = Path(path)
    form = detect(path)
    key = file_key(path)
    trees = list_trees(path)
    listed = InspectResult(
        file=spelt(path),
        format=form.name,
        size=file_size(path),
        key=key.digest,
        weak=key.weak,
        trees=tuple(map(_tree_summary, trees)),
    )
    if tree is None and sum(not info.problem for info in trees) != 1:
        return listed
    with friends.open(path, tree) as source:
        told = source.schema.metadata.get("quarkline")
        return replace(
            listed,
            tree=source.schema.tree,
            entries=source.schema.entries,
            columns=_column_summaries(source),
            metadata=told if isinstance(told, Mapping) and told else None,
            values=column_values(source, list(source.schema.columns)) if stats else (),
        )


def type_name(column: Column) -> str:
    """The type of a column in short: `float32`, `float32[]`, `float32[][]`, `float32[3]`."""
    fixed = "".join(f"[{size}]" for size in column.shape)
    return column.dtype + "[]" * column.depth + fixed


def _tree_summary(info: TreeInfo) -> TreeSummary:
    return TreeSummary(info.name, info.entries, info.columns, info.problem)


def _column_summaries(source: Source) -> tuple[ColumnSummary, ...]:
    metadata = source.schema.metadata
    counters, unreadable = metadata.get("counters"), metadata.get("unreadable")
    named = counters if isinstance(counters, Mapping) else {}
    refused = unreadable if isinstance(unreadable, Mapping) else {}
    readable = [
        _column_summary(source, column, named.get(column.name, ""))
        for column in source.schema.columns.values()
    ]
    return (*readable, *(ColumnSummary(name, problem=why) for name, why in refused.items()))


def _column_summary(source: Source, column: Column, counter: str) -> ColumnSummary:
    first: tuple[Any, ...] = ()
    problem = ""
    try:
        array = source.read([column.name], 0, min(FIRST, source.schema.entries))
        first = tuple(array[column.name].to_list())
    except (InputError, WorkError) as error:
        problem = error.findings[0].message.partition(" cannot be read: ")[2]
    return ColumnSummary(
        column.name, type_name(column), counter, column.unit, column.title, first, problem
    )
