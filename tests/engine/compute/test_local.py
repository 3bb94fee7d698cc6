"""Items over worker processes: in order, kept when finished, one lost when a worker dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sample_tasks as tasks

from quarkline.engine.compute.config import ComputeConfig
from quarkline.engine.compute.job import load_task, task_name
from quarkline.engine.compute.local import LocalWorkers, failures, finished
from quarkline.engine.compute.outcome import Cached, Done, Failed, Item, Outcome
from quarkline.engine.compute.threads import VARIABLES, available_cores, limited_threads
from quarkline.engine.core.findings import WorkError


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def run(
        task: Any,
        *arguments: dict[str, Any],
        workers: int = 2,
        device: str = "auto",
        **options: Any,
    ) -> list[Outcome]:
        items = [
            (Item(f"item-{number}", values), tmp_path / "items" / f"{number}")
            for number, values in enumerate(arguments)
        ]
        return list(LocalWorkers(workers, device).map(task_name(task), items, **options))

    return run


def test_outcomes_come_in_the_order_of_the_items(run: Any) -> None:
    outcomes = run(tasks.double, *({"x": x} for x in range(5)))
    assert [outcome.name for outcome in outcomes] == [f"item-{number}" for number in range(5)]
    assert [outcome.value["twice"] for outcome in finished(outcomes)] == [0, 2, 4, 6, 8]
    assert failures(outcomes) == []
    assert len({outcome.value["pid"] for outcome in finished(outcomes)}) <= 2


def test_values_are_what_they_will_be_when_they_are_read_again(run: Any) -> None:
    (first,) = run(tasks.double, {"x": 1})
    (again,) = run(tasks.double, {"x": 1})
    assert (type(first), type(again)) == (Done, Cached)
    assert first.value == again.value
    assert first.value["nan"] is None


def test_workers_wait_for_the_next_task_and_end_with_their_executor(tmp_path: Path) -> None:
    executor = LocalWorkers()
    pids = []
    for number in range(2):
        items = [(Item("item", {"x": number}), tmp_path / f"{number}")]
        (outcome,) = executor.map(task_name(tasks.double), items)
        pids.append(outcome.value["pid"])
    assert pids[0] == pids[1]
    del executor
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_files_and_inputs(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("content")
    item = Item("item", {"x": 1}, {"file": tmp_path / "in.txt"})
    (outcome,) = LocalWorkers().map(task_name(tasks.double), [(item, tmp_path / "out")])
    assert (outcome.folder / "input.txt").read_text() == "content"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", "out"]


def test_nothing_to_do_starts_no_process(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quarkline.engine.compute.local._Worker", None)
    (tmp_path / "items" / "0").mkdir(parents=True)
    (tmp_path / "items" / "0" / "value.json").write_text("7")
    assert run(tasks.double, {"x": 1})[0].value == 7
    assert run(tasks.double) == []


def test_workers_know_how_many_devices_a_training_may_take(run: Any) -> None:
    config = ComputeConfig(device="cpu", devices=2)
    (outcome,) = run(tasks.conditions, {}, device=config.device_of_workers)
    assert outcome.value["devices"] == 2
    assert outcome.value["CUDA_VISIBLE_DEVICES"] == ""
    assert ComputeConfig(devices=2).device_of_workers == "auto:2"


def test_workers_compute_on_one_thread_and_keep_quiet(
    run: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    (outcome,) = run(tasks.conditions, {}, device=ComputeConfig(device="cpu").device_of_workers)
    assert outcome.value == {
        "threads": [1],
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "devices": 1,
    }
    out, err = capfd.readouterr()
    assert out == ""
    assert "this belongs to the log" in err


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", "ValueError: try 0"),
        ("finding", "the file is no good"),
        ("exit", "its process ended with code 3"),
        ("kill", "its process was ended by SIGKILL; the system may have been out of memory"),
    ],
)
def test_a_failure_costs_its_own_item_only(run: Any, how: str, reason: str) -> None:
    outcomes = run(
        tasks.fail, {"how": how, "times": 9}, *({"how": how, "times": 0, "n": n} for n in range(3))
    )
    (failed,) = failures(outcomes)
    assert failed.name == "item-0"
    assert reason in failed.reason
    assert [outcome.value for outcome in finished(outcomes)] == [0, 0, 0]


@pytest.mark.parametrize("how", ["raise", "kill"])
def test_failed_items_are_tried_again_when_asked(run: Any, how: str) -> None:
    assert isinstance(run(tasks.fail, {"how": how, "times": 2}, retries=1)[0], Failed)
    assert run(tasks.fail, {"how": how, "times": 4}, retries=2)[0].value == 4


def test_a_value_without_json_form_is_a_failure(run: Any) -> None:
    (outcome,) = run(tasks.unwritable, {})
    assert "cannot write a object as JSON" in outcome.reason
    assert "Traceback" in outcome.details


def test_stopping_early_ends_the_workers(tmp_path: Path) -> None:
    items = [
        (Item(f"{seconds}", {"seconds": seconds}), tmp_path / f"{seconds}")
        for seconds in (0, 60, 61)
    ]
    started = time.monotonic()
    outcomes = LocalWorkers(2).map(task_name(tasks.sleep), items)
    assert next(outcomes).value == 1
    outcomes.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < 30
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".lock"] == []


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import sample_tasks as tasks
from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.outcome import Item
list(LocalWorkers().map(task_name(tasks.double), [(Item("a", {{"x": 1}}), Path("a"))]))
"""


def test_a_script_without_a_main_guard_is_told(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tests=str(Path(__file__).parent)))
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "QL-RUN-008  a worker process ended with code 1 as it started" in done.stderr


def test_tasks_are_found_by_name() -> None:
    assert task_name(tasks.double) == "sample_tasks:double"
    assert load_task("sample_tasks:double") is tasks.double
    with pytest.raises(ValueError, match="no function `nope` in module `sample_tasks`"):
        load_task("sample_tasks:nope")
    with pytest.raises(ValueError, match=r"no function `.*<lambda>`"):
        task_name(lambda args, inputs, folder: 1)


def test_a_worker_that_cannot_start_ends_the_map(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quarkline.engine.compute.local._work", print)  # says nothing back
    with pytest.raises(WorkError, match=r"QL-RUN-008  a worker process ended with code 0"):
        run(tasks.double, {"x": 1})


def test_threads_are_limited_while_a_block_runs_and_not_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import numpy as np
    from threadpoolctl import threadpool_info

    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    np.ones((2, 2)) @ np.ones((2, 2))
    before = [pool["num_threads"] for pool in threadpool_info()]
    with limited_threads(1):
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
        assert {os.environ[name] for name in VARIABLES} == {"1"}
    assert [pool["num_threads"] for pool in threadpool_info()] == before
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert "MKL_NUM_THREADS" not in os.environ


def test_cores_are_those_this_process_may_use() -> None:
    assert available_cores() == len(os.sched_getaffinity(0))
