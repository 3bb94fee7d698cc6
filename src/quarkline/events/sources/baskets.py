"""Baskets of branches of numbers, decoded only where they hold what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from quarkline.events.sources.problems import reading

Integers = NDArray[np.int64]


def holds_numbers(branch: Any) -> bool:
    """Whether a branch holds one number, array or list of numbers an entry, stored as they are."""
    found = branch.interpretation
    numbers = found.content if isinstance(found, uproot.AsJagged) else found
    if type(numbers) is not uproot.AsDtype or numbers.from_dtype.names:
        return False
    return bool(numbers.to_dtype == _native(numbers.from_dtype))


@dataclass(frozen=True)
class _Values:
    """Values of some entries, in the byte order of the file.

    Attributes:
        content: All values, flat; those of arrays of fixed length have its shape.
        counts: Values of each entry, None if every entry has one.
    """

    content: NDArray[Any]
    counts: Integers | None = None


@dataclass(frozen=True)
class _Basket:
    """One decoded basket.

    Attributes:
        content: All values, in the byte order of the file.
        offsets: Where each entry begins in `content`, and its end; None if every entry has one.
    """

    content: NDArray[Any]
    offsets: Integers | None

    def slice(self, start: int, stop: int) -> _Values:
        if self.offsets is None:
            return _Values(self.content[start:stop])
        offsets = self.offsets[start : stop + 1]
        return _Values(self.content[offsets[0] : offsets[-1]], np.diff(offsets))

    def take(self, entries: Integers) -> _Values:
        if self.offsets is None:
            return _Values(self.content[entries])
        starts = self.offsets[entries]
        counts = self.offsets[entries + 1] - starts
        ends = np.cumsum(counts)
        within = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
        return _Values(self.content[np.repeat(starts, counts) + within], counts)


class Baskets:
    """The baskets of one branch; the last one decoded is kept.

    Args:
        branch: A branch that `holds_numbers`.
        path: Its file, for findings.
        tree: Its tree, for findings.
    """

    def __init__(self, branch: Any, path: Path, tree: str | None) -> None:
        self._branch, self._path, self._tree = branch, path, tree
        found = branch.interpretation
        self._lists = isinstance(found, uproot.AsJagged)
        self._header = found.header_bytes if self._lists else 0
        self._dtype = (found.content if self._lists else found).from_dtype
        self._ends = np.asarray(branch.entry_offsets, np.int64)
        if np.any(np.diff(self._ends) < 0) or self._ends[0] != 0:
            msg = "its baskets are out of order"
            raise ValueError(msg)
        self._last: tuple[int, _Basket] | None = None

    def slice(self, start: int, stop: int) -> ak.Array:
        """Entries [start, stop)."""
        ends = np.clip(self._ends, start, stop)
        with reading(self._path, self._branch.name, self._tree):
            return self._joined(
                [
                    self._basket(index).slice(*(ends[index : index + 2] - self._ends[index]))
                    for index in _occupied(ends)
                ]
            )

    def take(self, entries: Integers) -> ak.Array:
        """Single entries, in ascending order."""
        ends = np.searchsorted(entries, self._ends)
        with reading(self._path, self._branch.name, self._tree):
            return self._joined(
                [
                    self._basket(index).take(
                        entries[ends[index] : ends[index + 1]] - self._ends[index]
                    )
                    for index in _occupied(ends)
                ]
            )

    def _joined(self, parts: Sequence[_Values]) -> ak.Array:
        """The values of consecutive baskets as one array, in the byte order of this computer."""
        nothing = np.empty(0, self._dtype)
        content = np.concatenate([nothing, *(part.content for part in parts)])
        values = ak.from_numpy(content.astype(_native(content.dtype)), regulararray=True)
        if not self._lists:
            return values
        counts = [part.counts for part in parts if part.counts is not None]
        offsets = np.concatenate([[0], *counts]).astype(np.int64).cumsum()
        return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(offsets), values.layout))

    def _basket(self, index: int) -> _Basket:
        if self._last is None or self._last[0] != index:
            self._last = None  # its memory is free while the next one is decoded
            self._last = index, self._decoded(index)
        return self._last[1]

    def _decoded(self, index: int) -> _Basket:
        """Decode a basket.

        Raises:
            ValueError: If it does not hold the entries it should.
        """
        basket = self._branch.basket(index)
        start, stop = self._ends[index : index + 2].tolist()
        content, offsets = basket.data, None
        if self._lists:
            bounds = basket.byte_offsets
            if bounds is None:
                bounds = self._counted(start, stop)
            content, offsets = self._without_headers(content, bounds.astype(np.int64))
        entries = len(content) // self._dtype.itemsize if offsets is None else len(offsets) - 1
        if entries != stop - start or len(content) % self._dtype.itemsize:
            msg = f"entries [{start}, {stop}) hold {entries} values in {len(content)} bytes"
            raise ValueError(msg)
        shape = (-1, *self._dtype.shape)
        return _Basket(content.view(self._dtype.base).reshape(shape), offsets)

    def _counted(self, start: int, stop: int) -> Integers:
        """Bounds of lists whose basket leaves them out, because the counter tells them."""
        counter = self._branch.count_branch
        if counter is None:
            msg = "neither the basket nor a counter says where its lists begin"
            raise ValueError(msg)
        counts = Baskets(counter, self._path, self._tree).slice(start, stop)
        sizes = np.asarray(counts, np.int64) * self._dtype.itemsize
        return np.concatenate([[0], sizes]).cumsum()

    def _without_headers(
        self, data: NDArray[np.uint8], bounds: Integers
    ) -> tuple[NDArray[np.uint8], Integers]:
        """The bytes of a basket's lists one after the other, and where each begins, in values."""
        sizes = np.diff(bounds) - self._header
        counts, rest = np.divmod(sizes, self._dtype.itemsize)
        if bounds[0] != 0 or bounds[-1] != len(data) or np.any(sizes < 0) or np.any(rest):
            msg = "its lists do not lie one behind the other"
            raise ValueError(msg)
        if self._header:
            kept = np.ones(len(data), np.bool_)
            kept[bounds[:-1, np.newaxis] + np.arange(self._header)] = False
            data = data[kept]
        return data, np.concatenate([[0], counts]).cumsum()


def _occupied(ends: Integers) -> list[int]:
    """The baskets between whose ends there is something."""
    return np.flatnonzero(np.diff(ends)).tolist()


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("=")
