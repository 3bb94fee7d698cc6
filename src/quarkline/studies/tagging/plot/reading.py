"""One column of a table of jets, whichever layout it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.columns import STREAMS

Floats = NDArray[np.float64]
Batch = Mapping[str, Any]

STORED = {name: stream for stream in STREAMS for name in stream.stored}


@dataclass(frozen=True)
class Reading:
    """How one number of a jet is read.

    Attributes:
        name: What was asked for, such as `clus_pt_0`.
        column: The column that holds it.
        place: Which constituent of a list; None for a column that is no list.
        beside: Columns of the same constituent of a flat table, which together tell if it is there.
    """

    name: str
    column: str
    place: int | None = None
    beside: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read."""
        return self.beside or (self.column,)

    def values(self, batch: Batch) -> Floats:
        """The numbers of a batch of N jets, with shape (N,); NaN where there is no constituent."""
        if self.place is not None:
            padded = ak.pad_none(batch[self.column], self.place + 1)[:, self.place]
            return np.asarray(ak.to_numpy(ak.fill_none(padded, np.nan)), np.float64)
        found = np.asarray(batch[self.column], np.float64)
        if self.beside:
            held = np.any([np.asarray(batch[name]) != 0 for name in self.beside], axis=0)
            found = np.where(held, found, np.nan)
        return found


def reading_of(name: str, columns: Sequence[str] | Mapping[str, Any]) -> Reading | None:
    """How `name` is read from a table with these columns; None if it has no such number.

    Args:
        name: A column, or `x_i` for constituent i of column x.
        columns: Names of the table's columns.
    """
    base, _, number = name.rpartition("_")
    if name in columns:
        stream = STORED.get(base) if number.isdigit() else None
        names = [f"{one}_{number}" for one in stream.stored] if stream else []
        return Reading(name, name, None, tuple(one for one in names if one in columns))
    if number.isdigit() and base in columns and base in STORED:
        return Reading(name, base, int(number))
    return None


def first_reading(
    names: str | Sequence[str], columns: Sequence[str] | Mapping[str, Any]
) -> Reading | None:
    """How the first of several names that a table has is read."""
    several = [names] if isinstance(names, str) else names
    found = (reading_of(name, columns) for name in several)
    return next((one for one in found if one is not None), None)
