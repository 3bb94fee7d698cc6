"""Parquet files, read by pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quarkline.engine.core.addresses import address_of
from quarkline.engine.core.findings import Place, Rule, WorkError
from quarkline.engine.store.remote import open_binary
from quarkline.events.schema import LABEL, Column, Schema, own_notes
from quarkline.events.sources.arrow import from_arrow
from quarkline.events.sources.base import BlockSource
from quarkline.events.sources.layout import (
    Member,
    MissingValuesError,
    UnreadableError,
    columns_of,
    without_missing,
)
from quarkline.events.sources.problems import TreeInfo, opening, reading, refuse_tree

NAME = "Parquet"
SUFFIXES = (".parquet", ".pq")
MAGIC = b"PAR1"

MISSING_VALUES = Rule(
    "QL-EVENTS-012",
    "only floating-point columns have missing values",
    "A missing float is read as NaN. Integers, booleans, strings and lists have no such value, "
    "and inventing one would change an analysis silently: fill them when the file is made.",
)


class ParquetSource(BlockSource):
    """The table of a Parquet file."""

    def __init__(self, path: Path, tree: str | None = None) -> None:
        refuse_tree(path, tree, "a Parquet file")
        self.path = path
        with opening(path):
            self._file = pq.ParquetFile(
                open_binary(path) if address_of(path) else path,
                memory_map=False,
                page_checksum_verification=True,
            )
        self._members: dict[str, Member] = {}
        try:
            with opening(path):
                self._ends = _row_group_ends(self._file.metadata)
                self.schema = self._describe()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read_unit(self, unit: str, start: int, stop: int) -> ak.Array:
        """Read rows [start, stop) of one column."""
        first = int(np.searchsorted(self._ends, start, side="right"))
        last = int(np.searchsorted(self._ends, stop))
        groups = range(first, last + 1) if stop > start else range(0)
        begin = int(self._ends[first - 1]) if first else 0
        with reading(self.path, unit, None):
            table = self._file.read_row_groups(list(groups), [unit], use_threads=False)
            column = from_arrow(table[unit])[start - begin : stop - begin]
            if len(column) != stop - start:
                msg = f"rows [{start}, {stop}) hold {len(column)} values"
                raise ValueError(msg)
        try:
            return without_missing(column)
        except MissingValuesError as error:
            finding = MISSING_VALUES.finding(
                f"`{unit}`: {error}",
                place=Place(file=self.path),
                suggestion="fill them when the file is made, or leave the column out",
            )
            raise WorkError(finding) from error

    def block_end(self, unit: str, entry: int) -> int:  # noqa: ARG002
        """The first end of a row group at or after `entry`."""
        return int(self._ends[np.searchsorted(self._ends, entry)]) if len(self._ends) else 0

    def _describe(self) -> Schema:
        columns: dict[str, Column] = {}
        unreadable: dict[str, str] = {}
        stored = self._file.metadata.metadata or {}
        told = own_notes(
            {
                name.decode(errors="replace"): text.decode(errors="replace")
                for name, text in stored.items()
            }
        )
        units = told[LABEL].get("units", {})
        for field in self._file.schema_arrow:
            try:
                found = columns_of(field.name, _form(field), unit=units.get(field.name, ""))
            except UnreadableError as reason:
                unreadable[field.name] = str(reason)
                continue
            for column, member in found:
                columns[column.name], self._members[column.name] = column, member
        facts = {"unreadable": unreadable, **told}
        return Schema(columns, self._file.metadata.num_rows, None, facts)


def trees(path: Path) -> list[TreeInfo]:
    """The one table of a Parquet file."""
    with ParquetSource(path) as source:
        return [TreeInfo("", source.schema.entries, len(source.schema.columns))]


def matches(_path: Path, head: bytes) -> bool:
    """Whether a file's first bytes are those of a Parquet file."""
    return head.startswith(MAGIC)


def _row_group_ends(metadata: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    """End row of each row group.

    The metadata of single columns are left alone: pyarrow aborts the process on damaged ones.
    """
    groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    ends = np.cumsum(groups, dtype=np.int64)
    counted = int(ends[-1]) if groups else 0
    if counted != metadata.num_rows or min(groups, default=0) < 0:
        msg = f"its row groups hold {counted} rows, its header says {metadata.num_rows}"
        raise ValueError(msg)
    return ends


def _form(field: Any) -> Any:
    """The awkward form of a column; dictionaries are read as what they stand for."""
    if pa.types.is_dictionary(field.type):
        field = field.with_type(field.type.value_type)
    try:
        return ak.from_arrow_schema(pa.schema([field])).content(field.name)
    except Exception as error:
        msg = f"values of type {field.type}"
        raise UnreadableError(msg) from error
