"""HTCondor: an array is one cluster of jobs, described by a submit file."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import cast

from quarkline.engine.compute.batch.arrays import SCRIPT, JobArray, job_command, megabytes
from quarkline.engine.compute.batch.config import HTCondorConfig
from quarkline.engine.compute.batch.systems import (
    Answers,
    JobAnswer,
    JobState,
    run_program,
    submit_by,
)

SUBMIT = "job.sub"
STATES = {1: JobState.QUEUED, 2: JobState.RUNNING, 5: JobState.HELD, 6: JobState.RUNNING}
STATES |= {7: JobState.RUNNING}  # suspended
NOT_OUR_HOLD = (1, 16)  # the user's own, and while input is being copied
ATTRIBUTES = "QuarklineArray,QuarklineJob,JobStatus,HoldReason,HoldReasonCode"


class HTCondor:
    """Job clusters of HTCondor."""

    programs: tuple[str, ...] = ("condor_submit", "condor_q", "condor_rm")

    def script(self, array: JobArray) -> dict[str, str]:
        """The submit file, and the script that every job runs."""
        logs = shlex.quote(str((array.folder / "logs").absolute()))
        redirect = f'exec >>{logs}/"$1".log 2>&1'  # there at once, and kept if the job is killed
        lines = ["#!/bin/bash", redirect, *job_command(array, '"$1"')]
        return {SUBMIT: _submit_file(array), SCRIPT: "\n".join(lines) + "\n"}

    def submit(self, array: JobArray) -> str:
        """Submit an array; gives its id."""
        (array.folder / SCRIPT).chmod(0o755)
        answer = submit_by(["condor_submit", "-terse", SUBMIT], array)
        return answer.partition(".")[0]  # `12.0 - 12.99`

    def ask(self, arrays: Sequence[JobArray]) -> Answers:
        """The jobs that wait, run or are held, found by the array's name."""
        if not arrays:
            return {}
        wanted = " || ".join(_is(array) for array in arrays)
        command = ["condor_q", "-json", "-attributes", ATTRIBUTES, "-constraint", wanted]
        text = run_program(command)
        answers = {}
        for job in json.loads(text) if text.strip() else []:
            if (state := _state(job)) is not None:
                answers[str(job["QuarklineArray"]), int(job["QuarklineJob"])] = state
        return answers

    def cancel(self, array: JobArray, jobs: Sequence[int]) -> None:
        """End some jobs of an array."""
        which = " || ".join(f"QuarklineJob == {job}" for job in jobs)
        run_program(["condor_rm", "-constraint", f"{_is(array)} && ({which})"])


def _is(array: JobArray) -> str:
    return f'QuarklineArray == "{array.name}"'


def _state(job: dict[str, object]) -> JobAnswer | None:
    state = STATES.get(int(str(job["JobStatus"])))
    if state is None:  # removed or completed
        return None
    reason = str(job.get("HoldReason", ""))
    if state is JobState.HELD and job.get("HoldReasonCode") in NOT_OUR_HOLD:
        return JobAnswer(JobState.QUEUED, reason)
    return JobAnswer(state, reason)


def _submit_file(array: JobArray) -> str:
    """The submit file; logs and script are named relative to its own folder."""
    config = cast("HTCondorConfig", array.config)
    commands = {
        "universe": "vanilla",
        "batch_name": array.name,
        "executable": SCRIPT,
        "arguments": "$(job)",
        "output": "logs/$(job).out",
        "error": "logs/$(job).out",
        "log": "logs/$(job).events",
        "should_transfer_files": "YES",
        "when_to_transfer_output": "ON_EXIT",
        "transfer_output_files": '""',
        "request_cpus": str(config.cpus),
        "request_memory": f"{megabytes(config.memory)}MB",
        "request_disk": f"{megabytes(config.disk)}MB" if config.disk else "",
        "request_gpus": str(config.gpus) if config.gpus else "",
        "accounting_group": config.group or "",
        "+JobFlavour": f'"{config.flavour}"' if config.flavour else "",
        "+MaxRuntime": str(_seconds(config.time)) if config.time else "",
        "+QuarklineArray": f'"{array.name}"',
        "+QuarklineJob": "$(job)",
    }
    lines = [f"{name} = {value}" for name, value in commands.items() if value]
    queue = ["queue job from (", *(f"  {job}" for job in range(array.jobs)), ")"]
    return "\n".join([*lines, *config.extra, *queue]) + "\n"


def _seconds(time: str) -> int:
    """A time `days-hours:minutes:seconds` in seconds."""
    days, _, rest = time.rpartition("-")
    hours, minutes, seconds = (int(part) for part in rest.split(":"))
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds
