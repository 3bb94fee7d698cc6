"""CSV files with a header line, parsed by pyarrow.

The file is cut into blocks of whole lines. Opening parses all of them once to learn the number of
rows and, for each column, the narrowest type that fits every row: a decimal point in the last
line makes the column float64. Lines that start with `#` are comments.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.schema import Column, Schema
from quarkline.events.sources.arrow import from_arrow
from quarkline.events.sources.layout import without_missing
from quarkline.events.sources.lines import Block, LineSource
from quarkline.events.sources.problems import TreeInfo, opening, refuse_tree

NAME = "CSV"
DELIMITERS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = tuple(DELIMITERS)
EXACT = 2**53  # integers up to here are exact in float64

RAGGED_ROWS = Rule(
    "QL-EVENTS-011",
    "every row of a CSV file has as many cells as its header",
    "A row with more or fewer cells is a broken write, an unquoted delimiter in a text, or a "
    "format with objects of varying number, which is not plain CSV.",
)
NO_HEADER = Rule(
    "QL-EVENTS-014",
    "the first line of a CSV file names its columns",
    "The first line that is not empty and does not start with `#` holds the column names: not "
    "empty, not repeated, not all numbers.",
)


@dataclass(frozen=True)
class _Kind:
    """What a column holds, as far as it was seen."""

    name: str = "nothing"  # nothing, bool, integer, float, string, binary
    low: int = 0
    high: int = 0
    gaps: bool = False

    def join(self, other: _Kind) -> _Kind:
        """What holds both: integers widen to floats, anything else to text."""
        names = {self.name, other.name} - {"nothing"}
        name = names.pop() if len(names) == 1 else _wider(names)
        low, high = min(self.low, other.low), max(self.high, other.high)
        return _Kind(name, low, high, self.gaps or other.gaps)

    def dtype(self) -> str:
        """The NumPy type of the column.

        Raises:
            ValueError: If there is none that keeps every value.
        """
        if self.name in {"float", "nothing", "string"}:
            return "string" if self.name == "string" else "float64"
        if self.name == "binary":
            msg = "text that is not UTF-8"
            raise ValueError(msg)
        if self.name == "bool":
            if self.gaps:
                msg = "booleans with empty cells"
                raise ValueError(msg)
            return "bool"
        if self.gaps:
            if max(-self.low, self.high) > EXACT:
                msg = "integers beyond 2^53 with empty cells"
                raise ValueError(msg)
            return "float64"
        if self.low < 0 and self.high >= 2**63:
            msg = "integers that fit neither int64 nor uint64"
            raise ValueError(msg)
        return "uint64" if self.high >= 2**63 else "int64"


def _wider(names: set[str]) -> str:
    if "binary" in names:
        return "binary"
    return "float" if names == {"integer", "float"} else "string" if names else "nothing"


class CsvSource(LineSource):
    """The table of a CSV file."""

    def __init__(self, path: Path, tree: str | None = None) -> None:
        refuse_tree(path, tree, "a CSV file")
        super().__init__(path)
        self._delimiter = DELIMITERS.get(path.suffix.lower(), ",")
        try:
            with opening(path):
                self._names, line = self._header()
                self._kinds = dict.fromkeys(self._names, _Kind())
                self._blocks = self._scan(line, self._look)
                self.schema = _schema(self._kinds, self._blocks)
        except BaseException:
            self.close()
            raise

    def _values(self, data: bytes, line: int, columns: Sequence[str]) -> Mapping[str, ak.Array]:
        types = {name: _ARROW[self.schema[name].dtype] for name in columns}
        table = self._parse(_without_comments(data), line, types, columns)
        return {name: without_missing(from_arrow(table[name])) for name in columns}

    def _header(self) -> tuple[list[str], int]:
        """Read up to the header; return its names and the number of the line below it."""
        for number, raw in enumerate(self._stream, start=1):
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip("\r\n")
            if text.strip() and not text.startswith("#"):
                names = next(csv.reader([text], delimiter=self._delimiter))
                return self._checked_header([name.strip() for name in names], number, text)
        raise InputError(NO_HEADER.finding("there is no header line", place=Place(file=self.path)))

    def _checked_header(self, names: list[str], line: int, text: str) -> tuple[list[str], int]:
        problem = None
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            problem = f"the header has `{repeated[0]}` more than once"
        if "" in names:
            problem = f"the header has no name for column {names.index('') + 1}"
        if all(_is_number(name) for name in names):
            problem = "the header is all numbers"
        if problem:
            raise InputError(
                NO_HEADER.finding(
                    problem,
                    place=Place(self.path, line, 1, len(text[:200]), text[:200]),
                    suggestion="name every column once in the first line that is no `#` comment",
                )
            )
        return names, line + 1

    def _look(self, data: bytes, line: int) -> int:
        """Widen what each column holds by the rows of one block; returns their number."""
        table = self._parse(_without_comments(data), line, {}, self._names)
        for name in self._names:
            kind = self._kind(table[name], name, data, line)
            self._kinds[name] = self._kinds[name].join(kind)
        return int(table.num_rows)

    def _parse(self, data: bytes, line: int, types: Mapping[str, Any], names: Sequence[str]) -> Any:
        """Parse lines that start at line `line` of the file."""
        if not data.strip():
            return pa.table({name: pa.array([], types.get(name, pa.null())) for name in names})
        try:
            return pa_csv.read_csv(
                io.BytesIO(data),
                read_options=pa_csv.ReadOptions(
                    use_threads=False, block_size=len(data) + 1, column_names=self._names
                ),
                parse_options=pa_csv.ParseOptions(delimiter=self._delimiter),
                convert_options=pa_csv.ConvertOptions(
                    column_types=types, include_columns=names, timestamp_parsers=[]
                ),
            )
        except pa.ArrowInvalid:
            self._refuse_ragged(data, line)
            raise

    def _refuse_ragged(self, data: bytes, first: int) -> None:
        """Look for the line that has too many or too few cells."""
        for number, raw in enumerate(data.split(b"\n"), start=first):
            text = raw.decode(errors="replace").strip("\r")
            cells = len(next(csv.reader([text], delimiter=self._delimiter), []))
            if cells not in {0, len(self._names)}:
                finding = RAGGED_ROWS.finding(
                    f"{cells} cells where the header has {len(self._names)}",
                    place=Place(self.path, number, 1, len(text[:200]), text[:200]),
                    suggestion="correct this line; objects of varying number need ROOT or Parquet",
                )
                raise InputError(finding)

    def _kind(self, column: Any, name: str, data: bytes, line: int) -> _Kind:
        """What pyarrow inferred for the rows of one block."""
        kind = column.type
        gaps = column.null_count > 0
        if pa.types.is_floating(kind) and (pc.max(column).as_py() or 0) >= 2**63:
            return self._large_numbers(column, name, data, line)
        if pa.types.is_integer(kind):
            ends = pc.min_max(column).as_py()
            return _Kind("integer", ends["min"], ends["max"], gaps)
        if pa.types.is_null(kind):
            return _Kind("nothing", gaps=gaps)
        for test, found in _KINDS:
            if test(kind):
                return _Kind(found, gaps=gaps)
        return _Kind("string")

    def _large_numbers(self, column: Any, name: str, data: bytes, line: int) -> _Kind:
        """What a column with numbers beyond int64 holds: integers below 2^64, or floats."""
        cells = self._parse(_without_comments(data), line, {name: pa.string()}, [name])[name]
        texts = cells.filter(column.is_valid()).to_pylist()
        if all(re.fullmatch(r"\s*[-+]?[0-9]{1,20}\s*", text) for text in texts):
            numbers = [int(text) for text in texts]
            if max(numbers) < 2**64:
                return _Kind("integer", min(numbers), max(numbers), column.null_count > 0)
        return _Kind("float")


_KINDS = (
    (pa.types.is_floating, "float"),
    (pa.types.is_boolean, "bool"),
    (pa.types.is_binary, "binary"),
)
_ARROW = {
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "uint64": pa.uint64(),
    "float64": pa.float64(),
    "string": pa.string(),
}


def trees(path: Path) -> list[TreeInfo]:
    """The one table of a CSV file."""
    with CsvSource(path) as source:
        return [TreeInfo("", source.schema.entries, len(source.schema.columns))]


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is text and named as a CSV file."""
    return path.suffix.lower() in SUFFIXES and is_text(head)


def is_text(head: bytes) -> bool:
    """Whether a file's first bytes are UTF-8 text."""
    try:  # the last character may be cut
        codecs.getincrementaldecoder("utf-8")().decode(head, final=False)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def _schema(kinds: Mapping[str, _Kind], blocks: Sequence[Block]) -> Schema:
    columns: dict[str, Column] = {}
    unreadable: dict[str, str] = {}
    for name, kind in kinds.items():
        try:
            columns[name] = Column(name, kind.dtype())
        except ValueError as reason:
            unreadable[name] = str(reason)
    return Schema(columns, blocks[-1].stop if blocks else 0, None, {"unreadable": unreadable})


def _without_comments(data: bytes) -> bytes:
    """Empty the lines that start with `#`, so that the others keep their numbers."""
    if not data.startswith(b"#") and b"\n#" not in data:
        return data
    lines = data.split(b"\n")
    return b"\n".join(b"" if line.startswith(b"#") else line for line in lines)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
