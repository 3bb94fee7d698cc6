"""CSV files: a header line, text in quotes, numbers that are read back exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import pyarrow as pa
import pyarrow.compute as pc

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.schema import Column
from quarkline.events.sinks.base import Sink
from quarkline.events.sources.csv import DELIMITERS, SUFFIXES

__all__ = ["SUFFIXES", "CsvSink"]

LINE_BREAKS = Rule(
    "QL-EVENTS-044",
    "text in a CSV file stays on its line",
    "A row of a CSV file is a line here, so text that is written to one holds no line breaks. "
    "Parquet, ROOT and HDF5 hold any text.",
)


class CsvSink(Sink):
    """One flat table as a CSV file; units and metadata have no place in it."""

    block_rows = 100_000
    tells = False

    def _refusal(self, column: Column) -> str | None:
        if column.depth or column.shape:
            return "a CSV file holds one value a column and event; Parquet and ROOT hold lists"
        if column.dtype == "float16":
            return "16-bit floats"
        return None

    def _begin(self, path: Path) -> None:
        self._stream = self._stack.enter_context(path.open("wb"))
        self._delimiter = DELIMITERS[self.path.suffix.lower()]
        names = _quoted(pa.array(list(self.columns))).to_pylist()
        self._stream.write(f"{self._delimiter.join(names)}\n".encode())

    def _write_block(self, array: ak.Array) -> None:
        cells = [self._cells(column, array[name]) for name, column in self.columns.items()]
        lines = pc.binary_join_element_wise(*cells, self._delimiter)
        self._stream.write("".join(f"{line}\n" for line in lines.to_pylist()).encode())

    def _end(self) -> None:
        self._stream.close()

    def _cells(self, column: Column, array: ak.Array) -> Any:
        """The values of a column as text."""
        values = ak.to_arrow(ak.to_packed(array), extensionarray=False, string_to32=True)
        if column.dtype != "string":
            texts = pc.cast(values, pa.string())
            return _with_point(texts) if column.dtype.startswith("float") else texts
        if pc.any(pc.match_substring_regex(values, "[\r\n]")).as_py():
            raise InputError(
                LINE_BREAKS.finding(
                    f"`{column.name}` holds text with a line break",
                    place=Place(file=self.path),
                    suggestion="leave the column out, or write Parquet",
                )
            )
        return _quoted(values)


def _with_point(texts: Any) -> Any:
    """Numbers as text, whole ones with `.0`, so that they are read as floats again."""
    whole = pc.match_substring_regex(texts, "^-?[0-9]+$")
    return pc.if_else(whole, pc.binary_join_element_wise(texts, ".0", ""), texts)


def _quoted(texts: Any) -> Any:
    return pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")
