"""Everything a continued training needs, in one file that loads as weights only."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from lightning.fabric import Fabric
from lightning.fabric.wrappers import _FabricModule
from torch import Tensor, nn
from torch.optim import Optimizer

from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.store.atomic import atomic_path
from quarkline.learning.training.average import RunningAverage, copied
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.history import History
from quarkline.learning.training.optimisers import new_optimiser
from quarkline.learning.training.scan import LearningRateScan
from quarkline.learning.training.task import Task

CHECKPOINT = "checkpoint.pt"

OTHER_TRAINING = Rule(
    "QL-TRAIN-011",
    "a checkpoint continues the training that wrote it",
    "A training writes its state into its own folder and is continued from there. A state of "
    "another config, seed or number of events is refused; to start from its weights alone, name "
    "it as a warm start.",
)
NOT_CONTINUED = Rule(
    "QL-TRAIN-031",
    "a training is continued with a module and optimisers of equal shape",
    "A training that begins where an earlier one ended takes over its weights, the state of its "
    "optimisers and its history. The network, the adversary and the optimiser must be the same.",
)


@dataclass
class Position:
    """How far a training is.

    Attributes:
        epoch: Whole epochs so far.
        step: Steps so far in the current epoch.
        steps: Steps so far in all epochs.
        loss: Sum over the current epoch's rows of their losses.
        norm: Sum over the current epoch's steps of the gradient's norm before clipping.
        parts: Sums over the current epoch's rows of named losses.
    """

    epoch: int
    step: int
    steps: int
    loss: Tensor
    norm: Tensor
    parts: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def start(cls, device: torch.device) -> Position:
        """Before the first step."""
        return cls(0, 0, 0, torch.zeros((), device=device), torch.zeros((), device=device))

    def add(self, loss: Tensor, norm: Tensor, parts: Mapping[str, Tensor], rows: int) -> None:
        """Count a step on so many rows; a step that a scaler skips has no finite norm."""
        self.loss += loss * rows
        self.norm += torch.nan_to_num(norm, posinf=0.0)
        for name, part in parts.items():
            self.parts[name] = self.parts.get(name, 0.0) + part * rows
        self.step += 1
        self.steps += 1

    def next_epoch(self) -> None:
        """Go to the first step of the next epoch."""
        self.epoch, self.step = self.epoch + 1, 0
        self.loss, self.norm = torch.zeros_like(self.loss), torch.zeros_like(self.norm)
        self.parts = {}


@dataclass
class State:
    """A training at one moment.

    Attributes:
        fabric: Where it computes.
        module: The module itself.
        wrapped: The module as the steps call it: compiled, and one of several processes.
        optimisers: One for each part of the module that a task names.
        average: The running average of the weights.
        best: Weights of the best epoch so far.
        history: Metrics of the epochs so far.
        position: How far the training is.
        identity: What makes it another training if it differs.
        largest_rate: The learning rate that schedules take shares of.
        begun: Epochs of the earlier training that this one continues.
        rows_at_once: Rows of the main stream that memory was found to hold; None for a batch.
        scan: How the learning rate was found, if it was.
    """

    fabric: Fabric
    module: nn.Module
    wrapped: _FabricModule
    optimisers: Mapping[str, Optimizer]
    average: RunningAverage
    best: dict[str, Tensor]
    history: History
    position: Position
    identity: str
    largest_rate: float
    begun: int = 0
    rows_at_once: int | None = None
    scan: LearningRateScan | None = field(default=None)

    def save(self, path: Path) -> None:
        """Write the state; only the first of several processes does."""
        if not self.fabric.is_global_zero:
            return
        state = {
            "identity": self.identity,
            "module": self.module.state_dict(),
            "average": self.average.state(),
            "optimisers": {name: item.state_dict() for name, item in self.optimisers.items()},
            "precision": self.fabric.strategy.precision.state_dict(),
            "best": self.best,
            "epochs": self.history.epochs,
            "position": vars(self.position),
            "largest_rate": self.largest_rate,
            "begun": self.begun,
            "monitor": self.history.monitor,
            "rows_at_once": self.rows_at_once,
            "scan": self.scan and vars(self.scan),
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: Path) -> None:
        """Continue from what `save` wrote.

        Raises:
            InputError: If another training wrote it.
        """
        state = self._read(path)
        if state["identity"] != self.identity:
            raise InputError(
                OTHER_TRAINING.finding(
                    f"{path} is the state of another training",
                    suggestion="train in an empty folder",
                    evidence={"found": state["identity"], "expected": self.identity},
                )
            )
        self._take(state)
        self.begun, self.rows_at_once = state["begun"], state["rows_at_once"]

    def begin_from(self, path: Path) -> None:
        """Begin where an earlier training ended, whose learning rate may have been another.

        Raises:
            InputError: If there is none, it is of another shape, or it ended within an epoch.
        """
        try:
            state = self._read(path)
            largest = self.largest_rate or state["largest_rate"]
            _check_ended(state, self.history.monitor)
            self._take(state)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise InputError(
                NOT_CONTINUED.finding(
                    f"{path} is no state of a training that can be continued here: {error}",
                    suggestion="continue it with the config of its run, but for the epochs",
                )
            ) from error
        self.largest_rate, self.begun = largest, len(self.history)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Put weights, optimisers and the scaling of gradients back as they were."""
        precision = self.fabric.strategy.precision
        optimisers = {name: item.state_dict() for name, item in self.optimisers.items()}
        kept = copy.deepcopy((self.module.state_dict(), optimisers, precision.state_dict()))
        yield
        self.module.load_state_dict(kept[0])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(kept[1][name])
        precision.load_state_dict(kept[2])
        self.module.zero_grad()

    def _read(self, path: Path) -> dict[str, Any]:
        state: dict[str, Any] = torch.load(path, map_location=self.fabric.device, weights_only=True)
        return state

    def _take(self, state: Mapping[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        self.average.load(state["average"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        self.best = {name: value.cpu() for name, value in state["best"].items()}
        self.history.epochs[:] = state["epochs"]
        self.position = Position(**state["position"])
        self.largest_rate = state["largest_rate"]
        self.scan = state["scan"] and LearningRateScan(**state["scan"])


def _check_ended(state: Mapping[str, Any], monitor: str) -> None:
    """Refuse a state within an epoch, or whose best epoch is that of another metric."""
    if state["position"]["step"]:
        msg = f"it was killed in epoch {state['position']['epoch'] + 1}, so run that training first"
        raise ValueError(msg)
    if state["monitor"] != monitor:
        msg = f"its best epoch is that by `{state['monitor']}`, not by `{monitor}`"
        raise ValueError(msg)


def new_state(
    fabric: Fabric, module: nn.Module, task: Task, config: FitConfig, identity: str
) -> State:
    """The state before the first step."""
    parts = list(dict.fromkeys(step.part for step in task.steps))
    best = copied(module)
    compiled = cast("nn.Module", torch.compile(module)) if config.compile else module
    made = [_optimiser(module.get_submodule(part), task, config) for part in parts]
    wrapped = fabric.setup_module(compiled)
    found: Any = fabric.setup_optimizers(*made)
    optimisers = found if isinstance(found, Sequence) else (found,)
    return State(
        fabric=fabric,
        module=module,
        wrapped=wrapped,
        optimisers=dict(zip(parts, optimisers, strict=True)),
        average=RunningAverage(module, config.average_decay),
        best=best,
        history=History(config.monitor),
        position=Position.start(fabric.device),
        identity=identity,
        largest_rate=0.0 if config.learning_rate == "find" else config.learning_rate,
    )


def _optimiser(part: nn.Module, task: Task, config: FitConfig) -> Optimizer:
    """The optimiser of a part; it decays matrices but no biases, norms or embeddings."""
    return new_optimiser(_groups(part, config.weight_decay), task, config)


def _groups(part: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weights that are decayed, and those that are not."""
    weights = list(part.parameters())
    if not decay:
        return [{"params": weights, "weight_decay": 0.0}]
    embeddings = {id(item.weight) for item in part.modules() if isinstance(item, nn.Embedding)}
    decayed = [item for item in weights if item.ndim > 1 and id(item) not in embeddings]
    chosen = {id(item) for item in decayed}
    others = [item for item in weights if id(item) not in chosen]
    groups = [
        {"params": decayed, "weight_decay": decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
