"""Local workers: the items of a task over processes of this computer, in order."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import threading
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.compute.job import perform, read_finished
from quarkline.engine.compute.outcome import Done, Failed, Item, Outcome
from quarkline.engine.compute.threads import limit_this_process


@dataclass(frozen=True)
class LocalWorkers:
    """Runs tasks in `workers` processes of one thread each.

    The outcomes come in the order of the items, and a task sees the same conditions however many
    workers there are, so results do not depend on their number.

    Attributes:
        workers: Number of processes.
        device: "cpu" hides GPUs from the workers; "auto" and "cuda" let them see all.
    """

    workers: int = 1
    device: str = "auto"

    def map(
        self, task: str, items: Sequence[tuple[Item, Path]], *, retries: int = 0
    ) -> Iterator[Outcome]:
        """Run `task` on every item that is not finished yet.

        Args:
            task: Importable name `module:function`.
            items: Each item with the folder its files go to.
            retries: How often a failed item is tried again.
        """
        found = [read_finished(item, folder) for item, folder in items]
        waiting = [pair for pair, done in zip(items, found, strict=True) if done is None]
        fresh = self._run(task, waiting, retries)
        for done in found:
            yield done or next(fresh)

    def _run(
        self, task: str, items: Sequence[tuple[Item, Path]], retries: int
    ) -> Iterator[Outcome]:
        if not items:
            return
        with _pool(min(self.workers, len(items)), self.device) as pool:
            jobs = [
                (item, pool.submit(_attempts, task, item, folder, retries))
                for item, folder in items
            ]
            try:
                for item, job in jobs:
                    yield _outcome(item, job)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def failures(outcomes: Sequence[Outcome]) -> list[Failed]:
    """The items that failed."""
    return [outcome for outcome in outcomes if isinstance(outcome, Failed)]


def finished(outcomes: Sequence[Outcome]) -> list[Done]:
    """The items that have a value."""
    return [outcome for outcome in outcomes if isinstance(outcome, Done)]


def _pool(workers: int, device: str) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(device,),
    )


def _outcome(item: Item, job: Future[Done | Failed]) -> Outcome:
    try:
        return job.result()
    except BrokenProcessPool as error:
        reason = "a worker process died; the system may have been out of memory"
        return Failed(item.name, reason, str(error))


def _start_worker(device: str) -> None:
    limit_this_process(1)
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End a worker whose parent was killed, so that it cannot write beside the next attempt."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _attempts(task: str, item: Item, folder: Path, retries: int) -> Done | Failed:
    failure = Failed(item.name, "not tried", "")
    for _ in range(1 + retries):
        try:
            return perform(task, item, folder)
        except Exception as error:
            reason = "".join(traceback.format_exception_only(error)).strip()
            failure = Failed(item.name, reason, traceback.format_exc())
    return failure
