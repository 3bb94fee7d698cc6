"""Some jets of a table with all their columns, constituents in rectangular arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.columns import LLP, STREAMS, Stream
from quarkline.studies.tagging.convert.table import IN_OUR_UNITS, UNITS
from quarkline.studies.tagging.tables import MASSES, WEIGHT, Column, JetTable

Array = NDArray[Any]

STORED = frozenset(name for stream in STREAMS for name in stream.stored)
TYPES: Mapping[str, type[np.generic]] = {
    "label": np.int64,
    "runNumber": np.uint32,
    "eventNumber": np.uint64,
    "_source": np.uint64,
    "_entry": np.uint64,
    "_object": np.uint16,
    **{f"n_{stream.name}": np.int32 for stream in STREAMS},
}
"""Columns of whole numbers; all others are float64."""
DECAY = (*MASSES, *LLP)
"""Columns that every training set has and no control region, which tells the two apart."""


@dataclass(frozen=True)
class JetBlock:
    """N jets.

    Attributes:
        values: Columns with one value a jet, with shape (N,).
        streams: For each stream its columns, with shape (N, `Stream.rows`); 0 where nothing is.
        present: For each stream which places hold a constituent, with the same shape.
    """

    values: Mapping[str, Array]
    streams: Mapping[str, Mapping[str, Array]]
    present: Mapping[str, NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.values["label"])

    def __getitem__(self, rows: Any) -> JetBlock:
        """Some of the jets, by mask, number or slice."""
        return JetBlock(
            {name: column[rows] for name, column in self.values.items()},
            {
                stream: {name: column[rows] for name, column in columns.items()}
                for stream, columns in self.streams.items()
            },
            {stream: places[rows] for stream, places in self.present.items()},
        )

    def only(self, columns: Collection[str]) -> JetBlock:
        """The jets with some columns, each of its type; what is unknown of a jet is 0."""
        nothing = np.zeros(len(self))
        return JetBlock(
            {
                name: self.values.get(name, nothing).astype(TYPES.get(name, np.float64))
                for name in columns
                if name not in STORED
            },
            {
                stream: {name: column for name, column in own.items() if name in columns}
                for stream, own in self.streams.items()
            },
            self.present,
        )

    def having(self, **values: Array) -> JetBlock:
        """The jets with some columns of jets set."""
        return replace(self, values={**self.values, **values})


def common_columns(tables: Sequence[JetTable], *, decay: bool) -> list[str]:
    """The columns that tables share, and those that every built table has.

    Columns of constituents have one name each, in both layouts.

    Args:
        tables: The tables.
        decay: Whether masses and decays are among the columns, with 0 where they are unknown.
    """
    always = ("label", WEIGHT, *(DECAY if decay else ()))
    first, *others = ({_stream_name(name) for name in table.columns} for table in tables)
    shared = [_stream_name(name) for name in tables[0].columns]
    kept = [name for name in shared if name in first.intersection(*others)]
    return [name for name in dict.fromkeys((*always, *kept)) if decay or name not in DECAY]


def _stream_name(name: str) -> str:
    """A column's name without the number of a constituent."""
    stem, _, number = name.rpartition("_")
    return stem if number.isdecimal() and stem in STORED else name


def block_of(table: JetTable, batch: Mapping[str, Column]) -> JetBlock:
    """Jets of a batch of a table; momenta and energies in GeV, lengths in cm unless it is scaled.

    Args:
        table: Where they come from.
        batch: All its columns.
    """
    found: dict[str, dict[str, Array]] = {}
    present: dict[str, NDArray[np.bool_]] = {}
    used: set[str] = set()
    for stream in STREAMS:
        flat = table.layout == "flat"
        columns = (_flat if flat else _lists)(stream, batch, used)
        if flat and table.scaling["kind"] == "none":
            columns = {name: in_our_unit(name, column) for name, column in columns.items()}
        found[stream.name] = columns
        present[stream.name] = _there(list(columns.values())) if flat else _listed(stream, batch)
    values = {name: np.asarray(column) for name, column in batch.items() if name not in used}
    if table.layout == "flat" and table.scaling["kind"] == "none":
        values = {name: in_our_unit(name, column) for name, column in values.items()}
    return JetBlock(values, found, present)


def in_our_unit(name: str, values: Array) -> Array:
    """An upstream column in GeV and cm."""
    _, factor = IN_OUR_UNITS.get(UNITS.get(name, ""), ("", None))
    return values if factor is None else values * factor


def in_their_unit(name: str, values: Array) -> Array:
    """A column of ours in MeV and mm, where upstream has these."""
    _, factor = IN_OUR_UNITS.get(UNITS.get(name, ""), ("", None))
    return values if factor is None else values / factor


def _flat(stream: Stream, batch: Mapping[str, Column], used: set[str]) -> dict[str, Array]:
    """Columns `x_i` side by side; columns that the table lacks are left out."""
    found: dict[str, Array] = {}
    for name in stream.stored:
        names = [f"{name}_{row}" for row in range(stream.rows)]
        if names[0] in batch:
            found[name] = np.stack([np.asarray(batch[each], np.float64) for each in names], axis=1)
            used.update(names)
    return found


def _there(columns: Sequence[Array]) -> NDArray[np.bool_]:
    """Places that are not 0 in all columns."""
    found = columns[0] != 0
    for column in columns[1:]:
        found |= column != 0
    return np.asarray(found)


def _lists(stream: Stream, batch: Mapping[str, Column], used: set[str]) -> dict[str, Array]:
    """Columns of lists, padded."""
    places = _listed(stream, batch)
    found: dict[str, Array] = {}
    for name in stream.stored:
        if name in batch:
            column = ak.Array(batch[name])[:, : stream.rows]
            found[name] = np.zeros(places.shape)
            found[name][places] = ak.flatten(column).to_numpy()
            used.add(name)
    return found


def _listed(stream: Stream, batch: Mapping[str, Column]) -> NDArray[np.bool_]:
    counts = ak.num(batch[stream.columns[0]]).to_numpy()
    return np.asarray(np.arange(stream.rows) < np.minimum(counts, stream.rows)[:, None])
