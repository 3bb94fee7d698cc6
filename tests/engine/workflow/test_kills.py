"""A run killed at any moment and started again equals one that was never interrupted."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bench import Bench, make_bench

Expected = dict[str, bytes | None]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Expected, int]:
    """Everything an uninterrupted run leaves, and how often its main process changed files."""
    bench = make_bench(tmp_path_factory.mktemp("uninterrupted"))
    counter = bench.folder / "changes.txt"
    done = bench.command(TOY_CHANGES=str(counter), **cache_of(bench))
    assert done.returncode == 0, done.stderr
    return bench.contents(), int(counter.read_text())


def cache_of(bench: Bench) -> dict[str, str]:
    return {"QUARKLINE_CACHE": str(bench.folder / "cache")}


def kill_at(bench: Bench, victim: str, change: int, extent: str) -> None:
    """Run until the victim's `change`-th change of the file system, where it is killed."""
    process = bench.start(TOY_KILL=f"{victim}:{change}:{extent}", **cache_of(bench))
    _, err = process.communicate(timeout=120)
    wait_for_group(process.pid)
    killed = process.returncode == -signal.SIGKILL
    assert killed or (victim, extent) == ("worker", "alone"), err


def wait_for_group(group: int, seconds: float = 10.0) -> None:
    """Wait until no process of a group is left: workers end without their parent."""
    deadline = time.monotonic() + seconds
    while living_in(group):
        assert time.monotonic() < deadline, f"still alive: {living_in(group)}"
        time.sleep(0.05)


def living_in(group: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group, *_ = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(process_group) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


def check_resumes(bench: Bench, expected: Expected) -> None:
    """Run to the end and compare every file; nothing temporary may be left."""
    done = bench.command(**cache_of(bench))
    assert done.returncode == 0, done.stderr
    found = bench.contents()
    assert found.keys() == expected.keys()
    assert found == expected


def in_parallel(trials: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(2) as threads:
        for trial in [threads.submit(trial) for trial in trials]:
            trial.result()


def trial(
    folder: Path, expected: Expected, victim: str, change: int, extent: str
) -> Callable[[], None]:
    def run() -> None:
        bench = make_bench(folder / f"{victim}-{change}-{extent}")
        kill_at(bench, victim, change, extent)
        check_resumes(bench, expected)

    return run


def test_killed_at_some_moments_and_resumed(
    tmp_path: Path, uninterrupted: tuple[Expected, int]
) -> None:
    expected, changes = uninterrupted
    moments = [
        ("main", 3, "group"),  # the run's folder is made, its run.json is not
        ("main", changes // 3, "group"),
        ("main", changes // 2, "alone"),
        ("main", changes - 4, "group"),
        ("worker", 4, "group"),
        ("worker", 9, "group"),
    ]
    in_parallel([trial(tmp_path, expected, *moment) for moment in moments])


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("extent", ["group", "alone"])
def test_killed_before_every_change_of_the_main_process(
    tmp_path: Path, uninterrupted: tuple[Expected, int], extent: str
) -> None:
    expected, changes = uninterrupted
    in_parallel(
        [trial(tmp_path, expected, "main", change, extent) for change in range(1, changes + 1)]
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_before_every_change_of_a_worker(
    tmp_path: Path, uninterrupted: tuple[Expected, int]
) -> None:
    expected, _ = uninterrupted
    in_parallel([trial(tmp_path, expected, "worker", change, "group") for change in range(1, 15)])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_random_times_again_and_again(
    tmp_path: Path, uninterrupted: tuple[Expected, int]
) -> None:
    expected, _ = uninterrupted
    moments = random.Random(2024)

    def trial(number: int) -> None:
        bench = make_bench(tmp_path / f"random-{number}")
        bench.environment = cache_of(bench) | {"TOY_PAUSE": ":0.1"}
        for _ in range(3):
            process = bench.start()
            time.sleep(moments.uniform(0.3, 2.5))
            kill = os.killpg if moments.random() < 0.5 else os.kill
            if process.poll() is None:
                kill(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)
        check_resumes(bench, expected)

    in_parallel([lambda number=number: trial(number) for number in range(20)])


def test_a_worker_that_dies_costs_its_item_only(bench: Bench) -> None:
    done = bench.command(TOY_FAIL="square:die")
    assert done.returncode == 1
    assert "number-0: its process ended with code 7" in done.stderr
    assert "number-2: its process ended with code 7" in done.stderr
    assert bench.command().returncode == 0
    assert bench.done().count("half") == 3  # what the dead had written was taken up again


def test_workers_end_when_their_parent_is_killed(bench: Bench) -> None:
    process = bench.start(TOY_PAUSE="square:60")
    items = bench.runs / "items"
    deadline = time.monotonic() + 60
    while len(list(items.glob("*.partial"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    wait_for_group(process.pid, seconds=5.0)
