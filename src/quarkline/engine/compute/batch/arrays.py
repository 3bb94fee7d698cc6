"""Job arrays as folders: what was given to a batch system, and what its jobs wrote about it.

00001/array.json        the items, their folders, the job of each
      tasks/3.json      the orders of job 3
      job.sh            what every job runs
      job.json          the batch system's id, once it has one
      logs/3.log        what job 3 printed
      started/3.json    the process of job 3
      failures/17.json  why item 17 failed
"""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from quarkline.engine.compute.batch.config import BatchConfig, HTCondorConfig, SlurmConfig
from quarkline.engine.compute.job import VALUE, lock_of
from quarkline.engine.compute.order import Order
from quarkline.engine.compute.outcome import Failed
from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.store.locks import Holder, release_dead, this_process

ARRAY = "array.json"
JOB = "job.json"
SCRIPT = "job.sh"
OVER = "over"
SCHEMA = "quarkline.jobs/1"
MOST_JOBS = 1000
"""Jobs of one array: Slurm's own limit is 1001 unless a site changed it."""
LAST_LINES = 20
CONFIG: TypeAdapter[Any] = TypeAdapter(BatchConfig)


@dataclass(frozen=True)
class Member:
    """One item of an array.

    Attributes:
        number: Its place in the array.
        name: The item's name.
        folder: Where its files go.
        job: Index of the job that does it.
    """

    number: int
    name: str
    folder: Path
    job: int

    @property
    def is_done(self) -> bool:
        """Whether its files are complete."""
        return (self.folder / VALUE).exists()


@dataclass(frozen=True)
class JobArray:
    """The folder of one array; what it says of itself is written before it is submitted.

    Attributes:
        folder: Where its script, logs and records are.
        config: The batch system, and what a job asks of it.
        name: Its name there, which no other array has.
        home: The folder of the results it was made for.
        step: What its items do.
        members: Its items.
    """

    folder: Path
    config: SlurmConfig | HTCondorConfig
    name: str
    home: Path
    step: str
    members: tuple[Member, ...]

    @property
    def jobs(self) -> int:
        """How many jobs it has."""
        return self.members[-1].job + 1

    @property
    def job_id(self) -> str | None:
        """The batch system's id, if it was recorded."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(json.loads((self.folder / JOB).read_text())["id"])
        return None

    @property
    def was_submitted(self) -> bool:
        """Whether the batch system took it; a killed client may not have noted its id."""
        return self.job_id is not None or any((self.folder / "started").iterdir())

    @property
    def is_over(self) -> bool:
        """Whether it was found that none of its jobs will do anything any more."""
        return (self.folder / OVER).exists()

    def log(self, job: int) -> Path:
        """Where a job's output goes."""
        return self.folder / "logs" / f"{job}.log"

    def last_lines(self, job: int) -> str:
        """The end of a job's log; empty if it wrote none."""
        for path in (self.log(job), self.log(job).with_suffix(".out")):
            with contextlib.suppress(OSError):
                lines = path.read_text(errors="replace").strip().splitlines()
                if lines:
                    return "\n".join(lines[-LAST_LINES:])
        return ""

    def record_submission(self, job_id: str) -> None:
        """Note the batch system's id."""
        write_atomic(self.folder / JOB, pretty_json({"id": job_id}))

    def record_over(self) -> None:
        """Note that none of its jobs will do anything any more."""
        (self.folder / OVER).touch()

    def record_start(self, job: int) -> None:
        """Note the calling process as that of a job."""
        write_atomic(self.folder / "started" / f"{job}.json", pretty_json(asdict(this_process())))

    def record_failure(self, member: Member, failed: Failed) -> None:
        """Note why an item failed."""
        record = {"reason": failed.reason, "details": failed.details}
        write_atomic(self.folder / "failures" / f"{member.number}.json", pretty_json(record))

    def record_finish(self, member: Member) -> None:
        """Note that an item was done."""
        (self.folder / "finished" / f"{member.number}").touch()

    def has_finished(self, member: Member) -> bool:
        """Whether an item was done, even if whoever asked for it has used up its files."""
        return member.is_done or (self.folder / "finished" / f"{member.number}").exists()

    def failure(self, member: Member) -> Failed | None:
        """Why an item failed, if it did."""
        try:
            record = json.loads((self.folder / "failures" / f"{member.number}.json").read_text())
        except (OSError, ValueError):
            return None
        return Failed(member.name, record["reason"], record["details"])

    def orders(self, job: int) -> list[tuple[Member, Order]]:
        """The items of a job."""
        orders = json.loads((self.folder / "tasks" / f"{job}.json").read_text())
        members = [member for member in self.members if member.job == job]
        return [(one, Order.from_json(data)) for one, data in zip(members, orders, strict=True)]

    def order(self, member: Member) -> Order:
        """What an item is to do."""
        return next(order for one, order in self.orders(member.job) if one == member)

    def free_locks(self, job: int) -> None:
        """Remove the locks of a job whose process, as the batch system says, is gone."""
        try:
            record = json.loads((self.folder / "started" / f"{job}.json").read_text())
        except (OSError, ValueError):
            return
        for member in self.members:
            if member.job == job:
                release_dead(lock_of(member.folder), Holder(**record))


