"""The workers of a Dask cluster: whether they can be used, and which have died."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import quarkline
from quarkline.engine.compute.job import lock_of
from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.store.locks import Holder, release_dead, this_process

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger(__name__)

BAD_WORKER = Rule(
    "QL-JOBS-002",
    "the workers of a cluster run this version of Quarkline",
    "Numbers are promised for one version. Start the workers in the environment that the command "
    "runs in, or in an equal one.",
)
NOT_SHARED = Rule(
    "QL-JOBS-003",
    "workers write where the command reads",
    "Items are handed over as files, so the folder of the results must be on a file system that "
    "all workers share, under the same path.",
)

SHARING_SECONDS = 10.0  # a network file system may show a new file late
LOOK_SECONDS = 5.0


class Crew:
    """The workers of a cluster: each is looked at once, and their deaths are noticed.

    A lock that a dead worker left can be removed from its own computer only, unless somebody
    knows that it is dead: the scheduler does.
    """

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.known: dict[str, Holder] = {}
        self.told: set[str] = set()

    def wait(self, future: Future[str], folders: Collection[Path]) -> None:
        """Wait until an item is over, and look at the workers now and then.

        Args:
            future: The item.
            folders: Folders of all items that are not over, whose locks dead workers may hold.
        """
        over = threading.Event()
        future.add_done_callback(lambda _: over.set())
        while not over.wait(LOOK_SECONDS):
            if self.client.status == "running":
                self.look(folders)

    def look(self, folders: Collection[Path] = ()) -> None:
        """Meet new workers, and remove the locks of those that are gone.

        Raises:
            InputError: If a worker cannot be used.
        """
        threads = self.client.nthreads()
        for address in self.known.keys() - threads.keys():
            dead = self.known.pop(address)
            for folder in folders:
                release_dead(lock_of(folder), dead)
        if new := sorted(threads.keys() - self.known.keys()):
            self._meet(new)
        if not threads:
            self._tell("the cluster has no worker; waiting for one")
        if any(number > 1 for number in threads.values()):
            self._tell("each worker does one item at a time: start them with --nthreads 1")

    def _tell(self, text: str) -> None:
        if text not in self.told:
            self.told.add(text)
            log.warning(text)

    def _meet(self, addresses: list[str]) -> None:
        with _probe(self.folder) as probe:
            seen = self.client.run(
                describe_worker, str(probe), workers=addresses, on_error="return"
            )
        for address, answer in seen.items():
            if isinstance(answer, OSError):  # it has just gone
                continue
            if isinstance(answer, Exception):
                raise InputError(
                    BAD_WORKER.finding(
                        f"worker {address} has no usable Quarkline: {answer}",
                        suggestion="install it in the environment of the workers",
                    )
                )
            self.known[address] = Holder(**answer["holder"])
        told = [answer for answer in seen.values() if isinstance(answer, dict)]
        _refuse_other_versions(told)
        _refuse_other_folders(told, self.folder)


def _refuse_other_versions(workers: list[dict[str, Any]]) -> None:
    others = {one["version"] for one in workers} - {quarkline.__version__}
    if others:
        hosts = sorted({one["holder"]["host"] for one in workers if one["version"] in others})
        raise InputError(
            BAD_WORKER.finding(
                f"workers run Quarkline {', '.join(sorted(others))}, this command "
                f"{quarkline.__version__}: {', '.join(hosts)}",
                suggestion="start the workers in the environment of this command",
            )
        )


def _refuse_other_folders(workers: list[dict[str, Any]], folder: Path) -> None:
    blind = sorted({one["holder"]["host"] for one in workers if not one["sees"]})
    if blind:
        raise InputError(
            NOT_SHARED.finding(
                f"workers on {', '.join(blind)} do not see {folder.absolute()}",
                suggestion="put the results on a file system they share, such as "
                "--set roots.runs=/shared/runs",
            )
        )


@contextlib.contextmanager
def _probe(folder: Path) -> Iterator[Path]:
    """A file that only who shares the folder sees, in the nearest parent that exists."""
    folder = folder.absolute()
    while not folder.is_dir():
        folder = folder.parent
    probe = folder / f".quarkline-probe-{uuid.uuid4().hex}.tmp"
    probe.touch()
    try:
        yield probe
    finally:
        probe.unlink(missing_ok=True)


async def describe_worker(probe: str) -> dict[str, Any]:
    """What a worker says of itself: its process, its version, whether it sees a file."""
    deadline = time.monotonic() + SHARING_SECONDS
    while not (sees := Path(probe).exists()) and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
    return {"version": quarkline.__version__, "sees": sees, "holder": asdict(this_process())}
