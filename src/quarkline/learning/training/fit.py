"""Fits a torch module to rows, so that a resumed fit equals an uninterrupted one bit by bit.

Nothing is drawn from global random state: the order of the batches is a pure function of
(seed, epoch), what a module draws, such as dropout, of (seed, step), and the learning rate of the
step and the history. So the state after any step is all that a continuation needs.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lightning.fabric import Fabric
from torch import nn

from quarkline.engine.compute.threads import devices_of_this_process
from quarkline.engine.core.findings import (
    QuarklineError,
)
from quarkline.engine.core.results import canonical_json
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.devices import new_fabric
from quarkline.learning.training.epochs import Job, Report, ReportError, Training, Watch
from quarkline.learning.training.finder import scan_rates
from quarkline.learning.training.history import History
from quarkline.learning.training.memory import memory_told, rows_that_fit
from quarkline.learning.training.rows import Given, streams_of
from quarkline.learning.training.scan import LearningRateScan
from quarkline.learning.training.state import CHECKPOINT, new_state
from quarkline.learning.training.task import RowLoss, Task
from quarkline.learning.training.warm_start import Warmed

SAVED_SECONDS = 60.0
"""Most seconds of training that a kill costs."""


@dataclass(frozen=True)
class FitResult:
    """What a fit found out.

    Attributes:
        history: Metrics of each epoch.
        learning_rates: How the learning rate was found, if the config asked for it.
        warm_start: What was taken over from another training, if anything was.
        second_phase: What a second phase found out, if there was one.
    """

    history: History
    learning_rates: LearningRateScan | None = None
    warm_start: Warmed | None = None
    second_phase: FitResult | None = None


def fit(
    module: nn.Module,
    train: Given | Mapping[str, Given],
    validation: Given | Mapping[str, Given],
    config: FitConfig,
    *,
    task: Task | None = None,
    seed: int,
    folder: Path | None = None,
    devices: int | None = None,
    report: Report | None = None,
    watch: Watch | None = None,
    start: Path | None = None,
    keep_state: bool = False,
    save_seconds: float = SAVED_SECONDS,
) -> FitResult:
    """Minimise the mean loss of rows, and load the weights of the best epoch.

    Computes on a GPU where this process sees one.

    Args:
        module: What is fitted; it holds the averaged weights of the best epoch afterwards, on the
            CPU.
        train: Tensors of equal length, which the task's losses take, or another source of rows;
            or such by the name of their stream, the main one among them.
        validation: The same for held-out rows, which pick the best epoch and decide when to stop.
        config: How to fit.
        task: What is learned; by default the module puts out the losses of rows itself.
        seed: Seed of the batches' order and of what the module draws.
        folder: Where `metrics.csv` grows and the state is kept, after every epoch and every
            `save_seconds`; a state found there is continued. None keeps nothing, for fits of a
            second or two.
        devices: GPUs, or processes on a computer without, that share each batch; by default as
            many as `compute.devices` gives.
        report: Told of every epoch's metrics; with several devices it goes to another process.
        watch: Looks at each epoch.
        start: A state that an earlier training kept: this one begins where that one ended, with
            its history, and goes on for `epochs` more, of which the schedule is.
        keep_state: Leave the state in the folder at the end, so that fitting again costs nothing.
        save_seconds: Most seconds between two states.

    Returns:
        The metrics of all epochs, and how the learning rate was found.

    Raises:
        WorkError: If a loss is not finite, or memory runs out.
        InputError: If the folder holds another training's state, `start` cannot be continued here,
            or `monitor` is no metric.
    """
    devices = devices or devices_of_this_process()
    sides = streams_of(train), streams_of(validation)
    counts = [{name: len(source) for name, source in streams.items()} for streams in sides]
    identity = canonical_json([config.model_dump(), seed, *counts])
    job = Job(
        module,
        *sides,
        config,
        task or RowLoss(),
        seed,
        identity,
        folder,
        report,
        save_seconds,
        watch,
        start,
    )
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        if devices > 1:
            if folder is None:
                folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
                job = replace(job, folder=folder)
            _fit_together(job, devices)
            job = replace(job, report=None, watch=None)
        result = _fit(new_fabric(config.precision), job)
        if folder and not keep_state:
            (folder / CHECKPOINT).unlink(missing_ok=True)
    return result


def _fit_together(job: Job, devices: int) -> None:
    """Fit in several processes; their last state stays in the folder."""
    fabric = new_fabric(job.config.precision, devices=devices)
    error = fabric.launch(partial(_fit_beside, job=job))
    if error is not None:
        raise error


def _fit_beside(fabric: Fabric, job: Job) -> Exception | None:
    """In one of several processes: fit, and hand over what the caller has to hear of."""
    own = copy.deepcopy(job.module)  # what came here shares its memory with the other processes
    try:
        _fit(fabric, replace(job, module=own))
    except (QuarklineError, ReportError) as error:
        return error.args[0] if isinstance(error, ReportError) else error
    return None


def _fit(fabric: Fabric, job: Job) -> FitResult:
    """Fit from the start or from the state in the folder, and load the best weights."""
    state = new_state(fabric, job.module, job.task, job.config, job.identity)
    training = Training(job, state)
    if job.checkpoint and job.checkpoint.exists():
        state.load(job.checkpoint)
    else:
        _begin(training, job)
    with memory_told():
        training.run()
    job.module.load_state_dict(state.best)
    job.module.to("cpu").eval()
    return FitResult(state.history, state.scan)


def _begin(training: Training, job: Job) -> None:
    """Go to where the first step begins."""
    state = training.state
    if job.start:
        state.begin_from(job.start)
    state.rows_at_once = rows_that_fit(state, training.streams, job.mover)
    if not state.largest_rate:
        state.scan = scan_rates(state, training.streams, job.mover)
        state.largest_rate = getattr(state.scan, state.scan.chosen)
