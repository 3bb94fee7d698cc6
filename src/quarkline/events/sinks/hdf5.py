"""HDF5 files: a group of datasets, written by h5py; lists are datasets of variable length."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.engine.core.results import canonical_json
from quarkline.events.schema import Column
from quarkline.events.sinks.base import Sink
from quarkline.events.sinks.compression import Compression
from quarkline.events.sources.hdf5 import SUFFIXES, UNIT

__all__ = ["SUFFIXES", "Hdf5Sink"]

CHUNK_ROWS = 4096
VERSIONS = ("v110", "v110")  # the oldest with checksums on all its structures
NUL = "\0"

TEXT_WITH_NUL = Rule(
    "QL-EVENTS-045",
    "text in an HDF5 file holds no NUL character",
    "HDF5 ends a text at its first NUL, so what stands behind it would be lost. Parquet holds any "
    "text.",
)


class Hdf5Sink(Sink):
    """One table as a group of an HDF5 file; equal events give equal bytes."""

    block_rows = 16 * CHUNK_ROWS

    def __init__(
        self,
        path: Path,
        metadata: Mapping[str, Any] | None = None,
        *,
        tree: str = "Events",
        compression: Compression | None = None,
    ) -> None:
        super().__init__(path, metadata, compression=compression)
        self._name = tree

    def _refusal(self, column: Column) -> str | None:
        if column.depth > 1:
            return "lists of lists"
        if (column.depth or column.dtype == "string") and column.shape:
            return "lists or arrays of arrays"
        if column.depth and column.dtype == "string":
            return "lists of strings"
        if "/" in column.name:
            return "a name with `/` is a path in HDF5"
        return None

    def _begin(self, path: Path) -> None:
        self._file = self._stack.enter_context(
            h5py.File(path, "w", libver=VERSIONS, track_order=True)
        )
        self._group = self._file.create_group(self._name, track_order=True)
        self._rows_written = 0
        for name, column in self.columns.items():
            outside = column.depth or column.dtype == "string"  # kept beside the chunks, as it is
            filters = {} if outside else _filters(self.compression)
            self._group.create_dataset(
                name,
                shape=(0, *column.shape),
                maxshape=(None, *column.shape),
                chunks=(CHUNK_ROWS, *column.shape),
                dtype=_dtype(column),
                **filters,
            )

    def _write_block(self, array: ak.Array) -> None:
        stop = self._rows_written + len(array)
        for name, column in self.columns.items():
            dataset = self._group[name]
            dataset.resize(stop, axis=0)
            rows = np.s_[self._rows_written : stop]
            dataset.write_direct(self._values(array[name], column), dest_sel=rows)
        self._rows_written = stop

    def _end(self) -> None:
        for name, unit in self.metadata.get("units", {}).items():
            if name in self._group:
                self._group[name].attrs[UNIT] = unit
        for name, value in self.told.items():
            self._group.attrs[name] = canonical_json(value)
        self._file.close()

    def _values(self, array: ak.Array, column: Column) -> Any:
        """The values as HDF5 takes them; texts and lists are objects of a marked type."""
        if not column.depth and column.dtype != "string":
            return np.ascontiguousarray(ak.to_numpy(array))
        values = np.empty(len(array), _dtype(column))
        if column.depth:
            ends = np.cumsum(np.asarray(ak.num(array)))
            for row, part in enumerate(np.split(np.asarray(ak.flatten(array)), ends)[:-1]):
                values[row] = part  # at once, NumPy would stack parts of equal length
        else:
            values[:] = self._texts(array.to_list(), column.name)
        return values

    def _texts(self, texts: list[str], name: str) -> list[str]:
        if any(NUL in text for text in texts):
            raise InputError(
                TEXT_WITH_NUL.finding(
                    f"`{name}` holds text with a NUL character",
                    place=Place(file=self.path),
                    suggestion="leave the column out, or write Parquet",
                )
            )
        return texts


def _filters(compression: Compression | None) -> dict[str, Any]:
    if compression is None:
        return {"compression": "gzip", "shuffle": True, "fletcher32": True}
    if compression.name == "none":
        return {"fletcher32": True}
    level = {"compression": "gzip", "compression_opts": compression.level}
    return level | {"shuffle": True, "fletcher32": True}


def _dtype(column: Column) -> Any:
    if column.dtype == "string":
        return h5py.string_dtype()
    plain = np.dtype(column.dtype)
    return h5py.vlen_dtype(plain) if column.depth else plain