def make_array(
    root: Path, orders: Sequence[Order], config: SlurmConfig | HTCondorConfig, *, home: Path
) -> JobArray:
    """Write the folder of a new array, without its script.

    Args:
        root: The folder of all arrays.
        orders: At most what `MOST_JOBS` jobs can do.
        config: The batch system, and how many items a job does.
        home: The folder of the results.
    """
    size = config.items_per_job
    members = tuple(
        Member(number, order.item.name, order.folder.absolute(), number // size)
        for number, order in enumerate(orders)
    )
    step = orders[0].task.rpartition(":")[2]
    name = f"quarkline-{uuid.uuid4().hex[:12]}"
    array = JobArray(_new_folder(root), config, name, home.absolute(), step, members)
    for part in ("tasks", "logs", "started", "finished", "failures"):
        (array.folder / part).mkdir()
    for job in range(array.jobs):
        chunk = [order.as_json() for order in orders[job * size : (job + 1) * size]]
        write_atomic(array.folder / "tasks" / f"{job}.json", pretty_json(chunk))
    write_atomic(array.folder / ARRAY, pretty_json(_as_json(array)))
    return array


def read_array(folder: Path) -> JobArray:
    """Read the folder of an array.

    Raises:
        OSError: If it is none.
        ValueError: If its record is of another version of the format.
    """
    data = json.loads((folder / ARRAY).read_text())
    if data["schema"] != SCHEMA:
        msg = f"{folder / ARRAY} is {data['schema']}, not {SCHEMA}"
        raise ValueError(msg)
    members = tuple(
        Member(number, name, Path(path), job)
        for number, (name, path, job) in enumerate(data["items"])
    )
    home = Path(data["home"])
    config: SlurmConfig | HTCondorConfig = CONFIG.validate_python(data["config"])
    return JobArray(folder, config, data["name"], home, data["step"], members)


def list_arrays(root: Path) -> list[JobArray]:
    """The arrays of a folder, oldest first; those still being made are left out."""
    found = sorted(path for path in root.glob("[0-9]*") if path.name.isdigit())
    return [read_array(path) for path in found if (path / ARRAY).exists()]


def job_command(array: JobArray, index: str) -> list[str]:
    """Shell lines that set up the environment and do one job.

    Args:
        array: The array.
        index: A shell word that gives the job's index.
    """
    python = shlex.quote(array.config.python or sys.executable)
    folder = shlex.quote(str(array.folder.absolute()))
    work = f"exec {python} -m quarkline.engine.compute.work {folder} {index}"
    return [*array.config.setup, work]


def megabytes(size: str) -> int:
    """A size such as `2GB` or `500 MB` in MB."""
    return int(size[:-2]) * {"M": 1, "G": 1000, "T": 1_000_000}[size[-2]]


def _as_json(array: JobArray) -> dict[str, Any]:
    items = [[member.name, str(member.folder), member.job] for member in array.members]
    return {
        "schema": SCHEMA,
        "config": array.config.model_dump(mode="json"),
        "name": array.name,
        "home": str(array.home),
        "step": array.step,
        "items": items,
    }


def _new_folder(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name) for path in root.glob("[0-9]*") if path.name.isdigit()), default=0)
    while True:
        number += 1
        with contextlib.suppress(FileExistsError):
            (root / f"{number:05d}").mkdir()
            return root / f"{number:05d}"
