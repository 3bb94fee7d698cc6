"""Where the rows of a training come from: tensors in memory, or anything that gives batches."""

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


class RowSource(Protocol):
    """N rows, of which a training takes a batch at a time."""

    @property
    def known(self) -> Rows:
        """Those tensors that are in memory whole, such as labels and weights, on the CPU."""

    def __len__(self) -> int: ...

    def take(self, indices: Tensor) -> Rows:
        """Some rows, where it suits.

        Args:
            indices: Their numbers, with shape (B,), int64, on the CPU.
        """


@dataclass(frozen=True)
class TensorRows:
    """Rows in memory, on the device that computes.

    Attributes:
        known: The tensors, on the CPU.
        placed: The same on the device.
    """

    known: Rows
    placed: Rows

    @classmethod
    def of(cls, rows: Rows, fabric: Fabric | None = None) -> TensorRows:
        """Rows on the device of a fabric, or on the CPU."""
        placed = rows if fabric is None else [fabric.to_device(tensor) for tensor in rows]
        return cls(rows, placed)

    def __len__(self) -> int:
        return len(self.known[0])

    def take(self, indices: Tensor) -> Rows:
        """Some rows, on the device."""
        placed = indices.to(self.placed[0].device, non_blocking=True)
        return [tensor[placed] for tensor in self.placed]


Given = RowSource | Rows
"""A source of rows, or tensors of equal length."""
Streams = Mapping[str, RowSource]


def streams_of(given: Given | Mapping[str, Given], fabric: Fabric) -> Streams:
    """Sources by the name of their stream; tensors go to the device.

    Args:
        given: Of several streams, or of the main one alone.
        fabric: Where the training computes.
    """
    named = given if isinstance(given, Mapping) else {MAIN: given}
    return {
        name: TensorRows.of(source, fabric) if isinstance(source, Sequence) else source
        for name, source in named.items()
    }


def lengths(given: Given | Mapping[str, Given]) -> dict[str, int]:
    """Number of rows of each stream."""
    named = given if isinstance(given, Mapping) else {MAIN: given}
    return {
        name: len(source[0]) if isinstance(source, Sequence) else len(source)
        for name, source in named.items()
    }


def taken(source: RowSource, indices: Tensor, fabric: Fabric) -> Rows:
    """Some rows of a source, on the device."""
    return [fabric.to_device(tensor) for tensor in source.take(indices)]


class Batches:
    """Which rows make each batch: a pure function of the seed and the batch's number.

    The main stream is gone through once an epoch, in an order of the epoch. A batch of another
    stream has as many rows for each of its own as the main stream's batches have; it goes on
    where the last one ended, in a new order whenever it has come to its end.

    Args:
        streams: The sources.
        rows: Rows of a batch of the main stream.
        seed: Seed of the orders.
        names: What they are drawn for.
        shuffled: Whether there are orders; else all streams stay as they are.
        pieces: Batches of an epoch, each of so large a part of every stream; None for as many as
            `rows` gives.
    """

    def __init__(
        self,
        streams: Streams,
        rows: int,
        seed: int,
        *,
        names: Sequence[str] = ("batches",),
        shuffled: bool = True,
        pieces: int | None = None,
    ) -> None:
        self.counts = {name: len(source) for name, source in streams.items()}
        self.rows, self.seed, self.shuffled = rows, seed, shuffled
        self.names, self.pieces = names, pieces
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

    def size(self, name: str) -> int:
        """Rows of a whole batch of a stream."""
        if name == MAIN:
            return self.rows
        return max(1, round(self.counts[name] * min(1.0, self.rows / self.counts[MAIN])))

    def _beside(self, name: str, at: int) -> Tensor:
        """The batch of another stream at a step of the training."""
        if self.pieces:
            number, place = divmod(at, self.pieces)
            return self._permutation(name, number).tensor_split(self.pieces)[place]
        count, size = self.counts[name], self.size(name)
        start, parts = at * size, list[Tensor]()
        while size:
            number, place = divmod(start, count)
            part = self._permutation(name, number)[place : place + size]
            parts.append(part)
            start, size = start + len(part), size - len(part)
        return torch.cat(parts)

    def _permutation(self, name: str, number: int) -> Tensor:
        """The order of a pass through a stream."""
        known, order = self._order.get(name, (-1, None))
        if known != number or order is None:
            order = torch.arange(self.counts[name])
            if self.shuffled:
                names: list[str | int] = [*self.names, *([name] if name else []), number]
                drawn = rng(self.seed, *names).permutation(self.counts[name])
                order = torch.from_numpy(drawn)
            self._order[name] = (number, order)
        return order
