"""ROOT files: one TTree, written by uproot.

Columns of lists are written as NanoAOD writes them: `Muon_pt` and `Muon_eta`, what stands before
the first underscore being equal, share the counter `nMuon`; `jets` alone gets `njets`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import types
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot
from uproot.writing import _cascade, _cascadetree

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.engine.core.results import canonical_json
from quarkline.events.schema import Column
from quarkline.events.sinks.base import Sink
from quarkline.events.sources.root import LABEL

SUFFIXES = (".root",)

UNEVEN_LISTS = Rule(
    "QL-EVENTS-042",
    "columns of lists that share a prefix have lists of equal length",
    "In a TTree `Muon_pt` and `Muon_eta` share the counter `nMuon`, so an event has as many of "
    "the one as of the other; a column `nMuon` of its own must hold just that number. Rename a "
    "column whose lists have another length.",
)


class RootSink(Sink):
    """One TTree as a ROOT file; equal events give equal bytes."""

    block_rows = 50_000

    def __init__(
        self, path: Path, metadata: Mapping[str, Any] | None = None, *, tree: str = "Events"
    ) -> None:
        super().__init__(path, metadata)
        self._name = tree

    def _refusal(self, column: Column) -> str | None:
        if column.depth > 1:
            return "lists of lists"
        if column.depth and (column.dtype == "string" or column.shape):
            return "lists of strings or of arrays"
        if column.dtype == "float16":
            return "16-bit floats"
        return None

    def _begin(self, path: Path) -> None:
        self._groups = _groups(self.columns)
        self._counters = {f"n{group}" for group in self._groups} & set(self.columns)
        flat = {
            column.name: _branch_type(column)
            for column in self.columns.values()
            if not column.depth and column.name not in self._counters
        }
        jagged = {group: _group_type(columns) for group, columns in self._groups.items()}
        stream = self._stack.enter_context(path.open("w+b"))
        with _fixed_time():
            # given a stream, uproot does not write the temporary name into the file
            self._file = uproot.recreate(
                stream, compression=uproot.ZSTD(5), uuid_function=lambda: uuid.UUID(int=0)
            )
            self._tree = self._file.mktree(self._name, flat | jagged)

    def _write_block(self, array: ak.Array) -> None:
        data = {
            name: array[name]
            for name, column in self.columns.items()
            if not column.depth and name not in self._counters
        }
        for group, columns in self._groups.items():
            self._check_lengths(array, group)
            fields = {field: array[column.name] for field, column in columns.items()}
            data[group] = ak.zip(fields, depth_limit=2)
        with _fixed_time():
            self._tree.extend(data)

    def _end(self) -> None:
        with _fixed_time():
            if self.metadata:
                self._file[LABEL] = canonical_json(self.metadata)
            self._file.close()

    def _check_lengths(self, array: ak.Array, group: str) -> None:
        names = [column.name for column in self._groups[group].values()]
        first = np.asarray(ak.num(array[names[0]]))
        counter = f"n{group}"
        lengths = {name: np.asarray(ak.num(array[name])) for name in names[1:]}
        if counter in self._counters:
            lengths[counter] = np.asarray(array[counter])
        for name, length in lengths.items():
            if different := np.flatnonzero(length != first).tolist():
                entry = different[0]
                finding = UNEVEN_LISTS.finding(
                    f"an event has {length[entry]} `{name}` and {first[entry]} `{names[0]}`",
                    place=Place(file=self.path),
                    suggestion=f"rename `{name}`, so that it needs no counter `{counter}`",
                )
                raise InputError(finding)


def _groups(columns: Mapping[str, Column]) -> dict[str, dict[str, Column]]:
    """Columns of lists by prefix, then by what follows it; "" for a name without underscore."""
    groups: dict[str, dict[str, Column]] = {}
    for name, column in columns.items():
        if column.depth:
            prefix, _, field = name.partition("_")
            groups.setdefault(prefix, {})[field] = column
    return groups


def _branch_type(column: Column) -> Any:
    if column.dtype == "string":
        return "string"
    return (np.dtype(column.dtype), column.shape) if column.shape else np.dtype(column.dtype)


def _group_type(columns: Mapping[str, Column]) -> str:
    if list(columns) == [""]:
        return f"var * {columns[''].dtype}"
    members = ", ".join(f'"{field}": {column.dtype}' for field, column in columns.items())
    return f"var * {{{members}}}"


_CLOCK = threading.Lock()


@contextlib.contextmanager
def _fixed_time() -> Iterator[None]:
    """Let uproot stamp its records with one fixed time, so that equal events give equal bytes.

    ROOT does the same for files opened with `?reproducible`; uproot has no such option.
    """

    class Fixed(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Fixed:
            return cls(1995, 1, 1, tzinfo=tz)

    modules = (_cascade, _cascadetree)
    with _CLOCK:
        for module in modules:
            module.datetime = types.SimpleNamespace(datetime=Fixed)
        try:
            yield
        finally:
            for module in modules:
                module.datetime = dt
