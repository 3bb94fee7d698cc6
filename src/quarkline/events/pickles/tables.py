"""From what a pickled pandas table describes to its columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.pickles.arrays import Builder, describe
from quarkline.events.pickles.parts import TABLES, Call, Name, inert_parts
from quarkline.events.sources.layout import UnreadableError

NO_TABLE = Rule(
    "QL-EVENTS-053",
    "a pickled table is a pandas table of numbers",
    "Columns have names and hold numbers; the index is left out. Tables of pandas 1.3 to 2 are "
    "read. Sizes are checked before anything is built from them.",
)

Columns = dict[str, NDArray[Any]]


def read_table_pickle(path: Path) -> Columns:
    """Read a pickled pandas table without unpickling it.

    Args:
        path: The file.

    Returns:
        Array by column, in the order of the table, all of equal length.

    Raises:
        InputError: If it names anything but a table, is damaged, or holds something else.
    """
    data = path.read_bytes()
    try:
        return _columns(Builder(len(data)), inert_parts(data, path, TABLES))
    except UnreadableError as error:
        raise InputError(
            NO_TABLE.finding(
                f"it holds {error}",
                place=Place(file=path),
                suggestion="write it as Parquet where it was made: DataFrame.to_parquet",
            )
        ) from error


def _columns(builder: Builder, value: Any) -> Columns:
    match value:
        case Call(
            Name("pandas.DataFrame"),
            (),
            {"_mgr": Call(Name("pandas.BlockManager"), (tuple(blocks), [axis, _]), None)},
        ):
            names = _names(axis)
        case _:
            msg = f"{describe(value)}, not a pandas table"
            raise UnreadableError(msg)
    found: dict[int, NDArray[Any]] = {}
    for block in blocks:
        values, places = _block(builder, block, len(names))
        found.update(zip(places, values, strict=True))
    if sorted(found) != list(range(len(names))) or len({len(item) for item in found.values()}) > 1:
        msg = "columns that contradict their names"
        raise UnreadableError(msg)
    return {name: found[place] for place, name in enumerate(names)}


def _names(axis: Any) -> list[str]:
    """The names of columns, an index of texts."""
    match axis:
        case Call(
            Name("pandas.new_Index"),
            (
                Name("pandas.Index"),
                {"data": Call(Name("numpy.reconstruct"), _, (1, (int(),), _, _, list(names)))},
            ),
            None,
        ) if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return [str(name) for name in names]
    msg = "a table whose columns have no names of their own"
    raise UnreadableError(msg)


def _block(builder: Builder, block: Any, columns: int) -> tuple[NDArray[Any], Sequence[int]]:
    """Columns of one type, and their places in the table."""
    match block:
        case Call(Name("pandas.block"), (part, place, 2), None):
            values, places = builder.numbers(part), _places(builder, place, columns)
        case _:
            msg = f"{describe(block)}, not columns of numbers"
            raise UnreadableError(msg)
    if values.ndim != 2 or len(values) != len(places):
        msg = f"{len(places)} columns in an array of shape {values.shape}"
        raise UnreadableError(msg)
    return values, places


def _places(builder: Builder, place: Any, columns: int) -> Sequence[int]:
    match place:
        case Call(Name("slice"), (int(start), int(stop), int(step)), None) if step:
            places = range(start, stop, step)
        case _:
            values = builder.numbers(place)
            if values.ndim != 1 or values.dtype.kind not in "iu":
                msg = "places of columns that are no integers"
                raise UnreadableError(msg)
            return np.asarray(values).tolist()  # type: ignore[no-any-return]
    if len(places) > columns:
        msg = f"{len(places):,} places for {columns:,} columns"
        raise UnreadableError(msg)
    return places
