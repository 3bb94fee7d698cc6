"""Sums over groups of cells, as vectors and as tables."""

from __future__ import annotations

from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, sparray

from quarkline.statistics.arrays import Floats, Indices

Table: TypeAlias = "NDArray[np.float64] | csr_array"

# Share of entries that are not 0, above which a dense table is the faster one.
DENSE = 0.1
# Entries of a table below which scipy's sparse tables cost more than they save.
SMALL = 30_000


def summed(groups: Indices, weights: Floats, size: int) -> Floats:
    """Sum of the weights of each of `size` groups, with shape (size,)."""
    return cast("Floats", np.bincount(groups, weights, size))


def stored(table: csr_array) -> Table:
    """A table in the form in which products with it are fast."""
    rows, columns = table.shape
    few = table.nnz <= DENSE * rows * columns and rows * columns > SMALL
    return table if few else table.toarray()


def dense(table: Table) -> Floats:
    """A table with its zeros."""
    if isinstance(table, sparray):
        return cast("Floats", table.toarray())
    return table


class Groups:
    """Cells by the group they belong to.

    Args:
        group_of: Group of each cell, with shape (N,).
        size: Number of groups.
    """

    def __init__(self, group_of: Indices, size: int) -> None:
        self.size = size
        self._group_of = group_of
        self._cells = np.argsort(group_of, kind="stable")
        self._starts = np.searchsorted(group_of[self._cells], np.arange(size + 1))
        self._filled = np.flatnonzero(np.diff(self._starts))

    def rows(self, weights: Floats, table: Table) -> Floats:
        """Weighted sums of the rows of a table with shape (N, C), with shape (size, C)."""
        rows, columns = table.shape
        if rows * columns <= SMALL:
            sums = np.zeros((self.size, columns))
            if columns:
                weighted = (weights[:, None] * table)[self._cells]
                sums[self._filled] = np.add.reduceat(weighted, self._starts[self._filled])
            return sums
        matrix = csr_array((weights[self._cells], self._cells, self._starts), (self.size, rows))
        return dense(matrix @ table)

    def across(self, weights: Floats, other: Indices, size: int) -> Table:
        """Sums of weights by these groups and others, with shape (this size, other size)."""
        if self.size * size <= SMALL:
            flat = self._group_of * size + other
            return summed(flat, weights, self.size * size).reshape(self.size, size)
        parts = (weights[self._cells], other[self._cells], self._starts)
        return csr_array(parts, (self.size, size))
