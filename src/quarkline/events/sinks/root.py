"""ROOT files: one TTree, written by uproot.

Columns of lists are written as NanoAOD writes them: `Muon_pt` and `Muon_eta`, what stands before
the first underscore being equal, share the counter `nMuon`; `jets` alone gets `njets`. Counters
that are named for the sink (`Sink.counters`) stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.schema import Column
from quarkline.events.sinks.root_file import RootFileSink, fixed_time

LISTS = "[]"  # marks what uproot calls a record: the columns with a common counter

UNEVEN_LISTS = Rule(
    "QL-EVENTS-042",
    "columns of lists that share a prefix have lists of equal length",
    "In a TTree `Muon_pt` and `Muon_eta` share the counter `nMuon`, so an event has as many of "
    "the one as of the other; a column `nMuon` of its own must hold just that number. Rename a "
    "column whose lists have another length.",
)


class RootSink(RootFileSink):
    """One TTree as a ROOT file; equal events give equal bytes."""

    block_rows = 50_000

    def _refusal(self, column: Column) -> str | None:
        if column.depth > 1:
            return "lists of lists"
        if column.depth and (column.dtype == "string" or column.shape):
            return "lists of strings or of arrays"
        if column.dtype == "float16":
            return "16-bit floats"
        return None

    def _begin(self, path: Path) -> None:
        self._groups = _groups(self.columns, self.counters)
        self._flat = [
            name
            for name, column in self.columns.items()
            if not column.depth and name not in self._groups
        ]
        types = {name: _branch_type(self.columns[name]) for name in self._flat}
        for counter, names in self._groups.items():
            types[counter + LISTS] = _record_type([self.columns[name] for name in names])
        with fixed_time():
            self._file = self._create(path)
            self._tree = self._file.mktree(
                self._name,
                types,
                counter_name=lambda record: record.removesuffix(LISTS),
                field_name=lambda _record, column: column,
            )

    def _write_block(self, array: ak.Array) -> None:
        data = {name: array[name] for name in self._flat}
        for counter, names in self._groups.items():
            self._check_lengths(array, counter, names)
            data[counter + LISTS] = ak.zip({name: array[name] for name in names}, depth_limit=2)
        with fixed_time():
            self._tree.extend(data)

    def _check_lengths(self, array: ak.Array, counter: str, names: Sequence[str]) -> None:
        first = np.asarray(ak.num(array[names[0]]))
        lengths = {name: np.asarray(ak.num(array[name])) for name in names[1:]}
        if counter in array.fields:
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


def _groups(columns: Mapping[str, Column], counters: Mapping[str, str]) -> dict[str, list[str]]:
    """Names of the columns of lists by their counter."""
    groups: dict[str, list[str]] = {}
    for name, column in columns.items():
        if column.depth:
            usual = f"n{name.partition('_')[0]}"
            groups.setdefault(counters.get(name, usual), []).append(name)
    return groups


def _branch_type(column: Column) -> Any:
    if column.dtype == "string":
        return "string"
    return (np.dtype(column.dtype), column.shape) if column.shape else np.dtype(column.dtype)


def _record_type(columns: Sequence[Column]) -> Any:
    contents = [ak.types.NumpyType(column.dtype) for column in columns]
    names = [column.name for column in columns]
    return ak.types.ListType(ak.types.RecordType(contents, names))
