"""What a training learns: losses of events, whose weights each step moves, what is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from quarkline.learning.training.rows import MAIN, Rows

Batch = Mapping[str, Rows]
"""Rows of a batch by the name of their stream."""


@dataclass(frozen=True)
class Step:
    """One move of the weights, down the gradient of the sum of its losses.

    Attributes:
        losses: Maps the module and a batch to losses by name. Those of rows (n,) are named like
            their stream, and their mean counts. One number () of the whole batch, such as a
            distance of two samples or a penalty, has any name; where a batch is shared out or cut
            into pieces it is that of each piece, and their mean by rows counts.
        part: The submodule whose weights move, with an optimiser of its own; "" for all.
        streams: The streams whose rows it takes.
        frozen: Submodules that stay as they are: without gradients, and in evaluation mode, so
            that a normalisation uses what it has learned and learns nothing.
        name: What its losses are called in metrics, where a task has several.
        notes: Names of numbers, each a mean over a batch, that stand among its losses to be
            followed as metrics, and are not minimised.
    """

    losses: Callable[[nn.Module, Batch], Mapping[str, Tensor]]
    part: str = ""
    streams: tuple[str, ...] = (MAIN,)
    frozen: tuple[str, ...] = ()
    name: str = ""
    notes: tuple[str, ...] = ()


def step_of(losses: Callable[[nn.Module, Rows], Tensor], part: str = "") -> Step:
    """A step on the main stream alone.

    Args:
        losses: Maps the module and rows to the losses of the rows, with shape (N,).
        part: The submodule whose weights move; "" for all.
    """
    return Step(lambda module, batch: {MAIN: losses(module, batch[MAIN])}, part)


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

    def measure(self, outputs: Mapping[str, Tensor], known: Batch) -> dict[str, float]:
        """Metrics of all held-out rows, `validation_loss` among them.

        Args:
            outputs: By stream, on the CPU.
            known: Of each stream's rows what its source has in memory whole.
        """


class RowLoss:
    """For modules that put out the loss of each row themselves, such as densities."""

    steps = (step_of(lambda module, rows: module(*rows)),)
    fused = False
    rows_at_once = None

    def outputs(self, module: nn.Module, stream: str, rows: Rows) -> Tensor:  # noqa: ARG002
        """The losses, with shape (N,)."""
        losses: Tensor = module(*rows)
        return losses

    def measure(self, outputs: Mapping[str, Tensor], known: Batch) -> dict[str, float]:  # noqa: ARG002
        """The mean loss."""
        return {"validation_loss": float(outputs[MAIN].mean())}
