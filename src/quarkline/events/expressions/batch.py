"""A batch of events as expressions read it: columns taken apart once, and its place in a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions.nodes import Node
from quarkline.events.schema import Column

Integers = NDArray[np.int64]
Columns: TypeAlias = ak.Array | Mapping[str, Any]


class Levels:
    """A column as flat values and the offsets of its nested lists.

    Attributes:
        content: Innermost values of all events, flat: NumPy, or awkward for text.
        offsets: Per dimension, where each list begins and ends in the next one.
    """

    def __init__(self, array: Any, dimensions: int) -> None:
        self.offsets: list[Integers] = []
        layout = ak.to_layout(array)
        for _ in range(dimensions):
            lists = _lists(layout)
            self.offsets.append(np.asarray(lists.offsets.data, dtype=np.int64))
            layout = lists.content[: self.offsets[-1][-1]]
        layout = layout.to_packed()
        text = layout.parameter("__array__") in {"string", "bytestring"}
        self.content = ak.Array(layout) if text else layout.to_backend_array()


def _lists(layout: Any) -> Any:
    """The lists of a layout one after the other, arrays of fixed length among them."""
    if layout.is_numpy:
        layout = layout.to_RegularArray()
    return layout.to_packed().to_ListOffsetArray64(True)


@dataclass(frozen=True)
class Entries:
    """Where a batch stands in the files that are read as one table.

    Attributes:
        start: Entry of its first event in its file.
        in_file: Entries of that file.
        before: Entries of the files before it.
        in_all: Entries of all files; None if that was not counted.
        rows: Which events of those from `start` on they are; None if all.
    """

    start: int
    in_file: int
    before: int = 0
    in_all: int | None = None
    rows: Integers | None = None

    def values(self, name: str, rows: int) -> NDArray[np.float64]:
        """`Entry$`, `LocalEntry$`, `Entries$` or `LocalEntries$` for the events of the batch."""
        match name:
            case "Entry$":
                return self._numbers(rows) + (self.before + self.start)
            case "LocalEntry$":
                return self._numbers(rows) + self.start
            case "LocalEntries$":
                return np.full(rows, float(self.in_file))
        if self.in_all is None:
            msg = "`Entries$` was allowed, but the entries of all files were not counted"
            raise ValueError(msg)
        return np.full(rows, float(self.in_all))

    def entry(self, row: int) -> int:
        """The entry of an event of the batch in its file."""
        return self.start + (row if self.rows is None else int(self.rows[row]))

    def taken(self, rows: Integers) -> Entries:
        """The place of some events of the batch, by their rows."""
        return replace(self, rows=rows if self.rows is None else self.rows[rows])

    def _numbers(self, rows: int) -> NDArray[np.float64]:
        chosen = np.arange(rows) if self.rows is None else self.rows
        return chosen.astype(np.float64)


class Batch:
    """Consecutive events, for any number of expressions.

    Attributes:
        columns: Columns by name: a record array, or a mapping to arrays of one length.
        rows: Number of events.
        entries: Their place in the files; None if they have none.
        by_event: What expressions have computed for every event, by node.
    """

    def __init__(
        self, columns: Columns, entries: Entries | None = None, *, rows: int | None = None
    ) -> None:
        self.columns, self.entries = columns, entries
        self.rows = _rows(columns) if rows is None else rows
        self.by_event: dict[Node, NDArray[np.float64]] = {}
        self._levels: dict[str, Levels] = {}

    def taken(self, rows: Integers, names: Iterable[str]) -> Batch:
        """Some of its events, by their rows, with some of its columns."""
        columns = {name: self.columns[name][rows] for name in names}
        return Batch(columns, self.entries and self.entries.taken(rows), rows=len(rows))

    def levels(self, column: Column) -> Levels:
        """A column taken apart, as it was the first time."""
        found = self._levels.get(column.name)
        if found is None:
            found = Levels(self.columns[column.name], column.depth + len(column.shape))
            self._levels[column.name] = found
        return found

    def counted(self, name: str) -> NDArray[np.float64]:
        """`Entry$` and its like, with shape (rows,).

        Raises:
            ValueError: If the batch has no place in a file; `check` refuses the name there.
        """
        if self.entries is None:
            msg = f"`{name}` was allowed for events without an entry number"
            raise ValueError(msg)
        return self.entries.values(name, self.rows)


EventTable: TypeAlias = Columns | Batch


def as_batch(table: EventTable) -> Batch:
    """The table as a batch, which it may be already."""
    return table if isinstance(table, Batch) else Batch(table)


def _rows(columns: Columns) -> int:
    if isinstance(columns, Mapping):
        return len(next(iter(columns.values()))) if columns else 0
    return len(columns)
