"""Instances: the loop over events and array elements that an expression implies.

ROOT evaluates an expression once for every instance. Columns of an event with one value count for
every instance; columns with several are looped over in parallel, up to the shortest; an element
asked for by index exists or there is no instance. All expressions that are drawn together (value,
cut, weight) share the same instances.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions.batch import Batch, Integers
from quarkline.events.expressions.leaves import Leaf, Step


class Frame:
    """Instances of one batch, each at one element of every column that was entered.

    Where all elements of a column are taken in order, a slice stands for their positions.

    Attributes:
        batch: The events.
        events: Row of the batch by instance, ascending, with shape (n,).
        groups: Per looped dimension, which list of the dimension before each instance is from;
            in the first dimension the row of the batch.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.events: Integers = np.arange(batch.rows)
        self.groups: list[Integers] = []
        self._at: dict[Leaf, Integers | slice] = {}
        self._passed: dict[Leaf, int] = {}

    def __len__(self) -> int:
        return len(self.events)

    @property
    def rows(self) -> int:
        """Number of events."""
        return self.batch.rows

    @property
    def counts(self) -> Integers:
        """Number of instances by event."""
        return np.bincount(self.events, minlength=self.rows)

    @property
    def starts(self) -> Integers:
        """First instance by event."""
        counts = self.counts
        return np.cumsum(counts) - counts

    @property
    def numbers(self) -> Integers:
        """Number of each instance within its event, from 0 on."""
        return np.arange(len(self)) - self.starts[self.events]

    def values(self, leaf: Leaf) -> Any:
        """Values of a leaf by instance: float64, or text."""
        levels = self.batch.levels(leaf.column)
        if leaf.whole:
            return np.diff(levels.offsets[0]).astype(np.float64)[self.events]
        content = levels.content[self._at[leaf]]
        return content if isinstance(content, ak.Array) else content.astype(np.float64)

    def next_step(self, leaf: Leaf) -> Step:
        """What to do in the next dimension of a leaf; None also if none is left."""
        passed = self._passed.get(leaf, 0)
        return leaf.steps[passed] if passed < len(leaf.steps) else None

    def pick(self, leaf: Leaf, index: Integers | int) -> None:
        """Go to one element of a leaf; instances without it are dropped."""
        starts, stops = self._enter(leaf)
        at = starts + index
        exists = (at >= starts) & (at < stops)
        self._at[leaf] = at
        if not exists.all():
            self._keep(np.flatnonzero(exists))

    def loop(self, leaves: Sequence[Leaf]) -> None:
        """Turn each instance into as many as the shortest of the leaves has elements."""
        whole = all(isinstance(self._at[leaf], slice) for leaf in leaves)
        ranges = {leaf: self._enter(leaf) for leaf in leaves}
        lengths = [stops - starts for starts, stops in ranges.values()]
        counts = np.minimum.reduce(lengths)
        parent = np.repeat(np.arange(len(self)), counts)
        if whole and all(np.array_equal(length, counts) for length in lengths):
            looped: dict[Leaf, Integers | slice] = dict.fromkeys(leaves, slice(None))
        else:
            local = np.arange(len(parent)) - np.repeat(np.cumsum(counts) - counts, counts)
            looped = {leaf: starts[parent] + local for leaf, (starts, _) in ranges.items()}
        for leaf, at in self._at.items():
            self._at[leaf] = looped[leaf] if leaf in looped else _taken(at, parent)
        self.events = parent if len(self) == self.rows and not self.groups else self.events[parent]
        self.groups.append(parent if self.groups else self.events)

    def enter(self, leaf: Leaf) -> None:
        """Begin a leaf at its event."""
        if leaf not in self._at and not leaf.whole:
            untouched = len(self) == self.rows and not self.groups
            self._at[leaf] = slice(None) if untouched else self.events

    def _enter(self, leaf: Leaf) -> tuple[Integers, Integers]:
        """Where the list at each instance begins and ends in the next dimension of a leaf."""
        passed = self._passed.get(leaf, 0)
        self._passed[leaf] = passed + 1
        offsets = self.batch.levels(leaf.column).offsets[passed]
        at = self._at[leaf]
        return offsets[:-1][at], offsets[1:][at]

    def _keep(self, kept: Integers) -> None:
        self._at = {leaf: _taken(at, kept) for leaf, at in self._at.items()}
        self.events = self.events[kept]
        if self.groups:
            self.groups[-1] = self.groups[-1][kept]


def _taken(at: Integers | slice, chosen: Integers) -> Integers:
    """Positions of chosen instances; a slice stands for all in order."""
    return chosen if isinstance(at, slice) else at[chosen]


def nested(values: NDArray[np.float64], frame: Frame) -> ak.Array:
    """Values by instance as lists by event, one level per looped dimension."""
    array: Any = values
    lengths = [frame.rows, *(len(groups) for groups in frame.groups)]
    for groups, length in zip(reversed(frame.groups), reversed(lengths[:-1]), strict=True):
        array = ak.unflatten(array, np.bincount(groups, minlength=length))
    return array
