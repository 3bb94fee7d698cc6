"""Event text of the PhenoML and DarkMachines collections: an event a line, objects of any number.

A line is `event ID; process ID; weight; MET; METphi; obj,E,pt,eta,phi; obj,E,pt,eta,phi; ...`
(Zenodo records 3685861 and 3961917). Values keep the units they are stored in, MeV and rad.
Opening reads the file once to count and check its lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.schema import Column, Schema
from quarkline.events.sources.arrow import from_arrow
from quarkline.events.sources.lines import LineSource
from quarkline.events.sources.problems import AGAIN, TreeInfo, opening, refuse_tree

NAME = "PhenoML text"
SUFFIXES: tuple[str, ...] = ()  # the files are called .csv and are no CSV
HEADER = ("event", "process", "weight", "MET", "METphi")
OBJECT = ("obj", "E", "pt", "eta", "phi")
CODES = ("j", "b", "e-", "e+", "m-", "m+", "g")
SHOWN = 200

_UNITS = {"E": "MeV", "pt": "MeV", "MET": "MeV", "METphi": "rad", "phi": "rad"}
_TITLES = {
    "obj": "j jet, b b-jet, e-/e+ electron, m-/m+ muon, g photon",
    "weight": "event weight",
    "process": "process",
}
_NUMBER = rb"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*"
_EVENT = re.compile(
    rb"\s*[0-9]+\s*;[^;,\r\n]+(?:;" + _NUMBER + rb"){3};\s*(?:$|[\r\n]|[a-z][-+]?\s*,)"
)

BAD_EVENT_LINE = Rule(
    "QL-EVENTS-015",
    "every line of PhenoML text is an event",
    "A line has `event ID;process ID;weight;MET;METphi` and then, between semicolons, objects of "
    "five fields: `obj,E,pt,eta,phi`. Objects are j, b, e-, e+, m-, m+ and g. A line that is cut "
    "off, joined with another or holds another object is refused, because reading on would shift "
    "every value behind it.",
)


class PhenomlSource(LineSource):
    """The events of a PhenoML or DarkMachines file."""

    def __init__(self, path: Path, tree: str | None = None) -> None:
        refuse_tree(path, tree, "PhenoML text")
        super().__init__(path)
        try:
            with opening(path):
                self._blocks = self._scan(1, lambda data, line: len(self._parse(data, line)[0]))
                self.schema = _schema(self._blocks[-1].stop if self._blocks else 0)
        except BaseException:
            self.close()
            raise

    def _values(self, data: bytes, line: int, columns: Sequence[str]) -> Mapping[str, ak.Array]:
        header, counts, objects = self._parse(data, line)
        found = {}
        for name in columns:
            if name in header.column_names:
                found[name] = from_arrow(header[name])
            else:
                found[name] = ak.unflatten(from_arrow(objects[name]), counts)
        return found

    def _parse(self, data: bytes, line: int) -> tuple[Any, np.ndarray[Any, Any], Any]:
        """Table of events, number of objects of each, table of all objects.

        Raises:
            InputError: If a line is no event; the message has its number.
        """
        lines = pc.utf8_rtrim(_split(data), " \t\r;")
        filled = pc.not_equal(pc.utf8_trim_whitespace(lines), "")
        numbers = np.flatnonzero(np.asarray(filled)) + line
        events = _Lines(self.path, lines.filter(filled), numbers)
        pieces = pc.split_pattern(events.texts, ";")
        lengths = np.asarray(pc.list_value_length(pieces), np.int64)
        events.refuse(
            lengths < len(HEADER), lambda row: f"has {lengths[row]} of {len(HEADER)} event fields"
        )
        first = np.cumsum(lengths) - lengths
        flat = pieces.flatten()
        header = {name: flat.take(pa.array(first + at)) for at, name in enumerate(HEADER)}
        is_object = np.ones(len(flat), bool)
        is_object[(first[:, np.newaxis] + np.arange(len(HEADER))).ravel()] = False
        counts = lengths - len(HEADER)
        rows = np.repeat(np.arange(len(counts)), counts)
        objects = self._objects(flat.filter(pa.array(is_object)), events, rows)
        table = {name: events.values_of(name, texts) for name, texts in header.items()}
        return pa.table(table), counts, objects

    def _objects(self, texts: Any, events: _Lines, rows: np.ndarray[Any, Any]) -> Any:
        """Table of objects from their texts, object `i` being of event `rows[i]`."""
        fields = pc.split_pattern(texts, ",")
        lengths = np.asarray(pc.list_value_length(fields), np.int64)
        events.refuse(
            lengths != len(OBJECT),
            lambda at: f"object `{texts[at]}` has {lengths[at]} of {len(OBJECT)} fields",
            rows,
        )
        flat = fields.flatten()
        columns = {}
        for at, name in enumerate(OBJECT):
            chosen = flat.take(pa.array(np.arange(at, len(flat), len(OBJECT))))
            columns[name] = events.values_of(name, chosen, rows)
        known = np.asarray(pc.is_in(columns["obj"], pa.array(CODES)))
        events.refuse(
            ~known,
            lambda at: f"`{columns['obj'][at]}` is no object code ({' '.join(CODES)})",
            rows,
        )
        return pa.table(columns)


class _Lines:
    """The lines of a block that are not blank, and what to say where one is wrong."""

    def __init__(self, path: Path, texts: Any, numbers: np.ndarray[Any, Any]) -> None:
        self.path, self.texts, self.numbers = path, texts, numbers

    def refuse(self, wrong: Any, what: Any, rows: np.ndarray[Any, Any] | None = None) -> None:
        """Raise for the first wrong item, which stands in line `rows[item]`."""
        for item in np.flatnonzero(wrong)[:1].tolist():
            row = item if rows is None else int(rows[item])
            text = str(self.texts[row])[:SHOWN]
            place = Place(self.path, int(self.numbers[row]), 1, len(text), text)
            raise InputError(BAD_EVENT_LINE.finding(what(item), place=place, suggestion=AGAIN))

    def values_of(self, name: str, texts: Any, rows: np.ndarray[Any, Any] | None = None) -> Any:
        """The values of one field, as its column's type."""
        texts = pc.utf8_trim_whitespace(texts)
        if name in _TEXTS:
            self.refuse(pc.equal(texts, ""), lambda _: f"`{name}` is empty", rows)
            return texts
        kind = pa.int64() if name == "event" else pa.float64()
        try:
            return pc.cast(texts, kind)
        except pa.ArrowInvalid:
            self.refuse(
                [not _is_number(str(text), kind) for text in texts],
                lambda at: f"`{name}` is `{texts[at]}`, no number",
                rows,
            )
            raise


