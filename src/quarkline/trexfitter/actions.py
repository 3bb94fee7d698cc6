"""Carries out the actions of a job: what each letter reads, does and writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.compute.executors import Executor
from quarkline.engine.core.findings import Finding, InputError
from quarkline.engine.store.atomic import make_folder, remove_leftovers
from quarkline.templates.refusals import placed
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.letters import WRONG_INPUTS, ordered
from quarkline.trexfitter.multifit import MultiFit
from quarkline.trexfitter.steps import histograms, measured, regions, separation, workspace
from quarkline.trexfitter.steps.inputs import Inputs
from quarkline.trexfitter.steps.together import run_together
from quarkline.trexfitter.steps.work import Output, Progress, Work, silent

STEPS: Mapping[str, Callable[[Work, Inputs], None]] = {
    "n": histograms.fill_job,
    "h": histograms.fill_job,
    "b": histograms.treat_again,
    "w": workspace.build,
    "f": measured.fit,
    "x": measured.scan,
    "r": measured.rank,
    "l": measured.limit,
    "s": measured.significance,
    "i": measured.impacts,
    "d": regions.draw_before,
    "p": regions.draw_after,
    "a": separation.draw,
}
READS = {"n": "ntuples", "h": "histograms"}


@dataclass(frozen=True)
class ActionsDone:
    """What the actions of a job came to.

    Attributes:
        letters: What was done, in order.
        folder: Where the results are.
        files: What was written, in order.
        findings: What is to be said about it.
        headline: The results in a sentence each; None without any.
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
    """Carry out actions in their order.

    Each reads what earlier ones have left in the job's folder, so that letters may be given
    together or one by one. Every file is absent or complete, whenever the work is interrupted.

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
    executor.check()
    tell = progress or silent
    with _made(job.folder):
        if isinstance(job, MultiFit):
            work = run_together(job, wanted, executor, tell)
        else:
            work = _run(job, wanted, executor, tell)
    files = tuple(dict.fromkeys(work.files))
    headline = "\n".join(work.headlines) or None
    return ActionsDone(wanted, job.folder, files, (*job.findings, *work.findings), headline)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """The folder of a job, without what a killed one left; not there after a failure, if new."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    make_folder(folder)
    remove_leftovers(folder)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # of the first that is not empty
            for path in new:
                path.rmdir()
        raise


def _run(job: Job, wanted: str, executor: Executor, tell: Progress) -> Output:
    for letter in wanted:
        if READS.get(letter, job.catalog.reads) != job.catalog.reads:
            right = next(name for name, reads in READS.items() if reads == job.catalog.reads)
            message = f"`{letter}` reads {READS[letter]}, and the job reads {job.catalog.reads}"
            hint = f"use `{right}` instead"
            raise InputError(WRONG_INPUTS.finding(message, suggestion=hint))
    work = Work.of(job, executor, tell)
    inputs = Inputs(job, work.layout)
    for letter in wanted:
        if letter in STEPS:
            tell(letter)
            try:
                STEPS[letter](work, inputs)
            except InputError as error:
                raise InputError(*placed(error.findings, job.file)) from error
    work.write_submission()
    return work
