"""One step of a training: gradients of a global batch, clipped, on one or several devices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from quarkline.engine.core.rng import seed_bits
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.state import State
from quarkline.learning.training.task import Rows, Step, Task


@dataclass(frozen=True)
class Mover:
    """Moves a module's weights, one global batch at a time.

    A global batch is `accumulate` batches; several processes share each of them. The gradient is
    that of the mean loss of its rows, however they are shared.

    Attributes:
        task: What is learned.
        config: How.
        seed: Seed of what the module draws, such as dropout, together with the step's number.
    """

    task: Task
    config: FitConfig
    seed: int

    @property
    def rows(self) -> int:
        """Rows of a global batch."""
        return self.config.batch_size * self.config.accumulate

    def move(self, state: State, rows: Rows, indices: Tensor, rate: float, name: str) -> Moved:
        """Make the task's steps on the rows with these indices.

        Args:
            state: Whose weights move; nothing else of it changes.
            rows: All rows of the training.
            indices: Those of this batch.
            rate: The learning rate.
            name: Names the step, for what it draws.
        """
        for number, step in enumerate(self.task.steps):
            optimiser = state.optimisers[step.part]
            for group in optimiser.param_groups:
                group["lr"] = rate
            for each in state.optimisers.values():
                each.zero_grad()
            loss = self._gradients(state, step, rows, indices, f"{name}-{number}")
            norm = self._clipped(state, optimiser)
            optimiser.step()
        return Moved(loss, norm)

    def _gradients(
        self, state: State, step: Step, rows: Rows, indices: Tensor, name: str
    ) -> Tensor:
        """Gradients of the mean loss over all rows; this process's part of that mean."""
        fabric = state.fabric
        batches = torch.split(indices, self.config.batch_size)
        total: Tensor | None = None
        for number, batch in enumerate(batches):
            mine = batch.tensor_split(fabric.world_size)[fabric.global_rank]
            _draw_from(fabric.device, self.seed, name, number, fabric.global_rank)
            with fabric.no_backward_sync(state.wrapped, enabled=number < len(batches) - 1):
                losses = step.losses(state.wrapped, [tensor[mine] for tensor in rows])
                part = losses.sum() / len(indices)
                fabric.backward(part * fabric.world_size if fabric.world_size > 1 else part)
            total = part.detach() if total is None else total + part.detach()
        assert total is not None  # noqa: S101  (a batch is never empty)
        return total

    def _clipped(self, state: State, optimiser: Optimizer) -> Tensor:
        """The norm of the optimiser's gradients, before they are clipped."""
        state.fabric.strategy.precision.unscale_gradients(optimiser)
        weights = [item for group in optimiser.param_groups for item in group["params"]]
        return nn.utils.clip_grad_norm_(weights, self.config.clip or torch.inf)


@dataclass(frozen=True)
class Moved:
    """What a step found out.

    Attributes:
        loss: This process's part of the mean loss of the batch, before the step.
        norm: Norm of the gradient, before clipping.
    """

    loss: Tensor
    norm: Tensor


@contextmanager
def own_noise(device: torch.device) -> Iterator[None]:
    """Let steps draw their own random numbers, and put torch's global state back afterwards."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield


def _draw_from(device: torch.device, seed: int, *names: str | int) -> None:
    """Make torch's generator of this device a pure function of a seed and names."""
    bits = seed_bits(seed, "noise", *names, bits=64) % 2**63
    if device.type == "cuda":
        torch.cuda.manual_seed(bits)
    else:
        torch.default_generator.manual_seed(bits)


def to_device(fabric: Fabric, rows: Sequence[Tensor]) -> list[Tensor]:
    """The tensors where the module computes."""
    return [fabric.to_device(tensor) for tensor in rows]
