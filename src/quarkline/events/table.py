"""Quarkline's own tables: Parquet with reserved columns and metadata about the sample.

Reserved are `_source`, `_entry` and `_object` (row id), `_group`, `_fold`, `_label`, `_weight`,
`_weight_<variation>` and `_selected` (whether a row is in the region); other names that begin with
an underscore are refused. Inside are GeV, cm, rad and ns. Nothing is rounded: every column keeps
the type it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import awkward as ak
import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean
from quarkline.engine.core.results import Result
from quarkline.events.schema import Column
from quarkline.events.selection import CutFlow
from quarkline.events.sinks.parquet import ParquetSink
from quarkline.events.sources import open_source
from quarkline.events.sources.base import record_array
from quarkline.events.sources.problems import opening

RESERVED = {
    "_source": "uint64",
    "_entry": "uint64",
    "_object": "uint16",
    "_group": "int64",
    "_fold": "int16",
    "_label": "int64",
    "_weight": "float64",
    "_selected": "bool",
}
VARIATION = "_weight_"

RESERVED_COLUMN = Rule(
    "QL-EVENTS-043",
    "names that begin with an underscore are Quarkline's own",
    "Tables carry row ids, groups, folds, labels and weights in columns whose names begin with an "
    "underscore. A column of the user's with such a name could be taken for one of them.",
)


@dataclass(frozen=True)
class WeightSum:
    """A sum of weights over all events, before any cut.

    Attributes:
        expression: The weight.
        events: Number of events.
        nan: Events whose weight is NaN; they are in no sum.
        negative: Events whose weight is negative.
        sum_weights: Sum of the weights.
        sum_weights2: Sum of their squares.
    """

    expression: str
    events: int = 0
    nan: int = 0
    negative: int = 0
    sum_weights: float = 0.0
    sum_weights2: float = 0.0

    def __add__(self, other: WeightSum) -> WeightSum:
        if self.expression != other.expression:
            msg = f"sums of different weights: `{self.expression}` and `{other.expression}`"
            raise ValueError(msg)
        return WeightSum(
            self.expression,
            self.events + other.events,
            self.nan + other.nan,
            self.negative + other.negative,
            self.sum_weights + other.sum_weights,
            self.sum_weights2 + other.sum_weights2,
        )


@dataclass(frozen=True)
class TableMetadata(Result, kind="table"):
    """What a table says about itself, as the JSON text `quarkline` in the file's metadata.

    Attributes:
        units: Unit by column; columns without one are left out.
        sample: Name of the sample, "" if there is none.
        tree: Tree the row ids refer to, "" if there is none.
        sum_of_weights: Sum of weights before any cut, None for data.
        luminosity: In inverse femtobarn, None if unknown.
        cut_flow: The selection so far, None if there was none.
        sums: Sums of weights before any cut, by name.
    """

    units: Mapping[str, str] = field(default_factory=dict)
    sample: str = ""
    tree: str = ""
    sum_of_weights: float | None = None
    luminosity: float | None = None
    cut_flow: CutFlow | None = None
    sums: Mapping[str, WeightSum] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table in memory: a record array with one field a column, and its metadata."""

    array: ak.Array
    metadata: TableMetadata


class TableSink(ParquetSink):
    """A Parquet sink that keeps the rules of reserved columns; written to in chunks."""

    def __init__(self, path: Path, metadata: TableMetadata | None = None) -> None:
        super().__init__(path, (metadata or TableMetadata()).as_json())

    def _columns_of(self, array: ak.Array) -> dict[str, Column]:
        columns = super()._columns_of(array)
        reserved = {name: column for name, column in columns.items() if name.startswith("_")}
        findings = [
            RESERVED_COLUMN.finding(
                f"column `{name}` begins with an underscore",
                place=Place(file=self.path),
                suggestion=did_you_mean(name, RESERVED, what="reserved columns"),
            )
            for name in reserved
            if reserved_dtype(name) is None
        ]
        if findings:
            raise InputError(*findings)
        for name, column in reserved.items():
            if column != Column(name, str(reserved_dtype(name))):
                msg = f"{name} is {reserved_dtype(name)} and flat, not {column}"
                raise ValueError(msg)
        return columns


def write_table(
    path: Path,
    columns: ak.Array | Mapping[str, ArrayLike | ak.Array],
    metadata: TableMetadata | None = None,
) -> None:
    """Write a table that is in memory; equal columns and metadata give equal bytes.

    Args:
        path: The Parquet file, replaced if it exists.
        columns: Record array, or columns by name, of equal length.
        metadata: What the table says about itself.

    Raises:
        InputError: If a column's name is not the user's to give, or its type cannot be written.
        ValueError: If columns differ in length or a reserved column has another type than its own.
    """
    with TableSink(path, metadata) as sink:
        sink.write(columns if isinstance(columns, ak.Array) else _side_by_side(columns))


def read_table(path: Path, columns: Sequence[str] | None = None) -> Table:
    """Read a table into memory; a Parquet file of another maker has empty metadata.

    Args:
        path: The Parquet file.
        columns: Names of columns; None reads all.

    Raises:
        InputError: If the file is not Parquet or a column does not exist.
    """
    with open_source(path) as source:
        names = list(source.schema.columns) if columns is None else columns
        return Table(source.read(names), _metadata(path, source.schema.metadata.get("quarkline")))


def reserved_dtype(name: str) -> str | None:
    """The type of a reserved column, or None if the name is not reserved."""
    if name.startswith(VARIATION) and name != VARIATION:
        return RESERVED["_weight"]
    return RESERVED.get(name)


def _metadata(path: Path, told: object) -> TableMetadata:
    """What a file says about its table; nothing if another maker wrote it."""
    if not isinstance(told, dict) or told.get("kind") != TableMetadata.kind:
        return TableMetadata()
    with opening(path):
        return TableMetadata.from_json(told)


def _side_by_side(columns: Mapping[str, ArrayLike | ak.Array]) -> ak.Array:
    arrays = {
        name: column if isinstance(column, ak.Array) else ak.from_numpy(np.asarray(column))
        for name, column in columns.items()
    }
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        msg = f"columns of different lengths: {lengths}"
        raise ValueError(msg)
    return record_array(arrays, next(iter(lengths.values()), 0))
