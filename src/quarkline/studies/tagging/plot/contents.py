"""What is in a training file: jets by label and mass, and histograms of its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.plot.reading import Batch, Floats, Reading, first_reading
from quarkline.studies.tagging.tables import MASSES, WEIGHT, JetTable

LABEL = "label"
BINS = (10, 100)
"""Fewest and most bins."""
LOOKED_AT = 100_000
"""Jets of a file that decide where bins end."""
CORE = (0.05, 0.95)
"""Quantiles of the entries whose distance is added on either side, where there are entries: times
of muon segments have sentinels of 1e5, beside which nothing else would be seen."""

Kind = tuple[int, float, float]
"""Label of a jet, and masses of the heavy and the long-lived scalar in GeV; 0 without."""


@dataclass(frozen=True)
class NamedTable:
    """A table with the name that it has in the comparison."""

    name: str
    table: JetTable

    @property
    def main(self) -> bool:
        """Whether it is to train on, not of the control region: only then it knows masses."""
        return MASSES[0] in self.table.columns

    @property
    def scaling(self) -> str:
        """How its values were scaled, in words."""
        told = self.table.scaling
        words = str(told["kind"])
        if "max_pt" in told:
            words += f" {told['min_pt']:g}-{told['max_pt']:g}"
        return words + ", assumed" * bool(told.get("assumed"))

    def unit(self, reading: Reading) -> str:
        """Unit of a column; empty if the table does not tell it."""
        return str(self.table.told.get("units", {}).get(reading.column, ""))


@dataclass
class Filled:
    """Histograms of one column by kind of jet.

    Attributes:
        label: Name of the column, with its unit in brackets.
        edges: Edges of the bins, with shape (n + 1,).
        sums: Sums of weights in the bins, with shape (n,), by kind.
        totals: Sums of weights with a value, by kind, also beyond the bins.
    """

    label: str
    edges: Floats
    sums: dict[Kind, Floats] = field(default_factory=dict)
    totals: dict[Kind, float] = field(default_factory=dict)

    def density(self, kinds: Iterable[Kind]) -> Floats | None:
        """Density of some kinds together, with shape (n,); None where they weigh nothing."""
        found = [kind for kind in kinds if kind in self.sums]
        total = sum(self.totals[kind] for kind in found)
        if not total > 0:
            return None
        counts = np.sum([self.sums[kind] for kind in found], axis=0)
        return np.asarray(counts / (total * np.diff(self.edges)))


@dataclass(frozen=True)
class Contents:
    """What is in a file.

    Attributes:
        rows: Jets of each kind, in order of label and masses.
        columns: Histograms by the name of the column in the comparison.
    """

    rows: Mapping[Kind, int]
    columns: Mapping[str, Filled]

    def labelled(self, label: int) -> list[Kind]:
        """The kinds of jets with a label."""
        return [kind for kind in self.rows if kind[0] == label]


def edges_of(readings: Sequence[tuple[JetTable, Reading]]) -> Floats:
    """Edges of bins for one column of several tables, with shape (n + 1,).

    Of each table they span the central 90 % of the entries and as much again on either side, as far
    as there are entries. Their number is the root of that of the entries, within 10 and 100. A
    column of whole numbers has bins around them.

    Args:
        readings: The tables with the column, and how it is read.
    """
    found = [_sample(table, reading) for table, reading in readings]
    found = [values for values in found if values.size]
    if not found:
        return np.linspace(0, 1, BINS[0] + 1)
    values = np.concatenate(found)
    ranges = [_range(item) for item in found]
    low, high = min(one[0] for one in ranges), max(one[1] for one in ranges)
    if (values == np.round(values)).all() and high - low < BINS[1]:
        return np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    if high - low <= 1e-12 * max(1.0, abs(high)):
        low, high = low - 0.5, low + 0.5
    return np.linspace(low, high, int(np.clip(np.sqrt(values.size), *BINS)) + 1)


def _range(values: Floats) -> tuple[float, float]:
    first, last = np.quantile(values, CORE)
    width = last - first
    return float(max(values.min(), first - width)), float(min(values.max(), last + width))


def _sample(table: JetTable, reading: Reading) -> Floats:
    """Values of every n-th jet."""
    step = -(-table.rows // LOOKED_AT) or 1
    parts, seen = [np.empty(0)], 0
    for batch in table.batches(reading.columns):
        values = reading.values(batch)
        parts.append(values[(-seen) % step :: step])
        seen += len(values)
    values = np.concatenate(parts)
    return values[np.isfinite(values)]


def contents_of(
    table: JetTable, readings: Mapping[str, Reading], axes: Mapping[str, tuple[str, Floats]]
) -> Contents:
    """Count the jets of a file and fill its histograms, reading it once.

    Args:
        table: The file.
        readings: How each column is read, by its name in the comparison.
        axes: Label and edges of these columns.
    """
    known = [name for name in (LABEL, WEIGHT, *MASSES) if name in table.columns]
    asked = {name for reading in readings.values() for name in reading.columns}
    rows: dict[Kind, int] = {}
    filled = {name: Filled(*axes[name]) for name in readings}
    for batch in table.batches(sorted({*known, *asked})):
        kinds, place = _kinds(batch)
        for kind, number in zip(kinds, np.bincount(place, minlength=len(kinds)), strict=True):
            rows[kind] = rows.get(kind, 0) + int(number)
        weight = _column(batch, WEIGHT, 1.0, len(place))
        for name, reading in readings.items():
            _fill(filled[name], reading.values(batch), weight, kinds, place)
    return Contents({kind: rows[kind] for kind in sorted(rows)}, filled)


def _kinds(batch: Batch) -> tuple[list[Kind], NDArray[np.intp]]:
    """The kinds of jets in a batch, and the place of each jet's own among them."""
    size = len(batch[LABEL])
    parts = [_column(batch, name, 0.0, size) for name in (LABEL, *MASSES)]
    found, place = np.unique(np.stack(parts, axis=1), axis=0, return_inverse=True)
    return [(int(label), heavy, light) for label, heavy, light in found.tolist()], place.ravel()


