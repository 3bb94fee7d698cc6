"""Any number of objects in each event, in one array without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.learning.features.arrays import Objects

Rows = NDArray[np.int64] | NDArray[np.bool_] | slice
"""Which events: their numbers, a mask, or a slice."""


@dataclass(frozen=True)
class RaggedObjects:
    """Objects of one kind, any number in each of N events.

    Attributes:
        values: Features of all objects, event by event, with shape (T, F), float32; NaN where
            missing. It may lie on disk.
        offsets: Where each event's objects begin, and the end of the last, with shape (N + 1,).
    """

    values: NDArray[np.float32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of objects in each event, with shape (N,)."""
        return np.diff(self.offsets)

    @classmethod
    def of(cls, values: NDArray[np.float32], counts: NDArray[Any]) -> RaggedObjects:
        """Objects by their number in each event, with shape (N,)."""
        return cls(values, np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]))

    @classmethod
    def from_padded(cls, objects: Objects) -> RaggedObjects:
        """The objects that are present; places without one are left out."""
        return cls.of(objects.values[objects.present], objects.present.sum(axis=1))

    @classmethod
    def concatenated(cls, parts: Sequence[RaggedObjects]) -> RaggedObjects:
        """The events of several parts, one after the other; at least one part."""
        counts = np.concatenate([part.counts for part in parts])
        return cls.of(np.concatenate([part.values for part in _inside(parts)]), counts)

    def __getitem__(self, rows: Rows) -> RaggedObjects:
        """The objects of some events."""
        if isinstance(rows, slice) and rows.step in (None, 1):
            start, stop, _ = rows.indices(len(self))
            offsets = self.offsets[start : max(stop, start) + 1]
            return RaggedObjects(self.values[offsets[0] : offsets[-1]], offsets - offsets[0])
        chosen = _numbers(rows, len(self))
        counts = self.offsets[chosen + 1] - self.offsets[chosen]
        return RaggedObjects.of(self.values[_places(self.offsets[chosen], counts)], counts)

    def padded(self, rows: Rows, length: int, *, absent: float = np.nan) -> Objects:
        """The first objects of some events in rectangular arrays.

        Args:
            rows: Which events.
            length: Most objects of an event that are taken.
            absent: The value of a place without an object.

        Returns:
            Arrays with shapes (events, length, F) and (events, length).
        """
        chosen = _numbers(rows, len(self))
        counts = np.minimum(self.offsets[chosen + 1] - self.offsets[chosen], length)
        present = np.arange(length) < counts[:, None]
        values = np.full((len(chosen), length, self.values.shape[1]), absent, np.float32)
        values[present] = self.values[_places(self.offsets[chosen], counts)]
        return Objects(values, present)


def _inside(parts: Sequence[RaggedObjects]) -> list[RaggedObjects]:
    """The parts, each with no other values than those of its events."""
    return [part[:] for part in parts]


def _numbers(rows: Rows, length: int) -> NDArray[np.int64]:
    """Numbers of events, without a look at all of them if they are given as such."""
    if isinstance(rows, slice):
        return np.arange(*rows.indices(length))
    return np.flatnonzero(rows) if rows.dtype == bool else np.asarray(rows, np.int64)


def _places(start: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers from each start on, as many as each count says."""
    first = np.cumsum(counts) - counts
    places: NDArray[np.int64] = np.arange(counts.sum()) + np.repeat(start - first, counts)
    return places
