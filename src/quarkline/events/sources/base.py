"""What every source of events has in common: columns by name, in chunks, checked."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, did_you_mean
from quarkline.engine.store.filekeys import file_key, source_id
from quarkline.events.schema import Schema
from quarkline.events.sources.layout import Member

CHUNK_ROWS = 200_000

UNKNOWN_COLUMN = Rule(
    "QL-EVENTS-007",
    "a column that is asked for exists",
    "A column is asked for by the name `quarkline inspect FILE` lists. Names are case-sensitive, "
    "and members of objects are spelt with dots (`jetp4.fE`).",
)
UNREADABLE_COLUMN = Rule(
    "QL-EVENTS-008",
    "a column that is asked for holds numbers, booleans or strings",
    "Columns hold numbers, booleans or strings, alone, in lists or in lists of lists. Branches of "
    "other types are listed by `quarkline inspect FILE` with the reason; they do no harm until "
    "they are asked for.",
)


@dataclass(frozen=True)
class Chunk:
    """Consecutive events of one source.

    Attributes:
        array: Record array with one field a column.
        start: Entry of the first event in the file.
        source_id: Which file: the u64 of its content key.
    """

    array: ak.Array
    start: int
    source_id: int


class Source(abc.ABC):
    """Events in one file. A subclass reads one format; use it as a context manager.

    Attributes:
        path: The file.
        schema: Its columns. `schema.metadata` may hold `unreadable` (reason by column name),
            `counters` (name of the counter by jagged column) and `quarkline` (what our own
            tables say about themselves).
    """

    path: Path
    schema: Schema

    @cached_property
    def source_id(self) -> int:
        """First 8 bytes of the file's content key: the `_source` of every row read from it."""
        return source_id(file_key(self.path))

    def read(self, columns: Sequence[str], start: int = 0, stop: int | None = None) -> ak.Array:
        """Read events [start, stop) of some columns.

        Args:
            columns: Names; repeated names are read once.
            start: First event.
            stop: Event after the last one; None reads to the end.

        Returns:
            Record array with these fields and length stop - start.

        Raises:
            InputError: If a column is unknown or unreadable.
            WorkError: If the file turns out damaged.
        """
        entries = self.schema.entries
        stop = entries if stop is None else stop
        if not 0 <= start <= stop <= entries:
            msg = f"events [{start}, {stop}) asked for; {self.path} has {entries}"
            raise ValueError(msg)
        names = self.checked(columns)
        return record_array(self._arrays(names, start, stop), stop - start)

    def chunks(self, columns: Sequence[str], *, step: int = CHUNK_ROWS) -> Iterator[Chunk]:
        """Read all events in order, `step` at a time; an empty table gives one empty chunk."""
        sweep = self.sweep()
        for start, stop in self._ranges(step):
            yield Chunk(sweep.read(columns, start, stop), start, self.source_id)

    def sweep(self) -> Sweep:
        """Begin to read forwards, some columns of all events and others of a few."""
        return Sweep(self)

    def boundary(self, entry: int) -> int:
        """An entry at or after `entry` where the file is cheaply cut in two."""
        return entry

    def ranges(self, rows: int) -> Iterator[tuple[int, int]]:
        """The events in ranges of about so many, cut where the file is; none of an empty table."""
        start, entries = 0, self.schema.entries
        while start < entries:
            stop = min(self.boundary(min(start + rows, entries)), entries)
            yield start, stop
            start = stop

    @abc.abstractmethod
    def close(self) -> None:
        """Release the file."""

    @abc.abstractmethod
    def _arrays(self, columns: Sequence[str], start: int, stop: int) -> Mapping[str, ak.Array]:
        """Read events [start, stop) of known columns."""

    def _ranges(self, step: int) -> Iterator[tuple[int, int]]:
        """One by one, because a damaged number of entries may be any."""
        for start in range(0, self.schema.entries, step) or range(1):
            yield start, min(start + step, self.schema.entries)

    def checked(self, columns: Sequence[str]) -> list[str]:
        """Names without repetition, refusing those that no column has."""
        names = list(dict.fromkeys(columns))
        if unknown := [name for name in names if name not in self.schema]:
            raise InputError(*(self._explain(name) for name in unknown))
        return names

    def _explain(self, name: str) -> Finding:
        label = f"tree `{self.schema.tree}`" if self.schema.tree else None
        place = Place(file=self.path, label=label)
        unreadable = self.schema.metadata.get("unreadable")
        if isinstance(unreadable, Mapping) and name in unreadable:
            return UNREADABLE_COLUMN.finding(
                f"`{name}` cannot be read: {unreadable[name]}",
                place=place,
                suggestion="leave it out, or convert the file to one with plain columns",
            )
        return UNKNOWN_COLUMN.finding(
            f"there is no column `{name}`",
            place=place,
            suggestion=did_you_mean(name, self.schema.columns, what="columns"),
            evidence={"column": name},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Sweep:
    """One way through a source, from its first event to its last.

    No call may ask for events before those of the last call. The block that was decoded last is
    kept until it is passed, so that a column that is either read or taken is decoded once.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self, columns: Sequence[str], start: int, stop: int) -> ak.Array:
        """Read events [start, stop) of some columns, as `Source.read` does."""
        return self._source.read(columns, start, stop)

    def take(self, columns: Sequence[str], entries: NDArray[np.int64]) -> ak.Array:
        """Read single events of some columns.

        Args:
            columns: Names; repeated names are read once.
            entries: Which events, in ascending order, with shape (N,).

        Returns:
            Record array with these fields and length N.
        """
        start, stop = _span(entries)
        table = self.read(columns, start, stop)
        arrays = {name: table[name][entries - start] for name in table.fields}
        return record_array(arrays, len(entries))


class BlockSource(Source):
    """A source whose columns lie in stored units that are cut into blocks (baskets, row groups)."""

    _members: Mapping[str, Member]

    @abc.abstractmethod
    def read_unit(self, unit: str, start: int, stop: int) -> ak.Array:
        """Read events [start, stop) of one stored unit."""

    @abc.abstractmethod
    def block_end(self, unit: str, entry: int) -> int:
        """The first end of a block at or after `entry`."""

    def boundary(self, entry: int) -> int:
        """The first end of a block of the first unit at or after `entry`.

        Blocks of the others mostly end there, too: writers flush all units together.
        """
        units = [member.unit for member in self._members.values()]
        return min(self.block_end(units[0], entry), self.schema.entries) if units else entry

    def sweep(self) -> Sweep:
        """Begin to read forwards, decoding every block at most once."""
        return _BlockSweep(self)

    def window(self, unit: str) -> Window:
        """What a sweep sees of one stored unit."""
        return _BlockWindow(self, unit)

    def _arrays(self, columns: Sequence[str], start: int, stop: int) -> Mapping[str, ak.Array]:
        return self.take_members(columns, lambda unit: self.read_unit(unit, start, stop))

    def take_members(
        self, columns: Sequence[str], read: Callable[[str], ak.Array]
    ) -> Mapping[str, ak.Array]:
        """The values of columns, from what is read for each of their units."""
        members = {name: self._members[name] for name in columns}
        units = {unit: read(unit) for unit in dict.fromkeys(m.unit for m in members.values())}
        return {name: member.take(units[member.unit]) for name, member in members.items()}


class Window(Protocol):
    """The events of one stored unit that a sweep has not passed yet."""

    def slice(self, start: int, stop: int) -> ak.Array:
        """Events [start, stop)."""

    def take(self, entries: NDArray[np.int64]) -> ak.Array:
        """Single events, in ascending order."""


class _BlockSweep(Sweep):
    def __init__(self, source: BlockSource) -> None:
        self._source: BlockSource = source
        self._windows: dict[str, Window] = {}

    def read(self, columns: Sequence[str], start: int, stop: int) -> ak.Array:
        names = self._source.checked(columns)
        arrays = self._source.take_members(names, lambda unit: self._at(unit).slice(start, stop))
        return record_array(arrays, stop - start)

    def take(self, columns: Sequence[str], entries: NDArray[np.int64]) -> ak.Array:
        names = self._source.checked(columns)
        arrays = self._source.take_members(names, lambda unit: self._at(unit).take(entries))
        return record_array(arrays, len(entries))

    def _at(self, unit: str) -> Window:
        if unit not in self._windows:
            self._windows[unit] = self._source.window(unit)
        return self._windows[unit]


class _BlockWindow:
    """Keeps the rest of the last block that was decoded."""

    def __init__(self, source: BlockSource, unit: str) -> None:
        self._source, self._unit = source, unit
        self._start = self._stop = 0
        self._array: ak.Array | None = None

    def slice(self, start: int, stop: int) -> ak.Array:
        if self._array is None or stop > self._stop:
            end = max(stop, self._source.block_end(self._unit, stop))
            fresh = self._source.read_unit(self._unit, max(start, self._stop), end)
            kept = [] if self._array is None else [self._array[start - self._start :]]
            self._array = ak.concatenate([*kept, fresh]) if kept and len(kept[0]) else fresh
            self._start, self._stop = start, end
        return self._array[start - self._start : stop - self._start]

    def take(self, entries: NDArray[np.int64]) -> ak.Array:
        start, stop = _span(entries, self._start)
        return self.slice(start, stop)[entries - start]


def _span(entries: NDArray[np.int64], otherwise: int = 0) -> tuple[int, int]:
    """The range that holds ascending entries; an empty one if there are none."""
    return (int(entries[0]), int(entries[-1]) + 1) if len(entries) else (otherwise, otherwise)


def record_array(arrays: Mapping[str, ak.Array], length: int) -> ak.Array:
    """Columns side by side as one record array; without columns its length remains."""
    contents = [ak.to_layout(array) for array in arrays.values()]
    return ak.Array(ak.contents.RecordArray(contents, list(arrays), length=length))
