"""The epochs of a training: steps, metrics, the best weights, and states to continue from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quarkline.engine.core.findings import InputError, Rule, WorkError, did_you_mean
from quarkline.learning.training.average import copied
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.devices import gathered, summed
from quarkline.learning.training.history import LOSS, METRICS, write_metrics
from quarkline.learning.training.rows import (
    MAIN,
    RowSource,
    Streams,
    near,
)
from quarkline.learning.training.schedules import learning_rate
from quarkline.learning.training.state import CHECKPOINT, Position, State
from quarkline.learning.training.steps import TRAINING, Moved, Mover, loss_names, own_noise
from quarkline.learning.training.task import Task

CHECKED_STEPS = 50
"""Steps between looks at the loss, each of which makes a GPU wait."""

NOT_FINITE = Rule(
    "QL-TRAIN-010",
    "losses are finite",
    "A loss became NaN or infinite, and the weights with it. That is a step too large, inputs that "
    "are not finite, or numbers beyond what half precision holds.",
)
UNKNOWN_METRIC = Rule(
    "QL-TRAIN-012",
    "`monitor` names a metric of the training",
    "The best epoch is picked, and a training ended, by one of the columns of its `metrics.csv`.",
)

Report = Callable[[int, Mapping[str, float]], None]
"""Called after each epoch with its number, from 1, and its metrics; what it raises ends the fit."""


class Watch(Protocol):
    """What looks at each epoch, such as for histograms of what the module puts out."""

    def epoch(
        self,
        number: int,
        module: nn.Module,
        outputs: Mapping[str, NDArray[Any]],
        metrics: Mapping[str, float],
    ) -> None:
        """Look at an epoch; a kill may let it see the same one again.

        Args:
            number: The epoch, from 1.
            module: With the weights after it, averaged if the config says so.
            outputs: The task's outputs of all held-out rows, by stream.
            metrics: Of the epoch.
        """


class ReportError(Exception):
    """Carries what a report or a watch raised from one process to all."""


@dataclass(frozen=True)
class Job:
    """The arguments of a fit, as they go to each of several processes."""

    module: nn.Module
    train: Streams
    validation: Streams
    config: FitConfig
    task: Task
    seed: int
    identity: str
    folder: Path | None
    report: Report | None
    save_seconds: float
    watch: Watch | None = None
    start: Path | None = None

    @property
    def checkpoint(self) -> Path | None:
        """Where the state is kept."""
        return self.folder and self.folder / CHECKPOINT

    @property
    def mover(self) -> Mover:
        """What makes the steps."""
        return Mover(self.task, self.config, self.seed)


class Training:
    """Epochs of a training."""

    def __init__(self, job: Job, state: State) -> None:
        self.job, self.state, self.mover = job, state, job.mover
        self.streams = near(job.train, state.fabric)
        self.held_out = near(job.validation, state.fabric)
        self.batches = self.mover.batches(self.streams)
        self.steps = self.batches.number
        self.named = loss_names(job.task)
        self.saved = time.monotonic()

    def run(self) -> None:
        """Train until the end that the config asks for."""
        if not self.state.history.epochs:
            self._check_monitor()
        self._write_metrics()
        while not self._finished():
            with own_noise(self.state.fabric.device):
                rate = self._train_epoch()
            self._end_epoch(rate)

    def _check_monitor(self) -> None:
        """Refuse to train for a metric that is not there."""
        name = self.state.history.monitor
        known = [TRAINING, LOSS, "learning_rate", "gradient_norm", *self.named]
        if name not in known:
            known += self._measured(self._outputs())
        if name not in known:
            raise _unknown_metric(name, known)

    def _finished(self) -> bool:
        config, history = self.job.config, self.state.history
        if len(history) >= self.state.begun + config.epochs:
            return True
        stale = min(history.stale(config.least_gain), len(history) - self.state.begun)
        return config.patience is not None and stale >= config.patience

    def _train_epoch(self) -> float:
        """Make the epoch's steps that are left; the learning rate of the last one."""
        state, position = self.state, self.state.position
        state.wrapped.train()
        recent: list[Tensor] = []
        losses = state.history.monitored
        for batch in self.batches.epoch(position.epoch, position.step):
            rate = self._rate(position, losses)
            moved = self.mover.move(state, self.streams, batch, rate, str(position.steps))
            state.average.update()
            position.add(moved.loss, moved.norm, self._named(moved), len(batch[MAIN]))
            recent.append(moved.loss)
            last = position.step == self.steps  # the epoch's end saves more than the weights
            due = not last and time.monotonic() - self.saved > self.job.save_seconds
            if due or last or len(recent) == CHECKED_STEPS:
                self._check(recent, rate)
            if due:
                self._save()
        return rate

    def _named(self, moved: Moved) -> Mapping[str, Tensor]:
        """The losses that are followed beside the training loss."""
        return {name: moved.parts[name] for name in self.named}

    def _rate(self, position: Position, losses: Sequence[float]) -> float:
        config = self.job.config
        return learning_rate(
            self.state.largest_rate,
            config.schedule,
            step=(position.epoch - self.state.begun) * self.steps + position.step,
            steps=config.epochs * self.steps,
            warm_up=round(config.warm_up * self.steps),
            losses=losses,
        )

    def _check(self, recent: list[Tensor], rate: float) -> None:
        """Refuse to go on with a loss that is no number."""
        fabric, position = self.state.fabric, self.state.position
        losses = summed(fabric, torch.stack(recent))
        bad = (~torch.isfinite(losses)).nonzero()
        if len(bad):
            step = position.step - len(recent) + int(bad[0]) + 1
            raise _not_finite("training", position.epoch + 1, step, rate)
        recent.clear()

    def _end_epoch(self, rate: float) -> None:
        """Measure, keep the best weights, save and tell."""
        state, position = self.state, self.state.position
        loss = float(summed(state.fabric, position.loss))
        metrics = {TRAINING: loss / self.batches.counts[MAIN]}
        outputs = self._outputs()
        measured = self._measured(outputs)
        metrics[LOSS] = measured.pop(LOSS)
        metrics |= {"learning_rate": rate, "gradient_norm": float(position.norm) / self.steps}
        for name in self.named:
            whole = float(summed(state.fabric, position.parts[name]))
            metrics[name] = whole / self.batches.counts[MAIN]
        metrics |= measured
        if not math.isfinite(metrics[LOSS]):
            raise _not_finite("validation", position.epoch + 1, position.step, rate)
        state.history.epochs.append(metrics)
        position.next_epoch()
        if state.history.best == position.epoch - 1:
            state.best = copied(state.average.module)
        self._write_metrics()
        self._tell(
            outputs, metrics
        )  # before the epoch counts as done: a kill repeats it, and loses nothing
        self._save()

    @torch.no_grad()
    def _outputs(self) -> dict[str, Tensor]:
        """Outputs of the averaged weights on the held-out rows of each stream, on the CPU."""
        self.state.average.module.eval()
        return {name: self._outputs_of(name, source) for name, source in self.held_out.items()}

    def _outputs_of(self, stream: str, source: RowSource) -> Tensor:
        """Outputs of a stream's held-out rows, which several processes share."""
        fabric, task, module = self.state.fabric, self.job.task, self.state.average.module
        indices = torch.arange(len(source))
        mine = indices.tensor_split(fabric.world_size)[fabric.global_rank]
        batches = torch.split(mine, task.rows_at_once or max(len(mine), 1))
        parts = [task.outputs(module, stream, source.take(rows)) for rows in batches]
        return gathered(fabric, torch.cat(parts), len(indices)).cpu()

    def _measured(self, outputs: Mapping[str, Tensor]) -> dict[str, float]:
        """Metrics of all held-out rows."""
        known = {name: source.known for name, source in self.held_out.items()}
        return self.job.task.measure(outputs, known)

    def _save(self) -> None:
        if self.job.checkpoint:
            self.state.save(self.job.checkpoint)
        self.saved = time.monotonic()

    def _write_metrics(self) -> None:
        if self.job.folder and self.state.fabric.is_global_zero:
            write_metrics(self.job.folder / METRICS, self.state.history)

    def _tell(self, outputs: Mapping[str, Tensor], metrics: Mapping[str, float]) -> None:
        """Let watch and report see the epoch, in the first process; what they raise ends all."""
        fabric = self.state.fabric
        if fabric.world_size == 1:
            self._see(outputs, metrics)
            return
        error: Exception | None = None
        if fabric.is_global_zero:
            try:
                self._see(outputs, metrics)
            except Exception as raised:
                error = raised
        if error := fabric.broadcast(error):
            raise ReportError(error)

    def _see(self, outputs: Mapping[str, Tensor], metrics: Mapping[str, float]) -> None:
        job, number = self.job, len(self.state.history)
        if job.watch:
            arrays = {name: tensor.numpy() for name, tensor in outputs.items()}
            job.watch.epoch(number, self.state.average.module, arrays, metrics)
        if job.report:
            job.report(number, metrics)


def _not_finite(what: str, epoch: int, step: int, rate: float) -> WorkError:
    return WorkError(
        NOT_FINITE.finding(
            f"the {what} loss is not finite at epoch {epoch}, step {step}, "
            f"learning rate {rate:.3g}",
            suggestion="try a smaller `learning_rate` or `learning_rate: find`, a `warm_up`, a "
            "smaller `clip`, `precision: 32`; `quarkline doctor` finds NaN and infinities",
            evidence={"epoch": epoch, "step": step, "learning_rate": rate},
        )
    )


def _unknown_metric(name: str, metrics: Sequence[str]) -> InputError:
    return InputError(
        UNKNOWN_METRIC.finding(
            f"`monitor: {name}` is no metric of this training",
            suggestion=did_you_mean(name, metrics, what="metrics"),
        )
    )
