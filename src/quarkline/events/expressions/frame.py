"""Instances: the loop over events and array elements that an expression implies.

ROOT evaluates an expression once for every instance. Columns of an event with one value count for
every instance; columns with several are looped over in parallel, up to the shortest; an element
asked for by a fixed index exists or the event gives no instance. All expressions that are drawn
together (value, cut, weight) share the same instances.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions.check import Leaf

Integers = NDArray[np.int64]
Table: TypeAlias = ak.Array | Mapping[str, Any]


class Levels:
    """A column as flat values and the offsets of its nested lists.

    Attributes:
        content: Innermost values of all events, flat: NumPy, or awkward for text.
        offsets: Per dimension, where each list begins and ends in the next one.
    """

    def __init__(self, array: Any, dimensions: int) -> None:
        self.offsets: list[Integers] = []
        layout = ak.to_layout(array)
        for _ in range(dimensions):
            lists = _lists(layout)
            self.offsets.append(np.asarray(lists.offsets.data, dtype=np.int64))
            layout = lists.content[: self.offsets[-1][-1]]
        layout = layout.to_packed()
        text = layout.parameter("__array__") in {"string", "bytestring"}
        self.content = ak.Array(layout) if text else layout.to_backend_array()


def _lists(layout: Any) -> Any:
    """The lists of a layout one after the other, arrays of fixed length among them."""
    if layout.is_numpy:
        layout = layout.to_RegularArray()
    return layout.to_packed().to_ListOffsetArray64(True)


class Frame:
    """The instances of one table for some leaves.

    Attributes:
        events: Row of the table by instance, ascending, with shape (n,).
        groups: Per looped dimension, which list of the dimension before each instance is from;
            in the first dimension the row of the table.
    """

    def __init__(self, table: Table, leaves: Iterable[Leaf]) -> None:
        unique = list(dict.fromkeys(leaves))
        self.rows = _rows(table)
        self._levels = {
            leaf: Levels(table[leaf.column.name], leaf.free + len(leaf.indices)) for leaf in unique
        }
        self._at: dict[Leaf, Integers | slice] = dict.fromkeys(unique, slice(None))
        self._passed = dict.fromkeys(unique, 0)
        self.events = np.arange(self.rows)
        self.groups: list[Integers] = []
        self._resolve(unique)

    def __len__(self) -> int:
        return len(self.events)

    def values(self, leaf: Leaf) -> Any:
        """Values of a leaf by instance: float64, or text."""
        content = self._levels[leaf].content[self._at[leaf]]
        return content if isinstance(content, ak.Array) else content.astype(np.float64)

    def _resolve(self, leaves: list[Leaf]) -> None:
        """Take the fixed indices, then loop over one free dimension after the other."""
        for leaf in leaves:
            for index in leaf.indices:
                self._pick(leaf, index)
        for looped in range(max((leaf.free for leaf in leaves), default=0)):
            self._loop([leaf for leaf in leaves if leaf.free > looped])

    def _pick(self, leaf: Leaf, index: int) -> None:
        """Go to one element of a leaf; instances without it are dropped."""
        offsets = self._next_offsets(leaf)
        at = offsets[:-1][self._at[leaf]] + index
        exists = at < offsets[1:][self._at[leaf]]
        self._at[leaf] = at
        if not exists.all():
            self._keep(exists)

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        self._at = {leaf: _taken(at, kept) for leaf, at in self._at.items()}
        self.events = self.events[kept]

    def _loop(self, leaves: list[Leaf]) -> None:
        """Turn each instance into as many as the shortest of the leaves has elements."""
        ends = [self._range(leaf) for leaf in leaves]
        counts = np.minimum.reduce([stop - start for start, stop in ends])
        parent = np.repeat(np.arange(len(self)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        local = np.arange(len(parent)) - first
        looping = dict(zip(leaves, (start for start, _ in ends), strict=True))
        for leaf, at in self._at.items():
            if leaf in looping:
                self._at[leaf] = looping[leaf][parent] + local
            else:
                self._at[leaf] = _taken(at, parent)
        self.events = self.events[parent]
        self.groups.append(parent if self.groups else self.events)

    def _range(self, leaf: Leaf) -> tuple[Integers, Integers]:
        offsets = self._next_offsets(leaf)
        at = self._at[leaf]
        return offsets[:-1][at], offsets[1:][at]

    def _next_offsets(self, leaf: Leaf) -> Integers:
        passed = self._passed[leaf]
        self._passed[leaf] = passed + 1
        return self._levels[leaf].offsets[passed]


def _taken(at: Integers | slice, chosen: NDArray[Any]) -> Integers:
    """Positions of chosen instances; a slice stands for all in order."""
    positions = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
    return positions if isinstance(at, slice) else at[positions]


def _rows(table: Table) -> int:
    if isinstance(table, Mapping):
        return len(next(iter(table.values()))) if table else 0
    return len(table)
