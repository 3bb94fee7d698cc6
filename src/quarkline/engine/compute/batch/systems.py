"""What every batch system can be asked for, and how its commands are run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from quarkline.engine.compute.batch.arrays import JobArray
from quarkline.engine.core.findings import InputError, Rule, WorkError

NO_SYSTEM = Rule(
    "QL-JOBS-004",
    "the batch system's commands are there",
    "Jobs are given to a batch system, asked for and cancelled by its own commands, so they must "
    "be on this computer: work on a login or submit node.",
)
NOT_TAKEN = Rule(
    "QL-JOBS-005",
    "the batch system takes the jobs",
    "The batch system refused the jobs; the message holds its own words. Most often a partition, "
    "an account or a limit is not what the site has.",
)

ANSWER_SECONDS = 120.0


class JobState(StrEnum):
    """How far the batch system is with a job; one it does not know has ended."""

    QUEUED = "queued"
    RUNNING = "running"
    HELD = "held"


@dataclass(frozen=True)
class JobAnswer:
    """What a batch system says of a job.

    Attributes:
        state: How far it is.
        reason: Why it waits or is held, in the system's own words.
    """

    state: JobState
    reason: str = ""


Answers = Mapping[tuple[str, int], JobAnswer]
"""By array name and job index: the jobs that a batch system still has."""


class BatchSystem(Protocol):
    """One batch system, driven by its own commands."""

    programs: tuple[str, ...]

    def script(self, array: JobArray) -> dict[str, str]:
        """The files that submit an array, by name; the first is given to `submit`."""

    def submit(self, array: JobArray) -> str:
        """Submit an array whose files are written; gives its id.

        Raises:
            WorkError: If it is refused.
        """

    def ask(self, arrays: Sequence[JobArray]) -> Answers:
        """The jobs of some arrays that are not over.

        Raises:
            NoAnswerError: If the system does not answer now.
        """

    def cancel(self, array: JobArray, jobs: Sequence[int]) -> None:
        """End some jobs of an array."""


class NoAnswerError(Exception):
    """A batch system did not answer; the message holds its own words."""


def check_programs(system: BatchSystem) -> None:
    """Refuse a batch system whose commands are not on this computer.

    Raises:
        InputError: If one is missing.
    """
    if missing := [name for name in system.programs if shutil.which(name) is None]:
        raise InputError(
            NO_SYSTEM.finding(
                f"not on this computer: {', '.join(missing)}",
                suggestion="log in where jobs can be submitted, or compute here with --workers",
            )
        )


def submit_by(command: Sequence[str], array: JobArray) -> str:
    """Submit an array by a command in its folder; gives what the command says.

    Raises:
        WorkError: If it is refused.
    """
    try:
        return run_program(command, array.folder).strip()
    except NoAnswerError as error:
        raise WorkError(
            NOT_TAKEN.finding(
                f"{command[0]} took no jobs: {error}",
                suggestion=f"the script is in {array.folder}; mend `compute.batch` and run again",
            )
        ) from error


def run_program(command: Sequence[str], folder: Path | None = None) -> str:
    """What a program of the batch system writes to standard output.

    Raises:
        NoAnswerError: If it fails or does not end in time.
    """
    try:
        done = subprocess.run(  # noqa: S603  (a list of arguments, no shell)
            list(command),
            cwd=folder,
            capture_output=True,
            check=False,
            text=True,
            timeout=ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAnswerError(str(error)) from error
    if done.returncode != 0:
        raise NoAnswerError((done.stderr or done.stdout).strip())
    return done.stdout
