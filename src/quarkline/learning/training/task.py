"""What a training learns: losses of events, whose weights each step moves, what is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

Rows = Sequence[Tensor]
"""Tensors of equal length N, such as features, labels and weights."""


@dataclass(frozen=True)
class Step:
    """One move of the weights.

    Attributes:
        losses: Maps the module and a batch of rows to the losses of the rows, with shape (N,).
        part: The submodule whose weights move, with an optimiser of its own; "" for all.
    """

    losses: Callable[[nn.Module, Rows], Tensor]
    part: str = ""


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

    def outputs(self, module: nn.Module, rows: Rows) -> Tensor:
        """What is kept of each held-out row, with shape (N, ...)."""

    def measure(self, outputs: Tensor, rows: Rows) -> dict[str, float]:
        """Metrics of all held-out rows, `validation_loss` among them."""


class RowLoss:
    """For modules that put out the loss of each row themselves, such as densities."""

    steps = (Step(lambda module, rows: module(*rows)),)
    fused = False
    rows_at_once = None

    def outputs(self, module: nn.Module, rows: Rows) -> Tensor:
        """The losses, with shape (N,)."""
        losses: Tensor = module(*rows)
        return losses

    def measure(self, outputs: Tensor, rows: Rows) -> dict[str, float]:  # noqa: ARG002
        """The mean loss."""
        return {"validation_loss": float(outputs.mean())}
