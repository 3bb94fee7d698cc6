"""A run killed at any moment and started again equals one that was never interrupted."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bench import Bench, make_bench

from quarkline.engine.store.locks import HALF_WRITTEN_SECONDS

Expected = dict[str, bytes | None]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Expected, int]:
    """Everything an uninterrupted run leaves, and how often its main process changed files."""
    bench = make_bench(tmp_path_factory.mktemp("uninterrupted"))
    counter = bench.folder / "changes.txt"
    bench.environment = cache_of(bench)
    done = bench.command(TOY_CHANGES=str(counter))
    assert done.returncode == 0, done.stderr
    return bench.contents(), int(counter.read_text())


def cache_of(bench: Bench) -> dict[str, str]:
    return {"QUARKLINE_CACHE": str(bench.folder / "cache")}


def kill_at(bench: Bench, victim: str, moment: str, extent: str) -> None:
    """Run until a change of the file system, where `extent` is killed."""
    process = bench.start(TOY_KILL=f"{victim}|{moment}|{extent}", **cache_of(bench))
    _, err = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, err
    wait_for_group(process.pid)


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
    long_ago = time.time() - 2 * HALF_WRITTEN_SECONDS
    for claim in bench.runs.rglob("*.claim"):  # one that is empty is cleared when it is old enough
        os.utime(claim, (long_ago, long_ago))
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
    folder: Path, expected: Expected, victim: str, moment: str, extent: str
) -> Callable[[], None]:
    def run() -> None:
        bench = make_bench(Path(tempfile.mkdtemp(dir=folder)))
        kill_at(bench, victim, moment, extent)
        check_resumes(bench, expected)

    return run


MOMENTS = [
    ("main", "os.link *00001/..lock*", "group"),  # the run's folder is there, nothing in it
    ("main", "os.rename *resolved.json*", "group"),  # written, not yet named
    ("main", "os.remove *numbers-*.lock", "group"),  # the stage is published, not yet in run.json
    ("main", "open *squares.json", "alone"),  # the items are finished, the stage is not
    ("worker", "os.rename *half.txt*", "group"),  # an item has begun
    ("worker", "os.rename *.partial", "parent"),  # an item is about to be published
]


def test_killed_at_some_moments_and_resumed(
    tmp_path: Path, uninterrupted: tuple[Expected, int]
) -> None:
    expected, _ = uninterrupted
    in_parallel([trial(tmp_path, expected, *moment) for moment in MOMENTS])


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_before_every_change_of_the_main_process(
    tmp_path: Path, uninterrupted: tuple[Expected, int]
) -> None:
    expected, changes = uninterrupted
    assert changes > 80
    in_parallel([trial(tmp_path, expected, "main", str(n), "group") for n in range(1, changes + 1)])


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("extent", ["group", "parent"])
def test_killed_before_every_change_of_a_worker(
    tmp_path: Path, uninterrupted: tuple[Expected, int], extent: str
) -> None:
    expected, _ = uninterrupted
    in_parallel([trial(tmp_path, expected, "worker", str(n), extent) for n in range(1, 18)])


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


def test_workers_end_when_their_parent_is_killed(bench: Bench) -> None:
    process = bench.start("run", bench.file.name, "--workers", "2", TOY_PAUSE="square:60")
    items = bench.runs / "items"
    deadline = time.monotonic() + 60
    while len(list(items.glob("*.partial"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    wait_for_group(process.pid, seconds=5.0)
