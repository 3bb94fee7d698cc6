"""ROOT files: one RNTuple, written by uproot.

Field names hold no dots, so the column `jets.pt` is the field `jets:pt`, as ATLAS spells it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak

from quarkline.events.schema import Column
from quarkline.events.sinks.root_file import RootFileSink, fixed_time
from quarkline.events.sources.base import record_array


class NtupleSink(RootFileSink):
    """One RNTuple as a ROOT file, with a cluster a block; equal events give equal bytes."""

    block_rows = 100_000

    def _refusal(self, column: Column) -> str | None:
        if ":" in column.name or column.name.endswith("."):
            return "a name with `:` or a dot at its end would come back as another"
        if column.dtype == "float16":
            return "16-bit floats"
        return None

    def _begin(self, path: Path) -> None:
        types = [_type(column) for column in self.columns.values()]
        record = ak.types.RecordType(types, list(map(_field, self.columns)))
        with fixed_time():
            self._file = self._create(path)
            self._ntuple = self._file.mkrntuple(self._name, ak.forms.from_type(record))

    def _write_block(self, array: ak.Array) -> None:
        fields = {_field(name): ak.to_packed(array[name]) for name in self.columns}
        with fixed_time():
            self._ntuple.extend(record_array(fields, len(array)))


def _field(name: str) -> str:
    return name.replace(".", ":")


def _type(column: Column) -> Any:
    """The awkward type of a column's values."""
    if column.dtype == "string":
        char = ak.types.NumpyType("uint8", parameters={"__array__": "char"})
        kind = ak.types.ListType(char, parameters={"__array__": "string"})
    else:
        kind = ak.types.NumpyType(column.dtype)
    for size in reversed(column.shape):
        kind = ak.types.RegularType(kind, size)
    for _ in range(column.depth):
        kind = ak.types.ListType(kind)
    return kind
