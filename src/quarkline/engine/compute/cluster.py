"""A Dask cluster: the items of a task over workers that other people started, in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quarkline.engine.compute.crew import NOT_SHARED, SHARING_SECONDS, Crew
from quarkline.engine.compute.job import VALUE, Pairs, in_order
from quarkline.engine.compute.order import Order
from quarkline.engine.compute.outcome import Done, Failed, Item, Outcome
from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import InputError, Rule, WorkError
from quarkline.engine.core.results import canonical_json

if TYPE_CHECKING:
    from distributed import Client, Future

NO_CLUSTER = Rule(
    "QL-JOBS-001",
    "a Dask scheduler answers at the cluster's address",
    "`--cluster` takes the address a Dask scheduler shows when it starts, such as "
    "tcp://10.0.0.5:8786, or the path of the file it writes with `--scheduler-file`. Certificates "
    "for tls:// addresses come from Dask's own configuration.",
)

CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class DaskCluster:
    """Runs tasks on the workers of any Dask cluster, one item a worker process at a time.

    Attributes:
        address: The scheduler's address, or the path of its scheduler file.
        folder: A folder the workers must share; it need not exist yet.
        device: "cpu" hides GPUs from the items.
    """

    address: str
    folder: Path
    device: str = "auto"

    def check(self) -> None:
        """See that the scheduler answers and that its workers can be used.

        Raises:
            InputError: If not.
        """
        with self._connected() as client:
            Crew(client, self.folder).look()

    def map(self, task: str, items: Pairs, *, retries: int = 0) -> Iterator[Outcome]:
        """Run `task` on every item that is not finished yet.

        An item whose worker dies is given to another one, as often as the scheduler's
        `allowed-failures` says.

        Args:
            task: Importable name `module:function`.
            items: Each item with the folder its files go to.
            retries: How often a failed item is tried again.

        Raises:
            InputError: If there is no scheduler, or a worker that cannot be used.
        """
        return in_order(items, lambda waiting: self._run(task, waiting, retries))

    def _run(self, task: str, items: Pairs, retries: int) -> Generator[Outcome]:
        if not items:
            return
        with self._connected() as client:
            crew = Crew(client, self.folder)
            crew.look()
            orders = [Order(task, item, folder, self.device) for item, folder in items]
            futures = [_submit(client, order, retries) for order in orders]
            try:
                for number, (item, folder) in enumerate(items):
                    unfinished = [folder for _, folder in items[number:]]
                    crew.wait(futures[number], unfinished)
                    if _was_killed(futures[number]):
                        for other in futures[number:]:
                            crew.wait(other, unfinished)
                        futures[number] = _submit(client, orders[number], retries)
                        crew.wait(futures[number], unfinished)
                    yield _outcome(futures[number], item, folder)
            finally:
                client.cancel(futures)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Client]:
        if findings := missing_extra("cluster"):
            raise InputError(*findings)
        import distributed  # before its loggers are silenced: it sets their levels

        with _quiet():
            address = self._scheduler()
            with distributed.Client(address, set_as_default=False) as client:
                yield client

    def _scheduler(self) -> str:
        """The scheduler's address, perhaps from its file, after it has answered.

        Raises:
            InputError: If it does not.
        """
        try:
            address = self.address
            if "://" not in address:
                address = json.loads(Path(address).read_text())["address"]
            with ThreadPoolExecutor(1) as thread:  # a notebook has an event loop of its own here
                thread.submit(asyncio.run, _ask_scheduler(address)).result()
        except Exception as error:  # whatever listens there may say anything
            said = str(error) or f"nothing within {CONNECT_SECONDS:g} s"
            raise InputError(
                NO_CLUSTER.finding(
                    f"no Dask scheduler answers at {self.address}: {said}",
                    suggestion="start one, or leave out --cluster to compute here",
                )
            ) from error
        return address


async def _ask_scheduler(address: str) -> None:
    """Ask who listens; unlike a client's, this attempt ends in time.

    Raises:
        ValueError: If it is no scheduler.
    """
    from distributed import Security
    from distributed.comm import connect
    from distributed.core import send_recv

    async with asyncio.timeout(CONNECT_SECONDS):
        comm = await connect(address, **Security().get_connection_args("client"))
        try:
            answer = await send_recv(comm, op="identity")
        finally:
            comm.abort()
    if answer["type"] != "Scheduler":
        msg = f"a Dask {answer['type'].lower()} does"
        raise ValueError(msg)


class ItemFailedError(Exception):
    """An item's failure, so that Dask tries it again: reason and details."""


_ONE_ITEM = threading.Lock()
"""Held while an item runs: it sees the same conditions however many threads a worker has."""


def carry_out(order: str) -> str:
    """What a worker does: one item, given as JSON; its value as JSON.

    Raises:
        ItemFailedError: If the item failed.
    """
    with _ONE_ITEM:
        outcome = Order.from_json(json.loads(order)).carry_out()
    if isinstance(outcome, Failed):
        raise ItemFailedError(outcome.reason, outcome.details)
    return canonical_json(outcome.value)


def _submit(client: Client, order: Order, retries: int) -> Future[str]:
    key = f"{order.item.name}-{uuid.uuid4().hex}"
    return client.submit(carry_out, json.dumps(order.as_json()), key=key, retries=retries)


def _was_killed(future: Future[str]) -> bool:
    """Whether Dask gave an item up because its workers died.

    It counts deaths against every item a worker was given, the one that it was at and those that
    waited behind it, so only an item that was alone is known to be the cause.
    """
    from distributed import KilledWorker

    return future.status == "error" and isinstance(future.exception(), KilledWorker)


def _outcome(future: Future[str], item: Item, folder: Path) -> Outcome:
    from distributed import CancelledError, KilledWorker

    try:
        value = json.loads(future.result())
    except ItemFailedError as error:
        return Failed(item.name, *error.args)
    except KilledWorker as error:
        reason = (
            f"its worker process died on each of {error.allowed_failures + 1} attempts; "
            "it may have been out of memory"
        )
        return Failed(item.name, reason, str(error))
    except CancelledError as error:
        return Failed(item.name, "the cluster gave it up, or its scheduler ended", str(error))
    except Exception as error:
        return Failed(item.name, f"{type(error).__name__}: {error}", "")
    _wait_for_files(folder)
    return Done(item.name, value, folder)


def _wait_for_files(folder: Path) -> None:
    """Wait until a finished item's files are seen here, too.

    Raises:
        WorkError: If they do not come.
    """
    deadline = time.monotonic() + SHARING_SECONDS
    while not (folder / VALUE).exists():
        if time.monotonic() > deadline:
            raise WorkError(
                NOT_SHARED.finding(f"a worker has written {folder.absolute()}, which is not here")
            )
        time.sleep(0.2)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own messages off the terminal: what matters is told as findings."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
