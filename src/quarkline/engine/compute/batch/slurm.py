"""Slurm: an array is one `sbatch` script with its options in `#SBATCH` lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from quarkline.engine.compute.batch.arrays import SCRIPT, JobArray, job_command, megabytes
from quarkline.engine.compute.batch.config import SlurmConfig
from quarkline.engine.compute.batch.systems import (
    Answers,
    JobAnswer,
    JobState,
    run_program,
    submit_by,
)

HELD = ("launch failed requeued held", "JobHoldMaxRequeue", "BadConstraints")
"""Reasons to wait for ever, unless somebody mends the job."""


class Slurm:
    """Job arrays of Slurm."""

    programs: tuple[str, ...] = ("sbatch", "squeue", "scancel")

    def script(self, array: JobArray) -> dict[str, str]:
        """The script that `sbatch` takes."""
        config = cast("SlurmConfig", array.config)
        options = [
            f"--job-name={array.name}",
            f"--array=0-{array.jobs - 1}",
            "--output=logs/%a.log",
            "--ntasks=1",
            f"--cpus-per-task={config.cpus}",
            f"--mem={megabytes(config.memory)}M",
            f"--tmp={megabytes(config.disk)}M" if config.disk else "",
            f"--gres=gpu:{config.gpus}" if config.gpus else "",
            f"--time={config.time}" if config.time else "",
            f"--partition={config.partition}" if config.partition else "",
            f"--account={config.account}" if config.account else "",
            *config.extra,
        ]
        head = ["#!/bin/bash", *(f"#SBATCH {option}" for option in options if option)]
        lines = [*head, *job_command(array, '"$SLURM_ARRAY_TASK_ID"')]
        return {SCRIPT: "\n".join(lines) + "\n"}

    def submit(self, array: JobArray) -> str:
        """Submit an array; gives its id."""
        answer = submit_by(["sbatch", "--parsable", SCRIPT], array)
        return answer.partition(";")[0]  # `id;cluster` where there are several clusters

    def ask(self, arrays: Sequence[JobArray]) -> Answers:
        """The jobs that wait or run, found by the array's name: an id may not be recorded yet."""
        if not arrays:
            return {}
        names = ",".join(array.name for array in arrays)
        text = run_program(
            ["squeue", "--noheader", "--array", f"--name={names}", "--format=%j|%K|%T|%r"]
        )
        return dict(_read(line) for line in text.splitlines())

    def cancel(self, array: JobArray, jobs: Sequence[int]) -> None:
        """End some jobs of an array."""
        if array.job_id is None:
            run_program(["scancel", f"--name={array.name}"])
        else:
            run_program(["scancel", *(f"{array.job_id}_{job}" for job in jobs)])


def _read(line: str) -> tuple[tuple[str, int], JobAnswer]:
    """One line of `squeue`: name, index, state and reason."""
    name, index, state, reason = line.strip().split("|", 3)
    if state == "PENDING":
        held = reason.startswith(HELD)
        return (name, int(index)), JobAnswer(JobState.HELD if held else JobState.QUEUED, reason)
    return (name, int(index)), JobAnswer(JobState.RUNNING)
