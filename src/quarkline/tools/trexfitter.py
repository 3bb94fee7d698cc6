"""TRExFitter configs as they are: check, convert, plan and run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from quarkline.engine.compute.config import ComputeConfig
from quarkline.engine.compute.executors import open_executor
from quarkline.trexfitter.actions import ActionsDone, Progress, run_actions
from quarkline.trexfitter.command_line import read_options
from quarkline.trexfitter.job import Job, open_job
from quarkline.trexfitter.letters import ordered
from quarkline.trexfitter.multifit import MultiFit
from quarkline.trexfitter.parser import read_trexfitter


def load_job(
    config: Path,
    options: str = "",
    *,
    replace: Mapping[str, str] | None = None,
    free: Sequence[str] = (),
    output: Path | None = None,
) -> Job | MultiFit:
    """Read a config with its options.

    Args:
        config: The config file.
        options: The option string.
        replace: Values of placeholders that win over those of the replacement file.
        free: Constant parameters that are fitted all the same.
        output: Folder that the job's folder is made in, instead of `OutputDir`.

    Raises:
        InputError: With all that is wrong.
    """
    read = read_trexfitter(config, replace=replace)
    return open_job(read, read_options(options), free=free, output=output)


def plan(job: Job | MultiFit, letters: str) -> str:
    """What the actions of a job would do.

    Raises:
        InputError: If a letter is no action.
    """
    return "\n".join(f"{letter}  {job.folder}" for letter in ordered(letters))


def run(
    job: Job | MultiFit, letters: str, compute: ComputeConfig, *, progress: Progress | None = None
) -> ActionsDone:
    """Carry out the actions of a job.

    Args:
        job: The job.
        letters: What to do, in any order.
        compute: Where the work runs.
        progress: Told what is done now.

    Raises:
        InputError: If something is wrong with the inputs.
        WorkError: If an action failed.
    """
    executor = open_executor(compute, folder=job.folder / "Compute")
    return run_actions(job, letters, executor=executor, progress=progress)
