"""Items as batch jobs, on stand-ins for HTCondor's commands that run the jobs here."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import sample_tasks as tasks

from quarkline.engine.compute.batch import jobs as jobs_module
from quarkline.engine.compute.batch.arrays import JobArray, list_arrays, make_array
from quarkline.engine.compute.batch.config import HTCondorConfig, SlurmConfig
from quarkline.engine.compute.batch.jobs import BatchJobs
from quarkline.engine.compute.batch.registry import find_system
from quarkline.engine.compute.batch.slurm import Slurm
from quarkline.engine.compute.batch.standing import State, survey
from quarkline.engine.compute.job import lock_of, task_name
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.order import Order
from quarkline.engine.compute.outcome import Cached, Done, Failed, Item, Outcome
from quarkline.engine.core.findings import InputError, WorkError
from quarkline.engine.store.locks import this_process
from quarkline.tools import jobs as tool

pytestmark = pytest.mark.timeout(120)


class Farm:
    """Batch jobs whose items and records are in one folder."""

    def __init__(self, folder: Path, setup: list[str]) -> None:
        self.folder = folder
        self.keys: dict[str, Any] = {"setup": setup, "retries": 0}

    def executor(self, **keys: Any) -> BatchJobs:
        config = HTCondorConfig(kind="htcondor", **(self.keys | keys))
        folder = self.folder / "jobs"
        return BatchJobs(config, folder, folder, "cpu", poll_seconds=0.3, settle_seconds=0.3)

    def run(
        self, task: Any, *arguments: dict[str, Any], retries: int = 0, **keys: Any
    ) -> list[Outcome]:
        items = self.items(*arguments)
        return list(self.executor(**keys).map(task_name(task), items, retries=retries))

    def items(self, *arguments: dict[str, Any]) -> list[tuple[Item, Path]]:
        return [
            (Item(f"item-{n}", values), self.folder / "items" / f"{n}")
            for n, values in enumerate(arguments)
        ]

    def arrays(self) -> list[JobArray]:
        return list_arrays(self.folder / "jobs")

    def states(self) -> list[str]:
        standings = survey(self.arrays(), find_system("htcondor"))
        return [standings[folder].state.value for folder in sorted(standings)]


@pytest.fixture
def farm(tmp_path: Path, condor_pool: Path, setup_lines: list[str]) -> Farm:
    return Farm(tmp_path, setup_lines)


def wait_for(condition: Any, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_items_are_the_same_bytes_as_on_local_workers(farm: Farm, tmp_path: Path) -> None:
    arguments = [{"x": x} for x in range(5)]
    outcomes = farm.run(tasks.write, *arguments, items_per_job=2)
    assert [(type(one), one.name, one.value) for one in outcomes] == [
        (Done, f"item-{x}", {"x": x}) for x in range(5)
    ]
    pairs = [(item, tmp_path / "local" / folder.name) for item, folder in farm.items(*arguments)]
    list(LocalWorkers(2).map(task_name(tasks.write), pairs))
    assert contents(tmp_path / "items") == contents(tmp_path / "local")
    (array,) = farm.arrays()
    assert array.jobs == 3
    assert sorted(path.name for path in (array.folder / "logs").glob("*.log")) == [
        "0.log",
        "1.log",
        "2.log",
    ]
    assert "item-3: done" in array.log(1).read_text()


def test_finished_items_need_no_job(farm: Farm) -> None:
    farm.run(tasks.write, {"x": 1})
    (again,) = farm.run(tasks.write, {"x": 1})
    assert (type(again), len(farm.arrays())) == (Cached, 1)


def test_a_failure_costs_its_own_item_and_names_its_log(farm: Farm) -> None:
    outcomes = farm.run(
        tasks.fail,
        {"how": "raise", "times": 9},
        {"how": "exit", "times": 9},
        {"how": "kill", "times": 9},
        {"how": "raise", "times": 0},
    )
    logs = farm.arrays()[0].folder / "logs"
    assert outcomes[0].reason == f"ValueError: try 0 ({logs / '0.log'})"
    assert outcomes[1].reason == f"its process ended with code 3 ({logs / '1.log'})"
    assert outcomes[2].reason.startswith("its job ended without a result: ")
    assert outcomes[2].reason.endswith(f"item-2: starts ({logs / '2.log'})")
    assert outcomes[3].value == 0
    assert "Traceback" in (logs / "0.log").read_text()
    assert farm.states() == ["failed", "failed", "lost", "done"]


@pytest.mark.slow
def test_failed_items_are_tried_again_in_jobs_of_their_own(farm: Farm) -> None:
    outcomes = farm.run(
        tasks.fail,
        {"how": "kill", "times": 1},
        {"how": "raise", "times": 0},
        {"how": "raise", "times": 0, "n": 1},
        retries=1,
        items_per_job=3,
    )
    assert [outcome.value for outcome in outcomes] == [1, 0, 0]
    assert [array.jobs for array in farm.arrays()] == [1, 3]


@pytest.mark.slow
def test_a_lost_job_is_replaced_where_an_error_is_not(farm: Farm) -> None:
    outcomes = farm.run(
        tasks.fail, {"how": "kill", "times": 1}, {"how": "raise", "times": 1}, retries=0
    )
    assert [type(outcome) for outcome in outcomes] == [Failed, Failed]
    farm.keys["retries"] = 1
    outcomes = farm.run(tasks.fail, {"how": "kill", "times": 2}, {"how": "raise", "times": 3})
    assert outcomes[0].value == 2
    assert "ValueError: try 1" in outcomes[1].reason


def test_items_compute_on_one_thread(farm: Farm) -> None:
    (outcome,) = farm.run(tasks.conditions, {})
    assert outcome.value == {
        "threads": [1],
        "OMP_NUM_THREADS": "1",
        "devices": 1,
        "CUDA_VISIBLE_DEVICES": "",
    }


def test_jobs_of_a_process_that_ended_are_found_again(farm: Farm, tmp_path: Path) -> None:
    arguments = [{"seconds": 1.5}, {"seconds": 0}, {"seconds": 0, "n": 1}]
    pairs = farm.items(*arguments)
    outcomes = farm.executor().map(task_name(tasks.slow_once), pairs)
    submitting = iter(outcomes)
    waiter = _in_thread(lambda: next(submitting))
    wait_for((tmp_path / "items" / "0.partial" / "pid").exists)
    again = list(farm.executor().map(task_name(tasks.slow_once), pairs))  # as if killed and begun
    waiter.join()
    assert [outcome.value for outcome in again] == [1, 1, 1]
    assert len(farm.arrays()) == 1


def _in_thread(work: Any) -> Any:
    import threading

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_an_array_whose_id_was_never_noted_is_found_by_its_name(farm: Farm) -> None:
    pairs = farm.items({"seconds": 1.0})
    waiter = _in_thread(lambda: list(farm.executor().map(task_name(tasks.sleep), pairs)))
    wait_for(lambda: farm.arrays() and farm.arrays()[0].job_id)
    (farm.arrays()[0].folder / "job.json").unlink()  # killed just before it was written
    outcomes = list(farm.executor().map(task_name(tasks.sleep), pairs))
    waiter.join()
    assert [outcome.value for outcome in outcomes] == [1]
    assert len(farm.arrays()) == 1


def test_a_held_job_fails_with_its_reason_and_is_removed(farm: Farm, condor_pool: Path) -> None:
    (condor_pool / "hold").touch()
    (outcome,) = farm.run(tasks.write, {"x": 1})
    assert outcome.reason.startswith(
        "held by the batch system: memory usage exceeded request_memory"
    )
    assert list(condor_pool.glob("*.job")) == []


@pytest.mark.slow
def test_a_silent_batch_system_is_asked_again(
    farm: Farm, condor_pool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pairs = farm.items({"seconds": 1.0})
    found: list[Outcome] = []
    with caplog.at_level(logging.WARNING):
        waiter = _in_thread(
            lambda: found.extend(farm.executor().map(task_name(tasks.sleep), pairs))
        )
        wait_for(lambda: farm.arrays() and farm.arrays()[0].job_id)
        (condor_pool / "silent").touch()
        wait_for(lambda: "htcondor does not answer" in caplog.text)
        (condor_pool / "silent").unlink()
        waiter.join()
    assert [outcome.value for outcome in found] == [1]
    assert len(farm.arrays()) == 1


def test_jobs_that_are_refused(farm: Farm, condor_pool: Path) -> None:
    (condor_pool / "silent").touch()
    executor = farm.executor()
    with pytest.raises(WorkError, match="QL-JOBS-005  condor_submit took no jobs: Failed to conn"):
        list(executor.map(task_name(tasks.write), farm.items({"x": 1})))


def test_without_the_commands_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = tmp_path / "jobs"
    executor = BatchJobs(HTCondorConfig(kind="htcondor"), folder, folder)
    with pytest.raises(InputError, match="QL-JOBS-004  not on this computer: condor_submit, condo"):
        executor.check()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_many_items_are_several_arrays(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "MOST_JOBS", 2)
    outcomes = farm.run(tasks.write, *({"x": x} for x in range(5)))
    assert [outcome.value["x"] for outcome in outcomes] == list(range(5))
    assert [array.jobs for array in farm.arrays()] == [2, 2, 1]


@pytest.mark.slow
def test_the_lock_of_a_lost_job_of_another_computer_is_removed(
    farm: Farm, condor_pool: Path, tmp_path: Path
) -> None:
    farm.run(tasks.fail, {"how": "kill", "times": 1})
    (array,) = farm.arrays()
    dead = replace(this_process(), host="far-away", pid=1)
    (array.folder / "started" / "0.json").write_text(json.dumps(asdict(dead)))
    (array.folder / "over").unlink()
    lock = lock_of(tmp_path / "items" / "0")
    lock.write_text(json.dumps(asdict(dead)))
    (outcome,) = farm.run(tasks.fail, {"how": "kill", "times": 1})
    assert outcome.value == 1


def test_a_job_that_is_started_anew_on_another_computer_takes_its_lock_over(
    tmp_path: Path, setup_lines: list[str]
) -> None:
    order = Order("sample_tasks:write", Item("item", {"x": 1}), tmp_path / "items" / "0")
    config = SlurmConfig(kind="slurm", setup=setup_lines)
    array = make_array(tmp_path / "jobs", [order], config, home=tmp_path / "jobs")
    (array.folder / "job.sh").write_text(Slurm().script(array)["job.sh"])
    dead = json.dumps(asdict(replace(this_process(), host="far-away", pid=1)))
    (array.folder / "started" / "0.json").write_text(dead)
    (tmp_path / "items").mkdir()
    lock_of(order.folder).write_text(dead)
    subprocess.run(
        ["bash", array.folder / "job.sh"],
        env=os.environ | {"SLURM_ARRAY_TASK_ID": "0"},
        check=True,
        timeout=60,
    )
    assert array.members[0].is_done


class TestTool:
    """`quarkline jobs` as a function."""

    def test_shows_and_resumes_what_failed(self, farm: Farm, tmp_path: Path) -> None:
        farm.run(tasks.fail, {"how": "raise", "times": 1}, {"how": "raise", "times": 0})
        (row,) = tool.show(tmp_path)
        assert row.counts == {State.DONE: 1, State.FAILED: 1}
        (trouble,) = row.troubles
        assert (trouble.reason, trouble.items) == ("ValueError: try 0", 1)
        assert trouble.log == row.array.log(0)
        (array,) = tool.resume(tmp_path / "jobs")
        assert [member.name for member in array.members] == ["item-0"]
        wait_for(lambda: farm.states() == ["done", "done"])
        assert [row.counts for row in tool.show(tmp_path)] == [{State.DONE: 1}] * 2
        assert tool.resume(tmp_path) == []

    def test_items_whose_files_were_used_up_are_done(self, farm: Farm, tmp_path: Path) -> None:
        farm.run(tasks.write, {"x": 1})
        shutil.rmtree(tmp_path / "items")
        assert [row.counts for row in tool.show(tmp_path)] == [{State.DONE: 1}]
        assert tool.resume(tmp_path) == []
        (again,) = farm.run(tasks.write, {"x": 1})
        assert (type(again), again.value) == (Done, {"x": 1})

    def test_cancels_what_runs_and_waits(self, farm: Farm, tmp_path: Path) -> None:
        pairs = farm.items({"seconds": 60}, {"seconds": 61})
        found: list[Outcome] = []
        waiter = _in_thread(
            lambda: found.extend(farm.executor().map(task_name(tasks.sleep), pairs))
        )
        wait_for((tmp_path / "items" / "0.partial" / "started").exists)
        assert farm.states() == ["running", "queued"]
        assert tool.cancel(tmp_path) == 2
        waiter.join()
        assert [type(outcome) for outcome in found] == [Failed, Failed]
        assert "ended by the batch system" in found[0].reason
        assert farm.states() == ["lost", "lost"]
        (trouble,) = tool.show(tmp_path)[0].troubles
        assert (trouble.reason, trouble.items) == ("its job ended without a result", 2)
        assert not list((tmp_path / "items").glob("*.lock"))

    def test_a_submit_folder_of_its_own(self, farm: Farm, tmp_path: Path) -> None:
        home = tmp_path / "run" / "jobs"
        executor = replace(farm.executor(), folder=tmp_path / "afs", home=home)
        list(executor.map(task_name(tasks.write), farm.items({"x": 1})))
        assert [path.name for path in home.iterdir()] == ["submit-dir.json"]
        (row,) = tool.show(tmp_path / "run")
        assert row.array.folder == tmp_path / "afs" / "00001"
        assert tool.show(tmp_path / "afs") == [row]
        assert tool.show(row.array.folder) == [row]

    def test_a_folder_without_jobs(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=f"QL-JOBS-006  no jobs are recorded in {tmp_path}"):
            tool.show(tmp_path)
