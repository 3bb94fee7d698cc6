"""Where the rows of a training come from, and which of them make which batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import torch
from lightning.fabric import Fabric
from torch import Tensor

from quarkline.engine.core.rng import rng
from quarkline.learning.training.task import MAIN, Rows

FREE_SHARE = 0.5
"""Share of a GPU's free memory that the rows of one stream may fill."""


class RowSource(Protocol):
    """Rows that are read when they are needed, such as those of memory-mapped files."""

    def __len__(self) -> int:
        """How many there are."""

    def take(self, indices: Tensor) -> Rows:
        """The tensors of the rows with these indices (n,), which are on the CPU, in their order."""


Streams = Mapping[str, RowSource]
"""Rows by stream; the one named "" makes up the epochs."""


@dataclass(frozen=True)
class TensorRows:
    """Rows that are in memory.

    Attributes:
        tensors: Of equal length, all on one device.
    """

    tensors: Rows

    def __len__(self) -> int:
        return len(self.tensors[0])

    def take(self, indices: Tensor) -> Rows:
        """The rows on the tensors' device."""
        found = indices.to(self.tensors[0].device)
        return [tensor[found] for tensor in self.tensors]


@dataclass(frozen=True)
class _Moved:
    """Rows that go where the module computes when they are taken."""

    source: RowSource
    fabric: Fabric

    def __len__(self) -> int:
        return len(self.source)

    def take(self, indices: Tensor) -> Rows:
        return [self.fabric.to_device(tensor) for tensor in self.source.take(indices)]


def as_streams(given: Streams | Rows) -> dict[str, RowSource]:
    """Tensors are the main stream in memory."""
    return dict(given) if isinstance(given, Mapping) else {MAIN: TensorRows(given)}


def near(fabric: Fabric, streams: Streams) -> dict[str, RowSource]:
    """Streams whose rows come where the module computes; what is in memory moves there once.

    Rows that would fill a GPU stay in the computer's memory, from where batches go one by one.
    """
    return {name: _near(fabric, source) for name, source in streams.items()}


def _near(fabric: Fabric, source: RowSource) -> RowSource:
    if isinstance(source, TensorRows) and _fits(fabric.device, source.tensors):
        return TensorRows([fabric.to_device(tensor) for tensor in source.tensors])
    return _Moved(source, fabric)


def _fits(device: torch.device, tensors: Sequence[Tensor]) -> bool:
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return sum(tensor.nbytes for tensor in tensors) < FREE_SHARE * free


@dataclass(frozen=True)
class Batches:
    """Which rows make each batch: pure functions of the seed and of how far a training is.

    The main stream has a new order in each epoch. The others go round for themselves: the batch
    of step k are the rows k n to (k + 1) n of one order after another.

    Attributes:
        seed: Of the orders.
        counts: Rows of each stream.
        rows: Rows of the main stream in a batch.
        beside: Rows of every other stream in a batch; None for as many as let each stream pass
            once in an epoch.
    """

    seed: int
    counts: Mapping[str, int]
    rows: int
    beside: int | None = None

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return math.ceil(self.counts[MAIN] / self.rows)

    def epoch(self, number: int) -> Sequence[Tensor]:
        """Indices of the main stream in each batch of an epoch, counted from 0."""
        order = rng(self.seed, "batches", number).permutation(self.counts[MAIN])
        return torch.split(torch.from_numpy(order), self.rows)

    def with_sides(self, main: Tensor, step: int) -> dict[str, Tensor]:
        """Indices of all streams in the batch of a step, counted from 0 over all epochs."""
        sides = (name for name in self.counts if name != MAIN)
        return {MAIN: main} | {name: self._side(name, step) for name in sides}

    def _side(self, name: str, step: int) -> Tensor:
        count = self.counts[name]
        size = self.beside or math.ceil(count / self.steps)
        first, end = step * size, (step + 1) * size
        parts = []
        for number in range(first // count, (end - 1) // count + 1):
            start = number * count
            order = _pass(self.seed, name, number, count)
            parts.append(order[max(first - start, 0) : end - start])
        return torch.cat(parts)


@lru_cache(maxsize=4)
def _pass(seed: int, name: str, number: int, count: int) -> Tensor:
    """One order of a side stream, which many batches take their rows from."""
    return torch.from_numpy(rng(seed, "batches", name, number).permutation(count))


class Pieces:
    """A batch that is read in pieces; one that fits at once is read once for all its steps.

    Args:
        streams: The rows.
        indices: Those of the batch, by stream.
        size: Most rows of the main stream in a piece; those of the others are cut as often.
        share: This process's number among those that share each piece, and how many they are.
    """

    def __init__(
        self,
        streams: Streams,
        indices: Mapping[str, Tensor],
        size: int,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._streams = streams
        main = torch.split(indices[MAIN], size)
        cut = {name: rows.tensor_split(len(main)) for name, rows in indices.items()} | {MAIN: main}
        rank, ranks = share
        self._pieces = [
            {name: parts[number].tensor_split(ranks)[rank] for name, parts in cut.items()}
            for number in range(len(main))
        ]
        self._read: dict[str, Rows] = {}

    def __len__(self) -> int:
        return len(self._pieces)

    def read(self, names: Sequence[str]) -> Iterator[dict[str, Rows]]:
        """The rows of some streams, piece by piece."""
        for piece in self._pieces:
            kept = self._read if len(self) == 1 else {}
            for name in names:
                if name not in kept:
                    kept[name] = self._streams[name].take(piece[name])
            yield {name: kept[name] for name in names}
