"""What every sink of events has in common: chunks in, equal blocks out, a whole file or none."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import awkward as ak

from quarkline.engine.core.findings import Finding, InputError, Place, Rule
from quarkline.engine.store.atomic import atomic_path
from quarkline.events.schema import LABEL, Column
from quarkline.events.sinks.compression import Compression
from quarkline.events.sources.layout import UnreadableError, columns_of, without_missing

UNWRITABLE_COLUMN = Rule(
    "QL-EVENTS-041",
    "a column that is written has a type its format holds",
    "Columns hold numbers, booleans or strings, alone or in lists; objects are written member by "
    "member. Parquet holds all of them, an RNTuple all but 16-bit floats. A TTree written here "
    "holds no lists of lists and no lists of strings, HDF5 neither, and CSV no lists at all.",
)


class Sink(abc.ABC):
    """Events on their way into one file.

    Use it as a context manager: on leaving the file appears complete under its name, after an
    exception it does not appear at all. The bytes depend on the events, not on how they were cut
    into chunks.

    Attributes:
        path: The file.
        metadata: What the file will say about its table; may be set until the sink is closed.
        columns: The columns, known after the first chunk.
        notes: Further things the file will say, JSON values by name.
        counters: Name of the counter by column of lists, for formats that store counters; may be
            set until the first chunk. Other columns of lists get one named by their format's rule.
    """

    block_rows: int
    tells: ClassVar[bool] = True  # whether the format holds metadata and notes

    def __init__(
        self,
        path: Path,
        metadata: Mapping[str, Any] | None = None,
        *,
        compression: Compression | None = None,
    ) -> None:
        self.path = path
        self.compression = compression
        self.counters: Mapping[str, str] = {}
        self.metadata: Mapping[str, Any] = metadata or {}
        self.columns: dict[str, Column] = {}
        self.notes: dict[str, Mapping[str, Any]] = {}
        self._pending: list[ak.Array] = []
        self._rows = 0
        self._stack = contextlib.ExitStack()

    def write(self, array: ak.Array) -> None:
        """Append events; the first call fixes the columns, an empty array is enough for that.

        Args:
            array: Record array with one field a column.

        Raises:
            InputError: If a column has a type that the format does not hold.
            ValueError: If the columns are not those of the first call.
        """
        array = without_missing(array)
        columns = self._columns_of(array)
        if not self.columns:
            self.columns = columns
            self._begin(self._place())
        elif columns != self.columns:
            msg = f"columns {list(columns.values())} after {list(self.columns.values())}"
            raise ValueError(msg)
        self._pending.append(array)
        self._rows += len(array)
        while self._rows >= self.block_rows:
            self._write_block(self._pop(self.block_rows))

    def refusals(self, columns: Iterable[Column]) -> list[Finding]:
        """What is wrong with writing some columns in this format."""
        reasons = {column.name: self._refusal(column) for column in columns}
        return [self._refused(name, reason) for name, reason in reasons.items() if reason]

    @property
    def bytes_written(self) -> int:
        """Size of the file so far, without the events that wait for a whole block."""
        return self._temporary.stat().st_size

    @property
    def rows_waiting(self) -> int:
        """Number of events that wait for a whole block."""
        return self._rows

    @property
    def told(self) -> dict[str, Mapping[str, Any]]:
        """Everything the file says besides its events, by name."""
        return ({LABEL: self.metadata} if self.metadata else {}) | self.notes

    def close(self) -> None:
        """Write what is left and give the file its name.

        Raises:
            ValueError: If nothing was written, not even an empty array.
        """
        if not self.columns:
            msg = f"no columns for {self.path}: write an array, be it of length 0"
            raise ValueError(msg)
        if self._rows:
            self._write_block(self._pop(self._rows))
        self._end()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            try:
                self.close()
            except BaseException as failure:
                self._stack.__exit__(type(failure), failure, failure.__traceback__)
                raise
        else:
            self._stack.__exit__(kind, error, trace)

    @abc.abstractmethod
    def _refusal(self, column: Column) -> str | None:
        """Why the format cannot hold a column, or None."""

    @abc.abstractmethod
    def _begin(self, path: Path) -> None:
        """Open the file under its temporary name; register its closing with `_stack`."""

    @abc.abstractmethod
    def _write_block(self, array: ak.Array) -> None:
        """Write events; all blocks but the last have `block_rows` of them."""

    @abc.abstractmethod
    def _end(self) -> None:
        """Write the metadata and close the file."""

    def _place(self) -> Path:
        """Where the file is written until it is complete."""
        self._temporary = self._stack.enter_context(atomic_path(self.path))
        return self._temporary

    def _pop(self, rows: int) -> ak.Array:
        whole = ak.concatenate(self._pending) if len(self._pending) > 1 else self._pending[0]
        rest = whole[rows:]
        self._pending = [rest] if len(rest) else []
        self._rows -= rows
        return whole[:rows]

    def _columns_of(self, array: ak.Array) -> dict[str, Column]:
        columns: dict[str, Column] = {}
        for name in array.fields:
            try:
                ((column, _),) = columns_of(name, array[name].layout.form)
            except (UnreadableError, ValueError):
                self._refuse(name, f"values of type {array[name].type.content}")
            if reason := self._refusal(column):
                self._refuse(name, reason)
            columns[name] = column
        return columns

    def _refuse(self, name: str, reason: str) -> None:
        raise InputError(self._refused(name, reason))

    def _refused(self, name: str, reason: str) -> Finding:
        return UNWRITABLE_COLUMN.finding(
            f"`{name}` cannot be written: {reason}",
            place=Place(file=self.path),
            suggestion="leave it out, write its parts as columns, or write another format",
        )
