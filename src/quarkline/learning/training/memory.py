"""How many rows go through a module together before a GPU's memory is full."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from quarkline.engine.core.findings import Rule, WorkError
from quarkline.learning.training.rows import MAIN, Streams
from quarkline.learning.training.state import State
from quarkline.learning.training.steps import Mover, own_noise

OUT_OF_MEMORY = Rule(
    "QL-TRAIN-032",
    "a batch goes through a GPU in pieces that fit",
    "Before its first step a training on one GPU tries a batch, and halves the rows that go "
    "through the module together until they fit; the gradients of the pieces are added up. With "
    "several GPUs, or where others take of the memory later, `rows_at_once` says how many.",
)


def rows_that_fit(state: State, streams: Streams, mover: Mover) -> int | None:
    """Rows of the main stream that fit on this process's GPU; None where there is nothing to try.

    Raises:
        WorkError: If one row is too much.
    """
    fabric = state.fabric
    if fabric.device.type != "cuda" or fabric.world_size > 1:
        return None
    return tried(state, streams, mover)


def tried(state: State, streams: Streams, mover: Mover) -> int:
    """Rows of the main stream with which a step fits; the state is left exactly as it was.

    Raises:
        WorkError: If one row is too much.
    """
    batch = next(mover.batches(streams).epoch(0))
    rows = min(len(batch[MAIN]), mover.rows_at_once(state))
    while not _fits(replace(state, rows_at_once=rows), streams, mover, batch):
        if rows == 1:
            raise out_of_memory("one row does not fit in the memory")
        rows = -(-rows // 2)
    return rows


def _fits(state: State, streams: Streams, mover: Mover, batch: dict[str, torch.Tensor]) -> bool:
    own = replace(mover, task=copy.deepcopy(mover.task))  # what a failed step leaves there is lost
    with state.restored(), own_noise(state.fabric.device):
        state.wrapped.train()
        try:
            own.move(state, streams, batch, 0.0, "memory")
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return False
    return True


@contextmanager
def memory_told() -> Iterator[None]:
    """Say what to type where memory runs out.

    Raises:
        WorkError: If it does.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise out_of_memory(str(error).partition("\n")[0]) from error


def out_of_memory(why: str) -> WorkError:
    """The finding of a training that memory is too small for."""
    return WorkError(
        OUT_OF_MEMORY.finding(
            f"the memory of the device is full: {why}",
            suggestion="set `rows_at_once:` to fewer rows than `batch_size`; or train a smaller "
            "network, or on a device with more memory",
        )
    )
