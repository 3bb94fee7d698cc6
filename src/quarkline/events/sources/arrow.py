"""From Arrow columns to arrays."""

from __future__ import annotations

from typing import Any

import awkward as ak
import pyarrow as pa


def from_arrow(column: Any) -> ak.Array:
    """The values of a `pyarrow.ChunkedArray`; dictionaries become what they stand for.

    The chunks are copied into one array that starts at its first value: awkward 2.14 reads the
    missing values of an array that starts elsewhere from the wrong place.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    chunks = [*column.chunks, pa.array([], column.type)]
    return ak.from_arrow(pa.concat_arrays(chunks))