_TEXTS = ("process", "obj")


def trees(path: Path) -> list[TreeInfo]:
    """The one table of a PhenoML file."""
    with PhenomlSource(path) as source:
        return [TreeInfo("", source.schema.entries, len(source.schema.columns))]


def matches(path: Path, head: bytes) -> bool:  # noqa: ARG001
    """Whether a file's first line is a PhenoML event, whatever the file is called."""
    return _EVENT.match(head) is not None


def _schema(entries: int) -> Schema:
    names = [*((name, 0) for name in HEADER), *((name, 1) for name in OBJECT)]
    kinds = {"event": "int64", "process": "string", "obj": "string"}
    columns = {
        name: Column(
            name, kinds.get(name, "float64"), depth, (), _UNITS.get(name, ""), _TITLES.get(name, "")
        )
        for name, depth in names
    }
    return Schema(columns, entries)


def _split(data: bytes) -> Any:
    """The lines of a block as Arrow texts."""
    whole = pa.array([data.removesuffix(b"\n")], pa.large_binary()).cast(pa.large_string())
    return pc.split_pattern(whole, "\n").flatten()


def _is_number(text: str, kind: Any) -> bool:
    try:
        pc.cast(pa.array([text]), kind)
    except pa.ArrowInvalid:
        return False
    return True
