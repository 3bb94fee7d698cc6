"""Sums over groups of cells, as vectors and as tables."""

from __future__ import annotations

from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from quarkline.statistics.arrays import Floats, Indices

Table: TypeAlias = "NDArray[np.float64] | csr_array"

# Share of entries that are not 0, above which a dense table is the faster one.
DENSE = 0.1


def summed(groups: Indices, weights: Floats, size: int) -> Floats:
    """Sum of the weights of each of `size` groups, with shape (size,)."""
    return cast("Floats", np.bincount(groups, weights, size))


def stored(table: csr_array) -> Table:
    """A table in the form in which products with it are fast."""
    rows, columns = table.shape
    return table.toarray() if table.nnz > DENSE * rows * columns else table


class Groups:
    """Cells by the group they belong to.

    Args:
        group_of: Group of each cell, with shape (N,).
        size: Number of groups.
    """

    def __init__(self, group_of: Indices, size: int) -> None:
        self.size = size
        self._cells = np.argsort(group_of, kind="stable")
        self._starts = np.searchsorted(group_of[self._cells], np.arange(size + 1))
        self._count = len(group_of)

    def rows(self, weights: Floats, table: Table) -> Floats:
        """Weighted sums of the rows of a table with shape (N, C), with shape (size, C)."""
        shape = (self.size, self._count)
        matrix = csr_array((weights[self._cells], self._cells, self._starts), shape=shape)
        product = matrix @ table
        return cast("Floats", product.toarray() if isinstance(product, csr_array) else product)

    def across(self, weights: Floats, other: Indices, size: int) -> csr_array:
        """Sums of weights by these groups and others, with shape (this size, other size)."""
        parts = (weights[self._cells], other[self._cells], self._starts)
        return csr_array(parts, shape=(self.size, size))