def _column(batch: Batch, name: str, otherwise: float, size: int) -> Floats:
    if name not in batch:
        return np.full(size, otherwise)
    return np.asarray(batch[name], np.float64)


def _fill(
    histogram: Filled, values: Floats, weight: Floats, kinds: list[Kind], place: NDArray[np.intp]
) -> None:
    edges, count = histogram.edges, len(histogram.edges) - 1
    known = np.isfinite(values)
    bins = np.searchsorted(edges, values, side="right") - 1
    bins[values == edges[-1]] = count - 1
    inside = known & (bins >= 0) & (bins < count)
    cells = place[inside] * count + bins[inside]
    sums = np.bincount(cells, weight[inside], minlength=count * len(kinds)).reshape(-1, count)
    totals = np.bincount(place[known], weight[known], minlength=len(kinds))
    for kind, row, total in zip(kinds, sums, totals.tolist(), strict=True):
        histogram.sums[kind] = np.asarray(histogram.sums.get(kind, 0.0) + row, np.float64)
        histogram.totals[kind] = histogram.totals.get(kind, 0.0) + total


def readings_by_table(
    tables: Sequence[NamedTable], names: Sequence[str | Sequence[str]]
) -> dict[str, dict[str, Reading]]:
    """How each column is read from each table that has it, by its name and the table's.

    A column with several names is called by the first one that any table has.
    """
    found: dict[str, dict[str, Reading]] = {}
    for several in names:
        readings = {
            item.name: reading
            for item in tables
            if (reading := first_reading(several, item.table.columns)) is not None
        }
        if readings:
            found.setdefault(next(iter(readings.values())).name, readings)
    return found


def label_of(name: str, tables: Sequence[NamedTable], readings: Mapping[str, Reading]) -> str:
    """A column's name with its unit, if all tables tell the same one.

    Args:
        name: Its name in the comparison.
        tables: The tables.
        readings: How it is read, by the table's name.
    """
    units = {item.unit(readings[item.name]) for item in tables if item.name in readings}
    (unit,) = units if len(units) == 1 else ("",)
    return f"{name} [{unit}]" if unit else name
