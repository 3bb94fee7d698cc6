"""Local workers: the items of a task over processes of this computer, in order."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import queue
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.util import Finalize
from pathlib import Path
from typing import cast

from quarkline.engine.compute.job import attempt, in_order
from quarkline.engine.compute.outcome import Done, Failed, Item, Outcome
from quarkline.engine.compute.threads import prepare_this_process
from quarkline.engine.core.findings import Rule, WorkError

NO_WORKER = Rule(
    "QL-RUN-008",
    "worker processes can start",
    "Quarkline works in processes of its own. One of them ended before it could take any work; its "
    'own message stands above. A script that runs a study needs `if __name__ == "__main__":`.',
)
GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class LocalWorkers:
    """Runs tasks in `workers` processes of one thread each.

    The outcomes come in the order of the items, and a task sees the same conditions however many
    workers there are, so results do not depend on their number.

    Workers that are idle when a task is finished wait for the next one, as starting a process
    takes longer than most items; they end with this object.

    Attributes:
        workers: Number of processes.
        device: "cpu" hides GPUs from the workers; "auto" and "cuda" let them see all.
    """

    workers: int = 1
    device: str = "auto"
    _idle: list[_Worker] = field(default_factory=list, init=False, repr=False, compare=False)
    _busy: list[_Worker] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        Finalize(self, _dismiss, args=(self._idle,), exitpriority=0)

    def check(self) -> None:
        """This computer is always there."""

    def stop(self) -> None:
        """End the processes at work: what they are doing fails, for callers in other threads."""
        _stop(list(self._busy))

    def map(
        self, task: str, items: Sequence[tuple[Item, Path]], *, retries: int = 0
    ) -> Iterator[Outcome]:
        """Run `task` on every item that is not finished yet.

        Args:
            task: Importable name `module:function`.
            items: Each item with the folder its files go to.
            retries: How often a failed item is tried again.
        """
        return in_order(items, lambda waiting: self._run(task, waiting, retries))

    def _run(
        self, task: str, items: Sequence[tuple[Item, Path]], retries: int
    ) -> Generator[Outcome]:
        if not items:
            return
        number = min(self.workers, len(items))
        crew = [self._idle.pop() if self._idle else _Worker(self.device) for _ in range(number)]
        self._busy.extend(crew)
        idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in crew:
            idle.put(worker)
        with ThreadPoolExecutor(len(crew)) as threads:
            jobs = [
                threads.submit(_attempts, idle, task, item, folder, retries)
                for item, folder in items
            ]
            try:
                for job in jobs:
                    yield job.result()
            finally:
                well = all(job.done() and job.exception() is None for job in jobs)
                threads.shutdown(wait=False, cancel_futures=True)
                if well:
                    self._idle.extend(crew)
                else:
                    _stop(crew)
                for worker in crew:
                    self._busy.remove(worker)


def failures(outcomes: Sequence[Outcome]) -> list[Failed]:
    """The items that failed."""
    return [outcome for outcome in outcomes if isinstance(outcome, Failed)]


def finished(outcomes: Sequence[Outcome]) -> list[Done]:
    """The items that have a value."""
    return [outcome for outcome in outcomes if isinstance(outcome, Done)]


def _stop(crew: list[_Worker]) -> None:
    for worker in crew:
        worker.end()
    for worker in crew:
        worker.join()


def _dismiss(idle: list[_Worker]) -> None:
    for worker in idle:
        worker.kill()


def _attempts(
    idle: queue.SimpleQueue[_Worker], task: str, item: Item, folder: Path, retries: int
) -> Done | Failed:
    worker = idle.get()
    try:
        outcome = worker.attempt(task, item, folder)
        while isinstance(outcome, Failed) and retries > 0:
            retries -= 1
            outcome = worker.attempt(task, item, folder)
        return outcome
    finally:
        idle.put(worker)


class _Worker:
    """One process at a time, which does one item after another and is replaced when it dies."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.ended = False
        self.changing = threading.Lock()
        self.process: SpawnProcess | None = None
        self.pipe: Connection

    def attempt(self, task: str, item: Item, folder: Path) -> Done | Failed:
        """Try an item once in the worker's process.

        Raises:
            WorkError: If no process can be started.
        """
        process = self._ready()
        if process is None:
            return Failed(item.name, "the run was stopped", "")
        try:
            self.pipe.send((task, item, folder))
            return cast("Done | Failed", self.pipe.recv())
        except (EOFError, OSError):
            process.join()
            return Failed(item.name, f"its process {_ending(process.exitcode)}", "")

    def end(self) -> None:
        """Ask the process to end, idle or not, and start no other."""
        with self.changing:
            self.ended = True
            if self.process is not None:
                self.process.terminate()

    def join(self) -> None:
        """Wait for the process to end; one that does not answer is killed."""
        if self.process is not None:
            self.process.join(GRACE_SECONDS)
            self.kill()

    def kill(self) -> None:
        """End the process at once, as an idle one has nothing to give back."""
        if self.process is not None:
            self.process.kill()
            self.process.join()

    def _ready(self) -> SpawnProcess | None:
        with self.changing:
            if self.ended or (self.process is not None and self.process.is_alive()):
                return None if self.ended else self.process
            context = multiprocessing.get_context("spawn")
            self.pipe, theirs = context.Pipe()
            self.process = context.Process(target=_work, args=(theirs, self.device))
            self.process.start()
            theirs.close()
        try:
            self.pipe.recv()
        except EOFError as error:
            self.process.join()
            if self.ended:
                return None
            message = f"a worker process {_ending(self.process.exitcode)} as it started"
            raise WorkError(NO_WORKER.finding(message)) from error
        return self.process


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        hint = "; the system may have been out of memory" if -code == signal.SIGKILL else ""
        return f"was ended by {signal.Signals(-code).name}{hint}"
    return f"ended with code {code}"


def _work(pipe: Connection, device: str) -> None:
    """What a worker process does: items, one after another, until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # gives locks back on its way out
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(2, 1)  # standard output belongs to the command's result
    prepare_this_process(device)
    pipe.send("ready")
    while True:
        task, item, folder = pipe.recv()
        pipe.send(attempt(task, item, folder))


def _end_with_parent() -> None:
    """End a worker whose parent was killed, so that it cannot write beside the next attempt."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
