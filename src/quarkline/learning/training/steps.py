"""One step of a training: gradients of a global batch, clipped, on one or several devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from quarkline.engine.core.rng import seed_bits
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.rows import Batches, Pieces, Streams
from quarkline.learning.training.state import State
from quarkline.learning.training.task import Batch, Step, Task


@dataclass(frozen=True)
class Mover:
    """Moves a module's weights, one global batch at a time.

    A global batch is `accumulate` batches; several processes share each of them. The gradient is
    that of the mean loss of its rows, however they are shared. A loss that is one number for a
    batch is the mean over its parts instead, and so is what batch normalisation sees.

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

    def batches(self, streams: Streams) -> Batches:
        """Which rows make each global batch."""
        counts = {name: len(source) for name, source in streams.items()}
        beside = self.config.side_batch_size
        return Batches(self.seed, counts, self.rows, beside and beside * self.config.accumulate)

    def move(
        self, state: State, streams: Streams, indices: Mapping[str, Tensor], rate: float, name: str
    ) -> Moved:
        """Make the task's steps on the rows with these indices.

        Args:
            state: Whose weights move; nothing else of it changes.
            streams: All rows of the training.
            indices: Those of this batch, by stream.
            rate: The learning rate.
            name: Names the step, for what it draws.
        """
        fabric = state.fabric
        share = (fabric.global_rank, fabric.world_size)
        pieces = Pieces(streams, indices, self.config.batch_size, share)
        for number, step in enumerate(self.task.steps):
            optimiser = state.optimisers[step.part]
            for group in optimiser.param_groups:
                group["lr"] = rate
            for each in state.optimisers.values():
                each.zero_grad()
            with moving_alone(state.module, step):
                loss = self._gradients(state, step, pieces, indices, f"{name}-{number}")
            norm = self._clipped(state, optimiser)
            optimiser.step()
        return Moved(loss, norm)

    def _gradients(
        self,
        state: State,
        step: Step,
        pieces: Pieces,
        indices: Mapping[str, Tensor],
        name: str,
    ) -> Tensor:
        """Gradients of the loss of the whole batch; this process's part of that loss."""
        fabric = state.fabric
        counts = {stream: len(indices[stream]) for stream in step.streams}
        total: Tensor | None = None
        for number, batch in enumerate(pieces.read(step.streams)):
            _draw_from(fabric.device, self.seed, name, number, fabric.global_rank)
            with fabric.no_backward_sync(state.wrapped, enabled=number < len(pieces) - 1):
                part = _summed(step.losses(state.wrapped, batch), batch, counts)
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


def _summed(losses: Mapping[str, Tensor], batch: Batch, counts: Mapping[str, int]) -> Tensor:
    """What a piece of a batch adds to the batch's loss.

    Args:
        losses: Of the piece, by name.
        batch: Its rows.
        counts: Rows of the whole batch, by stream.
    """
    parts = []
    for name, values in losses.items():
        if values.ndim:
            parts.append(values.sum() / counts[name])
        else:
            stream = name if name in counts else next(iter(counts))
            parts.append(values * (len(batch[stream][0]) / counts[stream]))
    return sum(parts[1:], start=parts[0])


@contextmanager
def moving_alone(module: nn.Module, step: Step) -> Iterator[None]:
    """Let only the weights that a step moves have gradients, and freeze what it freezes."""
    frozen = [module.get_submodule(name) for name in step.frozen]
    moving = {id(weight) for weight in module.get_submodule(step.part).parameters()}
    moving -= {id(weight) for part in frozen for weight in part.parameters()}
    still = [item for item in module.parameters() if item.requires_grad and id(item) not in moving]
    trained = [each for part in frozen for each in part.modules() if each.training]
    for weight in still:
        weight.requires_grad_(False)
    for each in trained:
        each.training = False
    try:
        yield
    finally:
        for weight in still:
            weight.requires_grad_(True)
        for each in trained:
            each.training = True


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
