"""Items as jobs of a real Slurm on loopback, and the scripts it takes."""

from __future__ import annotations

import shlex
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sample_tasks as tasks

from quarkline.engine.compute.batch.arrays import list_arrays, make_array
from quarkline.engine.compute.batch.config import SlurmConfig
from quarkline.engine.compute.batch.jobs import BatchJobs
from quarkline.engine.compute.batch.slurm import Slurm, _read
from quarkline.engine.compute.batch.standing import State
from quarkline.engine.compute.batch.systems import JobAnswer, JobState
from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.order import Order
from quarkline.engine.compute.outcome import Failed, Item, Outcome
from quarkline.engine.core.findings import WorkError
from quarkline.tools import jobs as tool


def test_the_script_says_what_was_asked_for(tmp_path: Path) -> None:
    config = SlurmConfig(
        kind="slurm",
        partition="long",
        account="higgs",
        cpus=2,
        memory="4GB",
        disk="10GB",
        gpus=1,
        time="12:00:00",
        extra=["--qos=normal"],
        setup=["source /opt/env.sh"],
        python="/opt/a b/python",
    )
    order = Order("sample_tasks:write", Item("item", {"x": 1}), tmp_path / "out")
    array = make_array(tmp_path / "it's here", [order, order], config, home=tmp_path)
    *options, setup, work = Slurm().script(array)["job.sh"].splitlines()
    assert options == [
        "#!/bin/bash",
        f"#SBATCH --job-name={array.name}",
        "#SBATCH --array=0-1",
        "#SBATCH --output=logs/%a.log",
        "#SBATCH --ntasks=1",
        "#SBATCH --cpus-per-task=2",
        "#SBATCH --mem=4000M",
        "#SBATCH --tmp=10000M",
        "#SBATCH --gres=gpu:1",
        "#SBATCH --time=12:00:00",
        "#SBATCH --partition=long",
        "#SBATCH --account=higgs",
        "#SBATCH --qos=normal",
    ]
    assert setup == "source /opt/env.sh"
    python, *rest = shlex.split(work)[1:]
    assert python == "/opt/a b/python"
    assert rest[2:] == [str(array.folder), "$SLURM_ARRAY_TASK_ID"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a|3|PENDING|Resources", (("a", 3), JobAnswer(JobState.QUEUED, "Resources"))),
        ("a|0|RUNNING|None", (("a", 0), JobAnswer(JobState.RUNNING))),
        ("a|0|COMPLETING|None", (("a", 0), JobAnswer(JobState.RUNNING))),
        (
            "a|1|PENDING|launch failed requeued held",
            (("a", 1), JobAnswer(JobState.HELD, "launch failed requeued held")),
        ),
    ],
)
def test_what_squeue_says(line: str, expected: Any) -> None:
    assert _read(line) == expected


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.xdist_group("slurm")
@pytest.mark.usefixtures("slurm_cluster")
class TestRealSlurm:
    """On daemons of our own."""

    @pytest.fixture
    def executor(self, tmp_path: Path, setup_lines: list[str]) -> BatchJobs:
        config = SlurmConfig(kind="slurm", memory="100MB", setup=setup_lines, retries=0)
        folder = tmp_path / "jobs"
        return BatchJobs(config, folder, folder, "cpu", poll_seconds=1.0, settle_seconds=2.0)

    def pairs(self, folder: Path, *arguments: dict[str, Any]) -> list[tuple[Item, Path]]:
        return [(Item(f"item-{n}", args), folder / f"{n}") for n, args in enumerate(arguments)]

    def test_items_are_the_same_bytes_as_on_local_workers(
        self, executor: BatchJobs, tmp_path: Path
    ) -> None:
        arguments = [{"x": x} for x in range(6)]
        outcomes = list(
            executor.map(task_name(tasks.write), self.pairs(tmp_path / "slurm", *arguments))
        )
        assert [outcome.value for outcome in outcomes] == arguments
        list(LocalWorkers(2).map(task_name(tasks.write), self.pairs(tmp_path / "here", *arguments)))
        assert contents(tmp_path / "slurm") == contents(tmp_path / "here")

    def test_failures_are_told_and_tried_again(self, executor: BatchJobs, tmp_path: Path) -> None:
        arguments = [{"how": how, "times": n} for how in ("raise", "kill") for n in (0, 1, 9)]
        pairs = self.pairs(tmp_path / "items", *arguments)
        outcomes = list(executor.map(task_name(tasks.fail), pairs, retries=1))
        assert [getattr(outcome, "value", None) for outcome in outcomes] == [0, 1, None] * 2
        assert outcomes[2].reason.startswith("ValueError: try 1")
        assert outcomes[5].reason.startswith("its job ended without a result")

    def test_a_cancelled_job_is_lost_and_resumed(self, executor: BatchJobs, tmp_path: Path) -> None:
        pairs = self.pairs(tmp_path / "items", {"seconds": 60}, {"seconds": 0})
        found: list[Outcome] = []
        waiter = threading.Thread(
            target=lambda: found.extend(executor.map(task_name(tasks.slow_once), pairs))
        )
        waiter.start()
        wait_for((tmp_path / "items" / "0.partial" / "pid").exists)
        (array,) = list_arrays(tmp_path / "jobs")
        subprocess.run(["scancel", f"{array.job_id}_0"], check=True)
        waiter.join()
        assert isinstance(found[0], Failed)
        assert "CANCELLED" in found[0].reason
        assert found[1].value == 1
        (row,) = tool.show(tmp_path)
        assert row.counts == {State.DONE: 1, State.LOST: 1}
        tool.resume(tmp_path)
        again = list(executor.map(task_name(tasks.slow_once), pairs))
        assert [outcome.value for outcome in again] == [2, 1]
        assert len(list_arrays(tmp_path / "jobs")) == 2

    def test_jobs_slurm_does_not_take(self, executor: BatchJobs, tmp_path: Path) -> None:
        config = executor.config.model_copy(update={"partition": "nope"})
        other = BatchJobs(config, executor.folder, executor.home)
        with pytest.raises(WorkError, match=r"QL-JOBS-005  sbatch took no jobs: .*partition"):
            list(other.map(task_name(tasks.write), self.pairs(tmp_path / "items", {"x": 1})))
