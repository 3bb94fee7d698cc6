"""Finds a learning rate: one batch at each of many rates, from small to large."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from torch import Tensor, nn

from quarkline.engine.core.findings import Rule, WorkError
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.devices import new_fabric, summed
from quarkline.learning.training.rows import MAIN, Given, Streams, near, streams_of
from quarkline.learning.training.scan import LearningRateScan, running_mean, steepest_descent
from quarkline.learning.training.state import State, new_state
from quarkline.learning.training.steps import Mover, own_noise
from quarkline.learning.training.task import RowLoss, Task

NO_DESCENT = Rule(
    "QL-TRAIN-013",
    "some learning rate lowers the loss",
    "The finder tries one batch at each of many rates and takes the one where the loss falls "
    "fastest, or is lowest. Where the loss only rises there is none to take.",
)


def find_learning_rate(
    module: nn.Module,
    train: Given | Mapping[str, Given],
    config: FitConfig,
    *,
    task: Task | None = None,
    seed: int,
) -> LearningRateScan:
    """Scan learning rates; the module is left exactly as it was.

    One optimiser whose rate grows from batch to batch, as in a training with a rising rate.

    Args:
        module: What would be fitted.
        train: Tensors of equal length, which the task's losses take, or rows by stream.
        config: How it would be fitted; `config.find` says which rates.
        task: What is learned; by default the module puts out the losses of rows itself.
        seed: Seed of the batches' order and of what the module draws.

    Raises:
        WorkError: If no rate lowers the loss.

    References:
        Smith, Cyclical learning rates for training neural networks, arXiv:1506.01186.
    """
    task = task or RowLoss()
    state = new_state(new_fabric(config.precision), module, task, config, "scan")
    scan = scan_rates(state, near(streams_of(train), state.fabric), Mover(task, config, seed))
    module.to("cpu")
    return scan


def scan_rates(state: State, streams: Streams, mover: Mover) -> LearningRateScan:
    """Scan learning rates from a state, which is left exactly as it was."""
    find = mover.config.find
    rates = np.geomspace(find.lowest, find.highest, find.points)
    with state.restored(), own_noise(state.fabric.device):
        losses = _losses(state, streams, mover, rates.tolist())
    rates = rates[: len(losses)]
    smoothed = running_mean(losses, find.smoothing)
    if not np.argmin(smoothed):
        raise WorkError(
            NO_DESCENT.finding(
                f"no learning rate from {find.lowest:.3g} to {rates[-1]:.3g} lowers the loss",
                suggestion="set `learning_rate:` to a number, or widen `find:`",
            )
        )
    return LearningRateScan(
        tuple(rates.tolist()),
        tuple(losses),
        tuple(smoothed.tolist()),
        float(rates[steepest_descent(rates, smoothed)]),
        float(rates[np.argmin(smoothed)]),
        find.choose,
    )


def _losses(state: State, streams: Streams, mover: Mover, rates: Sequence[float]) -> list[float]:
    """The loss of one batch before the step of each rate, until it diverges."""
    state.wrapped.train()
    limit, losses = math.inf, list[float]()
    for number, (rate, batch) in enumerate(zip(rates, _batches(streams, mover), strict=False)):
        moved = mover.move(state, streams, batch, rate, f"find-{number}")
        loss = float(summed(state.fabric, moved.loss))
        if not math.isfinite(loss) or loss > limit:
            break
        losses.append(loss)
        limit = losses[0] + (mover.config.find.diverged - 1) * abs(losses[0])
    return losses


def _batches(streams: Streams, mover: Mover) -> Iterator[Mapping[str, Tensor]]:
    """Whole batches without end, in an order of their own in each pass."""
    batches = mover.batches(streams, "find")
    whole = max(batches.counts[MAIN] // mover.rows, 1)
    for number in itertools.count():
        yield from itertools.islice(batches.epoch(number), whole)
