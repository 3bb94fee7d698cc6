"""Parquet files, written by pyarrow: zstd, row groups of fixed size, checksums on every page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import pyarrow as pa
import pyarrow.parquet as pq

from quarkline.engine.core.results import canonical_json
from quarkline.events.schema import Column
from quarkline.events.sinks.base import Sink
from quarkline.events.sinks.compression import Compression

SUFFIXES = (".parquet", ".pq")
FLOATS = ("float16", "float32", "float64")


class ParquetSink(Sink):
    """One table as a Parquet file; equal events give equal bytes."""

    block_rows = 131_072

    def _refusal(self, column: Column) -> str | None:  # noqa: ARG002
        return None

    def _begin(self, path: Path) -> None:
        self._schema = pa.schema([_field(column) for column in self.columns.values()])
        self._writer = self._stack.enter_context(
            pq.ParquetWriter(
                path,
                self._schema,
                **_codec(self.compression),
                use_dictionary=[c.name for c in self.columns.values() if c.dtype not in FLOATS],
                write_page_checksum=True,
            )
        )

    def _write_block(self, array: ak.Array) -> None:
        columns = [_arrow(array[field.name], field) for field in self._schema]
        table = pa.Table.from_arrays(columns, schema=self._schema)
        self._writer.write_table(table, row_group_size=self.block_rows)

    def _end(self) -> None:
        texts = {name: canonical_json(value).encode() for name, value in self.told.items()}
        self._writer.add_key_value_metadata(texts)


def _codec(compression: Compression | None) -> dict[str, Any]:
    """The arguments of pyarrow for a compression."""
    if compression is None:
        return {"compression": "zstd"}
    name = {"zlib": "gzip"}.get(compression.name, compression.name)
    with_level = compression.name in {"zstd", "zlib"}  # pyarrow knows no levels of the others
    return {"compression": name} | ({"compression_level": compression.level} if with_level else {})


def _field(column: Column) -> Any:
    """The Arrow field of a column; nothing in it is nullable."""
    kind = pa.string() if column.dtype == "string" else pa.from_numpy_dtype(column.dtype)
    for size in reversed(column.shape):
        kind = pa.list_(pa.field("item", kind, nullable=False), size)
    for _ in range(column.depth):
        kind = pa.list_(pa.field("item", kind, nullable=False))
    return pa.field(column.name, kind, nullable=False)


def _arrow(array: ak.Array, field: Any) -> Any:
    packed = ak.to_packed(array)
    return ak.to_arrow(packed, list_to32=True, string_to32=True, extensionarray=False).cast(
        field.type
    )
