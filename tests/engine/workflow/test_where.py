"""A study gives the same bytes wherever it runs, through the death of the command, too."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from bench import Bench

from quarkline.engine.compute.batch.arrays import list_arrays

ITEMS = 3


def without_jobs(found: dict[str, bytes | None]) -> dict[str, bytes | None]:
    """What is below the runs, without records of jobs and what says where it ran."""
    return {
        name: data
        for name, data in found.items()
        if name.partition("/")[0] != "jobs" and Path(name).name != "resolved.json"
    }


@pytest.fixture
def expected(finished: Path, bench: Bench) -> dict[str, bytes | None]:
    """What a run on local workers left."""
    shutil.copytree(finished, bench.runs)
    contents = without_jobs(bench.contents())
    shutil.rmtree(bench.runs)
    bench.done()
    return contents


def given(bench: Bench, setup: list[str], **keys: Any) -> tuple[str, ...]:
    """The command line of a run whose config says how jobs are set up."""
    memory = {"memory": "100MB"} if keys["kind"] == "slurm" else {}
    bench.write(compute={"workers": 1, "batch": {"setup": setup, **memory, **keys}})
    return ("run", bench.file.name, "--batch", keys["kind"])


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kill_while_jobs_run(bench: Bench, arguments: tuple[str, ...]) -> None:
    """Kill the command alone, while the first job is at work."""
    process = bench.start(*arguments, TOY_PAUSE="square:1.5")
    wait_for(lambda: list((bench.runs / "items").glob("*.partial/half.txt")))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)


def check_that_all_is_there(bench: Bench, expected: dict[str, bytes | None]) -> None:
    """The files of an uninterrupted run, whose config names no batch system."""
    found = without_jobs(bench.contents())
    assert found.keys() == expected.keys()
    assert {name: data for name, data in found.items() if "config.yaml" not in name} == {
        name: data for name, data in expected.items() if "config.yaml" not in name
    }


def check_that_nothing_is_done_twice(bench: Bench, arguments: tuple[str, ...]) -> None:
    done = bench.command(*arguments)
    assert done.returncode == 0, done.stderr
    steps = bench.done()
    assert (steps.count("half"), steps.count("square")) == (ITEMS, ITEMS)
    assert len(list_arrays(bench.runs / "jobs")) == 1


@pytest.mark.xdist_group("dask")
@pytest.mark.timeout(120)
def test_on_a_dask_cluster(
    bench: Bench, expected: dict[str, bytes | None], dask_cluster: str
) -> None:
    done = bench.command("run", bench.file.name, "--cluster", dask_cluster)
    assert done.returncode == 0, done.stderr
    assert without_jobs(bench.contents()) == expected


def test_no_cluster_there_is_told_before_anything_is_written(bench: Bench) -> None:
    done = bench.command("run", bench.file.name, "--cluster", "nowhere.json")
    assert done.returncode == 2
    assert "QL-JOBS-001  no Dask scheduler answers at" in done.stderr
    assert not bench.runs.exists()


def test_no_batch_system_there_is_told_before_anything_is_written(bench: Bench) -> None:
    done = bench.command("run", bench.file.name, "--batch", "htcondor", PATH="/nowhere")
    assert done.returncode == 2
    assert "QL-JOBS-004  not on this computer: condor_submit" in done.stderr
    assert not bench.runs.exists()


def test_a_finished_run_needs_no_batch_system(ran: Bench) -> None:
    done = ran.command("run", ran.file.name, "--batch", "htcondor", PATH="/nowhere")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_in_batch_jobs_whose_client_is_killed(
    bench: Bench, expected: dict[str, bytes | None], condor_pool: Path, setup_lines: list[str]
) -> None:
    arguments = given(bench, setup_lines, kind="htcondor")
    kill_while_jobs_run(bench, arguments)
    check_that_nothing_is_done_twice(bench, arguments)
    check_that_all_is_there(bench, expected)


@pytest.mark.slow
@pytest.mark.xdist_group("slurm")
@pytest.mark.usefixtures("slurm_cluster")
def test_on_a_real_slurm_whose_client_is_killed(
    bench: Bench, expected: dict[str, bytes | None], setup_lines: list[str]
) -> None:
    arguments = given(bench, setup_lines, kind="slurm")
    kill_while_jobs_run(bench, arguments)
    check_that_nothing_is_done_twice(bench, arguments)
    check_that_all_is_there(bench, expected)
