"""One step of a training: gradients of a global batch, clipped, on one or several devices."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from quarkline.engine.core.rng import seed_bits
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.rows import MAIN, Streams, taken
from quarkline.learning.training.state import State
from quarkline.learning.training.task import Step, Task


@dataclass(frozen=True)
class Moved:
    """What the steps on a batch found out.

    Attributes:
        loss: This process's part of the loss of the last step, before it.
        norm: Norm of that step's gradient, before clipping.
        parts: Likewise this process's part of each step's mean loss of each stream, by `loss_name`.
    """

    loss: Tensor
    norm: Tensor
    parts: Mapping[str, Tensor]


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
        """Rows of a global batch of the main stream."""
        return self.config.batch_size * self.config.accumulate

    @property
    def pieces(self) -> int:
        """Rows of the main stream that go through the module together."""
        config = self.config
        if config.pieces:
            return config.rows_at_once or sys.maxsize
        return min(config.batch_size, config.rows_at_once or config.batch_size)

    def move(
        self, state: State, streams: Streams, indices: Mapping[str, Tensor], rate: float, name: str
    ) -> Moved:
        """Make the task's steps on the rows with these indices.

        Args:
            state: Whose weights move; nothing else of it changes.
            streams: All rows of the training.
            indices: Those of this batch, of each stream.
            rate: The learning rate.
            name: Names the step, for what it draws.
        """
        steps = self.task.steps
        parts: dict[str, Tensor] = {}
        for number, step in enumerate(steps):
            optimiser = state.optimisers[step.part]
            for group in optimiser.param_groups:
                group["lr"] = rate
            for each in state.optimisers.values():
                each.zero_grad()
            with _still(state.module, step.frozen):
                losses, notes = self._gradients(state, step, streams, indices, f"{name}-{number}")
            norm = self._clipped(state, optimiser)
            optimiser.step()
            parts |= {loss_name(step, stream): loss for stream, loss in losses.items()} | notes
        return Moved(_total(losses), norm, parts)

    def _gradients(
        self,
        state: State,
        step: Step,
        streams: Streams,
        indices: Mapping[str, Tensor],
        name: str,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Gradients of the sum of mean losses.

        Returns:
            This process's part of the mean of each stream, and of each note.
        """
        fabric = state.fabric
        pieces = self._pieces(step, indices)
        totals: dict[str, Tensor] = {}
        notes: dict[str, Tensor] = {}
        for number, piece in enumerate(pieces):
            mine = {
                stream: rows.tensor_split(fabric.world_size)[fabric.global_rank]
                for stream, rows in piece.items()
            }
            _draw_from(fabric.device, self.seed, name, number, fabric.global_rank)
            with fabric.no_backward_sync(state.wrapped, enabled=number < len(pieces) - 1):
                batch = {stream: taken(streams[stream], mine[stream], fabric) for stream in mine}
                losses = dict(step.losses(state.wrapped, batch))
                share = len(mine[step.streams[-1]]) / len(indices[step.streams[-1]])
                for note in step.notes:
                    notes[note] = notes.get(note, 0.0) + losses.pop(note).detach() * share
                shares = {
                    stream: _share(loss, len(mine[stream]), len(indices[stream]))
                    for stream, loss in losses.items()
                }
                part = _total(shares)
                fabric.backward(part * fabric.world_size if fabric.world_size > 1 else part)
            for stream, part in shares.items():
                so_far = totals.get(stream)
                totals[stream] = part.detach() if so_far is None else so_far + part.detach()
        return totals, notes

    def _pieces(self, step: Step, indices: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """Rows of each stream of a step that go through the module together, piece by piece."""
        main = torch.split(indices[MAIN], self.pieces)
        number = min(len(main), *(len(indices[stream]) for stream in step.streams))
        cut = {
            stream: main
            if stream == MAIN and number == len(main)
            else indices[stream].tensor_split(number)
            for stream in step.streams
        }
        return [dict(zip(cut, rows, strict=True)) for rows in zip(*cut.values(), strict=True)]

    def _clipped(self, state: State, optimiser: Optimizer) -> Tensor:
        """The norm of the optimiser's gradients, before they are clipped."""
        state.fabric.strategy.precision.unscale_gradients(optimiser)
        weights = [item for group in optimiser.param_groups for item in group["params"]]
        return nn.utils.clip_grad_norm_(weights, self.config.clip or torch.inf)


def loss_name(step: Step, stream: str) -> str:
    """What the mean loss of a stream in a step is called among the metrics."""
    return "_".join(["train", *filter(None, (step.name, stream)), "loss"])


def loss_names(task: Task) -> list[str]:
    """What a training follows beside `train_loss`: losses, if there are several, and notes."""
    names = [loss_name(step, stream) for step in task.steps for stream in step.streams]
    losses = list(dict.fromkeys(names)) if len(set(names)) > 1 else []
    return [*losses, *dict.fromkeys(note for step in task.steps for note in step.notes)]


def _share(loss: Tensor, mine: int, whole: int) -> Tensor:
    """A piece's part of the mean over a batch: of losses of rows, or of one number."""
    return loss.sum() / whole if loss.ndim else loss * (mine / whole)


def _total(losses: Mapping[str, Tensor]) -> Tensor:
    first, *others = losses.values()
    for other in others:
        first = first + other
    return first


@contextmanager
def _still(module: nn.Module, frozen: Sequence[str]) -> Iterator[None]:
    """Keep submodules as they are, in evaluation mode and without gradients."""
    parts = [module.get_submodule(name) for name in frozen]
    for part in parts:
        part.eval().requires_grad_(False)
    try:
        yield
    finally:
        for part in parts:
            part.train().requires_grad_(True)


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
