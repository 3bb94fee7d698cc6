"""Fits a torch module to rows, so that a resumed fit equals an uninterrupted one bit by bit.

Nothing is drawn from global random state: the order of the batches is a pure function of
(seed, epoch), so the state after an epoch is all that a continuation needs.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from quarkline.engine.core.rng import rng
from quarkline.engine.store.atomic import atomic_path

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class FitConfig:
    """How to fit.

    Attributes:
        batch_size: Rows in a batch.
        learning_rate: Adam's step size.
        average_decay: Decay of the exponential average of the weights; 0 for none.
        max_epochs: Most epochs.
        patience: Stop after so many epochs in which the validation loss fell by less than
            `least_gain` in all.
        least_gain: In nats.
        clip: Largest norm of a gradient.
    """

    batch_size: int
    learning_rate: float
    average_decay: float
    max_epochs: int
    patience: int
    least_gain: float = 1e-3
    clip: float = 1.0


@dataclass(frozen=True)
class History:
    """Losses per epoch.

    Attributes:
        train: Mean loss over the batches of an epoch, while the weights were moving.
        validation: Loss of the averaged weights on the held-out rows after the epoch.
    """

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)

    @property
    def best(self) -> int:
        """The epoch, from 0, with the lowest validation loss, whose averaged weights are kept."""
        return min(range(len(self.validation)), key=self.validation.__getitem__)

    def stale(self, least_gain: float) -> int:
        """Epochs since the validation loss last fell by `least_gain` below its earlier lows."""
        low, since = math.inf, 0
        for loss in self.validation:
            low, since = (loss, 0) if loss < low - least_gain else (low, since + 1)
        return since


def fit(
    module: nn.Module,
    train: Sequence[Tensor],
    validation: Sequence[Tensor],
    config: FitConfig,
    *,
    seed: int,
    folder: Path | None = None,
) -> History:
    """Minimise the mean of `module(*rows)`, the losses of rows, and load the best weights.

    Computes on a GPU where this process sees one.

    Args:
        module: Maps a batch of rows to their losses, with shape (N,).
        train: Tensors of equal length, one an argument of the module.
        validation: The same for held-out rows, which decide when to stop.
        config: How to fit.
        seed: Seed of the batches' order.
        folder: Where the state is kept after every epoch; a state found there is continued.
            None keeps no state, for fits of a second or two.

    Returns:
        The losses. `module` holds the averaged weights of the best epoch, on the CPU.
    """
    fabric = Fabric(
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        devices=1,
        plugins=[LightningEnvironment()],  # a batch job of ours is one process, not one of Slurm's
    )
    state = _State(module, config, fabric)
    checkpoint = folder and folder / CHECKPOINT
    if checkpoint and checkpoint.exists():
        state.load(checkpoint)
    rows = [fabric.to_device(tensor) for tensor in train]
    held_out = [fabric.to_device(tensor) for tensor in validation]
    while not state.finished(config):
        state.train_epoch(rows, config, seed)
        state.validate(held_out)
        if checkpoint:
            state.save(checkpoint)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    module.load_state_dict(state.best)
    module.to("cpu").eval()
    return state.history


class _State:
    """Everything a continuation needs: weights, their average, optimiser, losses."""

    def __init__(self, module: nn.Module, config: FitConfig, fabric: Fabric) -> None:
        self.fabric = fabric
        optimiser = torch.optim.Adam(module.parameters(), lr=config.learning_rate)
        self.module, self.optimiser = fabric.setup(module, optimiser)
        self.average = AveragedModel(self.module.module, multi_avg_fn=_averaging(config))
        self.best: dict[str, Any] = _copied(module)
        self.history = History()

    @property
    def epoch(self) -> int:
        return len(self.history.validation)

    def finished(self, config: FitConfig) -> bool:
        stale = self.history.stale(config.least_gain)
        return self.epoch >= config.max_epochs or stale >= config.patience

    def train_epoch(self, rows: Sequence[Tensor], config: FitConfig, seed: int) -> None:
        self.module.train()
        count = len(rows[0])
        order = torch.from_numpy(rng(seed, "batches", self.epoch).permutation(count))
        total = torch.zeros((), device=self.fabric.device)
        for indices in torch.split(order.to(self.fabric.device), config.batch_size):
            loss = self.module(*(tensor[indices] for tensor in rows)).mean()
            self.optimiser.zero_grad()
            self.fabric.backward(loss)
            nn.utils.clip_grad_norm_(self.module.parameters(), config.clip)
            self.optimiser.step()
            self.average.update_parameters(self.module.module)
            total += loss.detach() * len(indices)
        self.history.train.append(float(total) / count)

    @torch.no_grad()
    def validate(self, rows: Sequence[Tensor]) -> None:
        self.average.eval()
        loss = float(self.average(*rows).mean())
        self.history.validation.append(loss)
        if self.history.best == self.epoch - 1:
            self.best = _copied(self.average.module)

    def save(self, path: Path) -> None:
        state = {
            "module": self.module.module.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "best": self.best,
            "train": self.history.train,
            "validation": self.history.validation,
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: Path) -> None:
        state = torch.load(path, map_location=self.fabric.device, weights_only=True)
        self.module.module.load_state_dict(state["module"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.best = state["best"]
        self.history = History(state["train"], state["validation"])


def _copied(module: nn.Module) -> dict[str, Any]:
    return copy.deepcopy({name: value.cpu() for name, value in module.state_dict().items()})


def _averaging(config: FitConfig) -> Any:
    """An exponential average whose first steps weigh more, so that the start is forgotten."""

    @torch.no_grad()
    def update(averages: Any, values: Any, count: Tensor | int) -> None:
        steps = float(count)
        decay = min(config.average_decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(averages, values, 1 - decay)

    return update
