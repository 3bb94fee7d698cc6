"""Batch jobs: the items of a task as job arrays, watched until all are over, in order."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.compute.batch.arrays import MOST_JOBS, JobArray, list_arrays, make_array
from quarkline.engine.compute.batch.config import HTCondorConfig, SlurmConfig
from quarkline.engine.compute.batch.registry import find_system
from quarkline.engine.compute.batch.standing import Standing, State, close_finished, survey
from quarkline.engine.compute.batch.systems import NoAnswerError, check_programs
from quarkline.engine.compute.job import VALUE, Pairs, in_order
from quarkline.engine.compute.order import Order
from quarkline.engine.compute.outcome import Done, Item, Outcome
from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.atomic import write_atomic

log = logging.getLogger(__name__)

ELSEWHERE = "submit-dir.json"
FIRST_PAUSE = 0.5


@dataclass(frozen=True)
class BatchJobs:
    """Runs tasks as jobs of a batch system.

    Nothing of it lives in this process only: killed and started again, it finds the jobs that
    still wait or run and goes on waiting for them.

    Attributes:
        config: The batch system, and what a job asks of it.
        folder: Where scripts, logs and records go.
        home: Where the records are looked for first; points to `folder` if that is elsewhere.
        device: "cpu" hides GPUs from the items.
        poll_seconds: Longest time between two questions to the batch system.
        settle_seconds: How long files may take to be seen here after their job has ended.
    """

    config: SlurmConfig | HTCondorConfig
    folder: Path
    home: Path
    device: str = "auto"
    poll_seconds: float = 15.0
    settle_seconds: float = 10.0

    def check(self) -> None:
        """See that the batch system's commands are on this computer.

        Raises:
            InputError: If one is missing.
        """
        check_programs(find_system(self.config.kind))

    def map(self, task: str, items: Pairs, *, retries: int = 0) -> Iterator[Outcome]:
        """Run `task` on every item that is not finished yet.

        Args:
            task: Importable name `module:function`.
            items: Each item with the folder its files go to.
            retries: How often an item that failed gets another job; one whose job was lost gets
                as many more as the config says.

        Raises:
            InputError: If the batch system's commands are not there.
            WorkError: If the batch system takes no jobs.
        """
        return in_order(items, lambda waiting: self._run(task, waiting, retries))

    def _run(self, task: str, items: Pairs, retries: int) -> Generator[Outcome]:
        if not items:
            return
        self.check()
        orders = [Order(task, item, folder, self.device) for item, folder in items]
        watch = _Watch(self, orders, retries)
        try:
            for item, folder in items:
                yield watch.wait(item, folder)
        except (KeyboardInterrupt, SystemExit):
            log.warning(
                "the jobs go on without this process; `quarkline jobs %s` shows and `--cancel` "
                "ends them",
                self.folder,
            )
            raise


def submit(
    orders: Sequence[Order], config: SlurmConfig | HTCondorConfig, folder: Path, *, home: Path
) -> list[JobArray]:
    """Give items to a batch system, as few arrays as its limits allow.

    Raises:
        WorkError: If it does not take them.
    """
    system = find_system(config.kind)
    if folder.absolute() != home.absolute():
        write_atomic(home / ELSEWHERE, pretty_json({"submit_dir": str(folder.absolute())}))
    size = MOST_JOBS * config.items_per_job
    arrays = []
    for start in range(0, len(orders), size):
        array = make_array(folder, orders[start : start + size], config, home=home)
        for name, text in system.script(array).items():
            write_atomic(array.folder / name, text)
        array.record_submission(system.submit(array))
        arrays.append(array)
    return arrays


class _Watch:
    """Items on their way through a batch system."""

    def __init__(self, jobs: BatchJobs, orders: Sequence[Order], retries: int) -> None:
        self.jobs = jobs
        self.system = find_system(jobs.config.kind)
        self.orders = {order.folder.absolute(): order for order in orders}
        self.tries_left = dict.fromkeys(self.orders, retries)
        self.jobs_left = dict.fromkeys(self.orders, jobs.config.retries)
        self.over: dict[Path, Standing] = {}
        self.gone_since: dict[Path, float] = {}
        self.arrays = [
            array
            for array in list_arrays(jobs.folder)
            if array.config.kind == jobs.config.kind
            and any(member.folder in self.orders for member in array.members)
        ]
        self.pause = FIRST_PAUSE
        self.unanswered = False
        self._begin()

    def wait(self, item: Item, folder: Path) -> Outcome:
        """Wait until an item is over."""
        key = folder.absolute()
        while key not in self.over:
            self._look()
            if key not in self.over:
                time.sleep(self.pause)
                self.pause = min(1.5 * self.pause, self.jobs.poll_seconds)
        standing = self.over[key]
        if standing.member.is_done:
            return Done(item.name, json.loads((folder / VALUE).read_text()), folder)
        return standing.failed

    def _begin(self) -> None:
        """Submit what no job of an earlier process does."""
        while (standings := self._standings()) is None:
            time.sleep(self.jobs.poll_seconds)
        for standing in standings.values():
            self._cancel_held(standing)
        self._submit(
            (
                folder
                for folder in self.orders
                if folder not in standings or not standings[folder].state.in_flight
            ),
            self.jobs.config,
        )

    def _look(self) -> None:
        """Find out what is over, and give what failed to new jobs while it has tries left."""
        standings = self._standings()
        if standings is None:
            return
        ended = [
            standing
            for folder in self.orders.keys() - self.over.keys()
            if self._has_ended(folder, standing := standings[folder])
        ]
        again = []
        for standing in ended:
            folder = standing.member.folder
            self._cancel_held(standing)
            if not standing.member.is_done and self._may_try_again(standing):
                log.warning("%s: %s; trying again", standing.member.name, standing.told)
                again.append(folder)
            else:
                self.over[folder] = standing
        alone = {"items_per_job": 1}  # what kills its job takes no other item with it
        self._submit(again, self.jobs.config.model_copy(update=alone))

    def _may_try_again(self, standing: Standing) -> bool:
        """Use up one of the item's tries; what the batch system lost has some of its own."""
        folder = standing.member.folder
        lost = standing.held or standing.state is not State.FAILED
        for left in (self.jobs_left, self.tries_left) if lost else (self.tries_left,):
            if left[folder] > 0:
                left[folder] -= 1
                return True
        return False

    def _cancel_held(self, standing: Standing) -> None:
        if standing.held:
            self.system.cancel(standing.array, [standing.member.job])

    def _has_ended(self, folder: Path, standing: Standing) -> bool:
        """Whether an item is over; one without a word is given time to be seen here."""
        if standing.state.in_flight:
            self.gone_since.pop(folder, None)
            return False
        if standing.member.is_done or standing.state is State.FAILED:
            return True
        since = self.gone_since.setdefault(folder, time.monotonic())
        return time.monotonic() - since >= self.jobs.settle_seconds

    def _standings(self) -> dict[Path, Standing] | None:
        """How far the items are; None while the batch system does not answer."""
        try:
            standings = survey(self.arrays, self.system)
        except NoAnswerError as error:
            if not self.unanswered:
                log.warning("%s does not answer, asking again: %s", self.jobs.config.kind, error)
            self.unanswered = True
            return None
        self.unanswered = False
        close_finished(self.arrays, standings)
        return standings

    def _submit(self, folders: Iterable[Path], config: SlurmConfig | HTCondorConfig) -> None:
        chosen = set(folders)
        orders = [order for folder, order in self.orders.items() if folder in chosen]
        for array in submit(orders, config, self.jobs.folder, home=self.jobs.home):
            jobs = f"{array.jobs} job" + "s" * (array.jobs > 1)
            log.warning("%s given to %s as %s: %s", jobs, config.kind, array.job_id, array.folder)
            self.arrays.append(array)
        for folder in chosen:
            self.gone_since.pop(folder, None)
        if chosen:
            self.pause = FIRST_PAUSE
