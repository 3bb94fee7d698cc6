"""Sums of weights in bins: of many weights of the same events together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from quarkline.templates.fill.tables import Table
from quarkline.templates.histograms import Array

FILE = "sums.npz"
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Sums:
    """What events add to all histograms of a table, bins one after the other.

    Attributes:
        sums: Sums of weights, shape (cells,).
        squares: Sums of their squares, shape (cells,).
        entries: Entries of each histogram with a weight that is not 0, shape (histograms,).
        undefined: Entries whose variable is NaN, of each of what is drawn.
        broken: Entries whose weight is no finite number, shape (histograms,).
    """

    sums: Array
    squares: Array
    entries: Array
    undefined: Array
    broken: Array

    @classmethod
    def nothing(cls, table: Table) -> Sums:
        """Sums of no events."""
        histograms = sum(len(item.weights) for item in table.drawn)
        sizes = (table.cells, table.cells, histograms, len(table.drawn), histograms)
        return cls(*(np.zeros(size) for size in sizes))

    def add(self, other: Sums) -> None:
        """Add those of further events."""
        for name, own in vars(self).items():
            np.add(own, getattr(other, name), out=own)

    def write(self, folder: Path) -> None:
        """Write them into the folder of a task."""
        np.savez(folder / FILE, **vars(self))

    @classmethod
    def read(cls, folder: Path) -> Sums:
        """Read what a task has written."""
        with np.load(folder / FILE) as arrays:
            return cls(**arrays)


@dataclass(frozen=True)
class Place:
    """Where histograms of one variable with all their weights stand in the sums of a table.

    Attributes:
        cells: The bins of all of them, weight by weight.
        histograms: The histograms.
    """

    cells: slice
    histograms: slice

    def of_weights(self, first: int, last: int) -> Place:
        """The place of the histograms of weights [first, last)."""
        number = self.histograms.stop - self.histograms.start
        size = (self.cells.stop - self.cells.start) // number
        start, begin = self.cells.start, self.histograms.start
        cells = slice(start + first * size, start + last * size)
        return Place(cells, slice(begin + first, begin + last))


def places_of(table: Table) -> list[Place]:
    """The place of each of what is drawn."""
    found, cell, histogram = [], 0, 0
    for item in table.drawn:
        last = (cell + item.cells, histogram + len(item.weights))
        found.append(Place(slice(cell, last[0]), slice(histogram, last[1])))
        cell, histogram = last
    return found


@dataclass(frozen=True)
class Entered:
    """Entries of one variable.

    Attributes:
        place: The place of its histograms.
        rows: Row of weights of each entry, shape (n,).
        bins: Bin of each entry, shape (n,).
        factor: What multiplies the weight of each entry, shape (n,); None for 1.
    """

    place: Place
    rows: Integers
    bins: Integers
    factor: Array | None = None


def enter(sums: Sums, entered: Sequence[Entered], weights: Array) -> None:
    """Add entries to their histograms, bin by bin in the order of the entries.

    Args:
        sums: The sums.
        entered: The entries.
        weights: Weights of the histograms by row, shape (rows, histograms of a place).
    """
    both = np.concatenate([weights, weights * weights], axis=1)
    usual = np.isfinite(weights.sum()) and np.count_nonzero(weights) == weights.size
    for item in entered:
        _enter(sums, item, both)
        finite = item.factor is None or np.isfinite(item.factor.sum())
        if usual and finite:
            sums.entries[item.place.histograms] += len(item.rows)
        else:
            _count(sums, item, weights[item.rows])


def _count(sums: Sums, item: Entered, weights: Array) -> None:
    """Count entries of which some have the weight 0 or none at all."""
    if item.factor is not None:
        weights = weights * item.factor[:, np.newaxis]
    own = item.place.histograms
    sums.entries[own] += np.count_nonzero(weights, axis=0)
    sums.broken[own] += np.count_nonzero(~np.isfinite(weights), axis=0)


def _enter(sums: Sums, item: Entered, both: Array) -> None:
    """One product of a matrix of entries by bin, sparse, with that of weights by entry."""
    number = both.shape[1] // 2
    order = np.argsort(item.bins, kind="stable")
    counts = np.bincount(item.bins)
    occupied = np.flatnonzero(counts)
    starts = np.concatenate([[0], np.cumsum(counts[occupied])])
    shape = (len(occupied), len(both))
    rows = item.rows[order]
    if item.factor is None:
        found = csr_array((np.ones(len(rows)), rows, starts), shape=shape) @ both
    else:
        factor = item.factor[order]
        linear = csr_array((factor, rows, starts), shape=shape) @ both[:, :number]
        square = csr_array((factor * factor, rows, starts), shape=shape) @ both[:, number:]
        found = np.concatenate([linear, square], axis=1)
    cells = item.place.cells
    sums.sums[cells].reshape(number, -1)[:, occupied] += found[:, :number].T
    sums.squares[cells].reshape(number, -1)[:, occupied] += found[:, number:].T
