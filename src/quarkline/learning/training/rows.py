"""Where the rows of a training come from, and which of them make which batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from lightning.fabric import Fabric
from torch import Tensor

from quarkline.engine.core.rng import rng

Rows = Sequence[Tensor]
"""Tensors of equal length N, such as features, labels and weights."""

MAIN = ""
"""Name of the stream that an epoch goes through once; others go along with it."""
FREE_SHARE = 0.5
"""Share of a GPU's free memory that the rows of one stream may fill."""


class RowSource(Protocol):
    """N rows, of which a training takes a batch at a time, such as those of a mapped file."""

    @property
    def known(self) -> Rows:
        """Those tensors that are in memory whole, such as labels and weights, on the CPU."""

    def __len__(self) -> int: ...

    def take(self, indices: Tensor) -> Rows:
        """Some rows, where it suits.

        Args:
            indices: Their numbers, with shape (B,), int64, on the CPU.
        """


Streams = Mapping[str, RowSource]
Given = RowSource | Rows
"""A source of rows, or tensors of equal length."""


@dataclass(frozen=True)
class TensorRows:
    """Rows in memory.

    Attributes:
        known: The tensors, all on one device.
    """

    known: Rows

    def __len__(self) -> int:
        return len(self.known[0])

    def take(self, indices: Tensor) -> Rows:
        """Some rows, on the device of the tensors."""
        placed = indices.to(self.known[0].device, non_blocking=True)
        return [tensor[placed] for tensor in self.known]


@dataclass(frozen=True)
class _Near:
    """Rows that come to the device that computes.

    Attributes:
        source: The rows.
        read: What batches are read from: the source, or a copy on the device.
        fabric: Where the training computes.
    """

    source: RowSource
    read: RowSource
    fabric: Fabric

    @property
    def known(self) -> Rows:
        return self.source.known

    def __len__(self) -> int:
        return len(self.source)

    def take(self, indices: Tensor) -> Rows:
        return [self.fabric.to_device(tensor) for tensor in self.read.take(indices)]


def streams_of(given: Given | Mapping[str, Given]) -> dict[str, RowSource]:
    """Sources by the name of their stream; what has no name is the main one."""
    named = given if isinstance(given, Mapping) else {MAIN: given}
    return {
        name: TensorRows(source) if isinstance(source, Sequence) else source
        for name, source in named.items()
    }


def near(streams: Streams, fabric: Fabric) -> dict[str, RowSource]:
    """Streams whose batches come to the device that computes.

    What is in memory goes there once, unless it would fill more than half of what is free.
    """
    return {
        name: _Near(source, _copied(source, fabric), fabric) for name, source in streams.items()
    }


def _copied(source: RowSource, fabric: Fabric) -> RowSource:
    if isinstance(source, TensorRows) and _fits(source.known, fabric.device):
        return TensorRows([fabric.to_device(tensor) for tensor in source.known])
    return source


def _fits(tensors: Rows, device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return sum(tensor.nbytes for tensor in tensors) < FREE_SHARE * free


class Batches:
    """Which rows make each batch: a pure function of the seed and the batch's number.

    Each stream is gone through in one order after another: once an epoch, in equal parts; or, for
    those beside the main one, so many rows at a time.

    Args:
        counts: Rows of each stream.
        rows: Rows of a batch of the main stream.
        seed: Seed of the orders.
        beside: Rows of a batch of every other stream; None for a part of it.
        name: What the orders are drawn for.
        shuffled: Whether there are orders; else all streams stay as they are.
        pieces: Batches of an epoch, each of so large a part of every stream; None for as many as
            `rows` gives.
    """

    def __init__(
        self,
        counts: Mapping[str, int],
        rows: int,
        seed: int,
        *,
        beside: int | None = None,
        name: str = "batches",
        shuffled: bool = True,
        pieces: int | None = None,
    ) -> None:
        self.counts, self.rows, self.beside, self.pieces = counts, rows, beside, pieces
        self.seed, self.name, self.shuffled = seed, name, shuffled
        self._order: dict[str, tuple[int, Tensor]] = {}

    @property
    def number(self) -> int:
        """Batches of an epoch."""
        return self.pieces or -(-self.counts[MAIN] // self.rows)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[dict[str, Tensor]]:
        """The batches of an epoch from one of them on: row numbers by stream, on the CPU."""
        order = self._permutation(MAIN, epoch)
        cut = order.tensor_split(self.pieces) if self.pieces else torch.split(order, self.rows)
        for place, batch in enumerate(cut[first:], start=first):
            at = epoch * self.number + place
            yield {MAIN: batch} | {
                name: self._beside(name, at) for name in self.counts if name != MAIN
            }

    def _beside(self, name: str, at: int) -> Tensor:
        """The batch of another stream at a step of the training."""
        count, size = self.counts[name], self.beside
        if size is None and count >= self.number:
            epoch, place = divmod(at, self.number)
            size, longer = divmod(count, self.number)  # as `tensor_split` cuts
            start = place * size + min(place, longer)
            return self._permutation(name, epoch)[start : start + size + (place < longer)]
        size = size or 1  # of few rows, one in every batch
        start, end = at * size, (at + 1) * size
        parts = []
        while start < end:
            number, place = divmod(start, count)
            parts.append(self._permutation(name, number)[place : place + end - start])
            start += len(parts[-1])
        return torch.cat(parts)

    def _permutation(self, name: str, number: int) -> Tensor:
        """The order of a pass through a stream."""
        known, order = self._order.get(name, (-1, None))
        if known != number or order is None:
            order = torch.arange(self.counts[name])
            if self.shuffled:
                names: list[str | int] = [self.name, *([name] if name else []), number]
                drawn = rng(self.seed, *names).permutation(self.counts[name])
                order = torch.from_numpy(drawn)
            self._order[name] = (number, order)
        return order


class Pieces:
    """A batch that is read in pieces; one that fits at once is read once for all its steps.

    Args:
        streams: The rows.
        batch: Their numbers, by stream.
        size: Most rows of the main stream in a piece; the others are cut as often.
        share: This process's number among those that share each piece, and how many they are.
    """

    def __init__(
        self,
        streams: Streams,
        batch: Mapping[str, Tensor],
        size: int,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._streams = streams
        main = torch.split(batch[MAIN], size)
        number = min(len(main), *(len(rows) for rows in batch.values()))  # none may be empty
        cut = {name: rows.tensor_split(number) for name, rows in batch.items()}
        if number == len(main):
            cut[MAIN] = main
        rank, ranks = share
        self._pieces = [
            {name: parts[at].tensor_split(ranks)[rank] for name, parts in cut.items()}
            for at in range(number)
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
