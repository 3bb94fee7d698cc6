"""What a training learns: losses of events, whose weights each step moves, what is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

MAIN = ""
"""The stream whose rows make up the epochs."""

Rows = Sequence[Tensor]
"""Tensors of equal length N, such as features, labels and weights."""
Batch = Mapping[str, Rows]
"""Rows of each stream; streams differ in length."""


@dataclass(frozen=True)
class Step:
    """One move of the weights.

    It minimises the sum of its losses, each the mean over the rows of the batch.

    Attributes:
        losses: Maps the module and a batch to losses by name. One with shape (n,) is named like the
            stream whose n rows it is of; one with shape () is a number of the whole batch, such as
            a distance of two samples or a penalty, under any name.
        part: The submodule whose weights move, with an optimiser of its own; "" for all.
        streams: What the losses read.
        frozen: Submodules whose weights stay, and which are in evaluation mode.
    """

    losses: Callable[[nn.Module, Batch], Mapping[str, Tensor]]
    part: str = ""
    streams: tuple[str, ...] = (MAIN,)
    frozen: tuple[str, ...] = ()


class Task(Protocol):
    """What `fit` needs to know of a problem."""

    @property
    def steps(self) -> Sequence[Step]:
        """The moves for each batch, in order; the last one's loss is the training loss."""

    @property
    def fused(self) -> bool:
        """Whether one kernel moves all weights: faster, and other in the last bits."""

    @property
    def rows_at_once(self) -> int | None:
        """Held-out rows that are evaluated together; None for all."""

    def outputs(self, module: nn.Module, stream: str, rows: Rows) -> Tensor:
        """What is kept of each held-out row of a stream, with shape (N, ...)."""

    def measure(self, outputs: Mapping[str, Tensor], rows: Batch) -> dict[str, float]:
        """Metrics of all held-out rows, `validation_loss` among them.

        Args:
            outputs: Of all rows of each stream.
            rows: Of each stream the tensors of one number a row (N,), such as labels and weights,
                in their order; features may be more than memory holds.
        """


class RowLoss:
    """For modules that put out the loss of each row themselves, such as densities."""

    steps = (Step(lambda module, batch: {MAIN: module(*batch[MAIN])}),)
    fused = False
    rows_at_once = None

    def outputs(self, module: nn.Module, stream: str, rows: Rows) -> Tensor:  # noqa: ARG002
        """The losses, with shape (N,)."""
        losses: Tensor = module(*rows)
        return losses

    def measure(self, outputs: Mapping[str, Tensor], rows: Batch) -> dict[str, float]:  # noqa: ARG002
        """The mean loss."""
        return {"validation_loss": float(outputs[MAIN].mean())}
