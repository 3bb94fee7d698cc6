"""One step of a training: gradients of a global batch, clipped, on one or several devices."""

from __future__ import annotations

import sys
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

TRAINING = "train_loss"
"""The metric of the last step's whole loss."""


@dataclass(frozen=True)
class Moved:
    """What the steps on a batch found out.

    Attributes:
        loss: This process's part of the loss of the last step, before it.
        norm: Norm of that step's gradient, before clipping.
        parts: Likewise this process's part of each term of each step's loss, by `loss_name`.
    """

    loss: Tensor
    norm: Tensor
    parts: Mapping[str, Tensor]


@dataclass(frozen=True)
class Mover:
    """Moves a module's weights, one global batch at a time.

    A global batch is `accumulate` batches, which go through the module in pieces of
    `rows_at_once`; several processes share each of them. The gradient is that of the mean loss of
    its rows, however they are shared. A loss that is one number of a batch is the mean over its
    pieces instead, and batch normalisation sees one of them at a time.

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

    def rows_at_once(self, state: State) -> int:
        """Rows of the main stream that go through the module together."""
        whole = sys.maxsize if self.config.pieces else self.config.batch_size
        return min(whole, self.config.rows_at_once or whole, state.rows_at_once or whole)

    def batches(self, streams: Streams, name: str = "batches") -> Batches:
        """Which rows make each global batch.

        Args:
            streams: All rows of the training.
            name: What their orders are drawn for.
        """
        beside = self.config.side_batch_size
        return Batches(
            {stream: len(source) for stream, source in streams.items()},
            self.rows,
            self.seed,
            beside=beside and beside * self.config.accumulate,
            name=name,
            shuffled=self.config.shuffle,
            pieces=self.config.pieces,
        )

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
        fabric = state.fabric
        share = (fabric.global_rank, fabric.world_size)
        pieces = Pieces(streams, indices, self.rows_at_once(state), share)
        parts: dict[str, Tensor] = {}
        for number, step in enumerate(self.task.steps):
            optimiser = state.optimisers[step.part]
            for group in optimiser.param_groups:
                group["lr"] = rate
            for each in state.optimisers.values():
                each.zero_grad()
            with moving_alone(state.module, step):
                losses, notes = self._gradients(state, step, pieces, indices, f"{name}-{number}")
            norm = self._clipped(state, optimiser)
            optimiser.step()
            parts |= {loss_name(step, stream): loss for stream, loss in losses.items()} | notes
        return Moved(_total(losses), norm, parts)

    def _gradients(
        self,
        state: State,
        step: Step,
        pieces: Pieces,
        indices: Mapping[str, Tensor],
        name: str,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Gradients of the batch's loss.

        Returns:
            This process's part of each of its terms, and of each note.
        """
        fabric = state.fabric
        counts = {stream: len(indices[stream]) for stream in step.streams}
        totals: dict[str, Tensor] = {}
        for number, batch in enumerate(pieces.read(step.streams)):
            _draw_from(fabric.device, self.seed, name, number, fabric.global_rank)
            with fabric.no_backward_sync(state.wrapped, enabled=number < len(pieces) - 1):
                losses = step.losses(state.wrapped, batch)
                terms = {of: _term(of, loss, batch, counts) for of, loss in losses.items()}
                noted = {note: terms.pop(note) for note in step.notes}
                part = _total(terms)
                fabric.backward(part * fabric.world_size if fabric.world_size > 1 else part)
            for of, term in (terms | noted).items():
                totals[of] = totals[of] + term.detach() if of in totals else term.detach()
        return totals, {note: totals.pop(note) for note in step.notes}

    def _clipped(self, state: State, optimiser: Optimizer) -> Tensor:
        """The norm of the optimiser's gradients, before they are clipped."""
        state.fabric.strategy.precision.unscale_gradients(optimiser)
        weights = [item for group in optimiser.param_groups for item in group["params"]]
        return nn.utils.clip_grad_norm_(weights, self.config.clip or torch.inf)


def loss_name(step: Step, stream: str) -> str:
    """What the loss of a stream in a step is called among the metrics."""
    return "_".join(["train", *filter(None, (step.name, stream)), "loss"])


def loss_names(task: Task) -> list[str]:
    """What a training follows beside `train_loss`: losses of steps and streams, and notes."""
    names = [loss_name(step, stream) for step in task.steps for stream in step.streams]
    names += [note for step in task.steps for note in step.notes]
    return [name for name in dict.fromkeys(names) if name != TRAINING]


def _term(name: str, loss: Tensor, batch: Batch, counts: Mapping[str, int]) -> Tensor:
    """What a piece of a batch adds to one term of the batch's loss.

    Args:
        name: Of the term.
        loss: The piece's losses of rows (n,), or its one number ().
        batch: The piece.
        counts: Rows of the whole batch, by stream.
    """
    if loss.ndim:
        return loss.sum() / counts[name]
    stream = name if name in counts else next(iter(counts))
    return loss * (len(batch[stream][0]) / counts[stream])


def _total(losses: Mapping[str, Tensor]) -> Tensor:
    first, *others = losses.values()
    return sum(others, start=first)


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
