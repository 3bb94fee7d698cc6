"""Carries out the actions of a job: what each letter reads, does and writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.compute.executors import Executor
from quarkline.engine.core.findings import Finding
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.letters import ordered
from quarkline.trexfitter.multifit import MultiFit

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ActionsDone:
    """What the actions of a job came to.

    Attributes:
        letters: What was done, in order.
        folder: Where the results are.
        files: What was written, in order.
        findings: What is to be said about it.
        headline: The result in one sentence; None without a fit.
    """

    letters: str
    folder: Path
    files: tuple[Path, ...] = ()
    findings: tuple[Finding, ...] = ()
    headline: str | None = None


def run_actions(
    job: Job | MultiFit,
    letters: str,
    *,
    executor: Executor,
    progress: Progress | None = None,
) -> ActionsDone:
    """Carry out actions.

    Args:
        job: The job.
        letters: What to do, in any order.
        executor: Where the work runs.
        progress: Told what is done now.

    Raises:
        InputError: If something is wrong with the inputs.
        WorkError: If an action failed.
    """
    wanted = ordered(letters)
    if progress:
        progress(f"{job.name}: {wanted}")
    executor.check()
    return ActionsDone(wanted, job.folder)
