"""Two hundred files: equal hashes wherever the work runs, through kills, and nothing done twice."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.engine.compute.batch.arrays import JobArray, list_arrays
from quarkline.engine.compute.executors import Executor, open_executor
from quarkline.engine.compute.job import VALUE
from quarkline.engine.compute.outcome import Cached, Item, Outcome
from quarkline.tools.skim import SkimOutcome, load_skim, skim
from tests.events.skim.farm import Here, config_of, contents, write_ntuple

FILES = 200
FEW = 12
KILL_AT = 120
CUTS = {"select": ["flag: flag == 1", "jets_pt > 40"], "weight": "weight"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("slurm"),  # one process makes the files, and has the only Slurm
]


class Farm:
    """A folder in which ntuples are skimmed, by the command line or by this process."""

    def __init__(self, folder: Path, inputs: Path, **compute: Any) -> None:
        self.config = folder / "skim.yaml"
        self.output, self.jobs = folder / "out", folder / "jobs"
        keys = {"output": "out", "files": f"{inputs}/*/*.root", "tree": "nominal", **CUTS}
        compute["submit_dir"] = str(self.jobs)
        self.config.write_text(json.dumps({"schema": 1, **keys, "compute": compute}))

    def kill_client(self, items: int) -> set[Path]:
        """Kill the command line once so many items are finished; gives their folders."""
        client = subprocess.Popen(
            [sys.executable, "-m", "quarkline", "skim", str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: client.poll() is not None or len(self.finished()) >= items)
        client.kill()
        _, err = client.communicate(timeout=60)
        assert client.returncode == -signal.SIGKILL, err
        return self.finished()

    def finished(self) -> set[Path]:
        """Folders of the items that are finished and not used up yet."""
        found = self.output.glob(f".quarkline/items/*/{VALUE}")
        return {path.parent for path in found if path.parent.suffix != ".partial"}

    def skim(self, victim: Callable[[], int] | None = None) -> tuple[SkimOutcome, Noting]:
        """Skim in this process, note what had to be done, and perhaps kill a worker half-way."""
        config = load_skim(self.config)
        home = self.output / ".quarkline" / "jobs"
        executor = Noting(open_executor(config.compute, folder=home), victim)
        return skim(config, executor=executor), executor

    def check_nothing_is_left_to_do(self, files: int) -> None:
        arrays = list_arrays(self.jobs)
        outcome, executor = self.skim()
        assert (outcome.made, outcome.complete, executor.outcomes) == ({}, files, [])
        assert list_arrays(self.jobs) == arrays


class Noting:
    """Notes the outcomes of an executor, and kills a process before the last ranges are cut."""

    def __init__(self, executor: Executor, victim: Callable[[], int] | None = None) -> None:
        self.executor, self.victim = executor, victim
        self.outcomes: list[Outcome] = []

    def check(self) -> None:
        self.executor.check()

    def map(
        self, task: str, items: Sequence[tuple[Item, Path]], *, retries: int = 0
    ) -> Iterator[Outcome]:
        for outcome in self.executor.map(task, items, retries=retries):
            self.outcomes.append(outcome)
            if self.victim and len(self.outcomes) == KILL_AT:
                os.kill(self.victim(), signal.SIGKILL)
            yield outcome

    @property
    def cached(self) -> set[Path]:
        """Folders of the items that were finished before."""
        return {outcome.folder for outcome in self.outcomes if isinstance(outcome, Cached)}


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def hashes(folder: Path) -> dict[str, str]:
    """The hash of every file of a skim but where it was made."""
    return {
        name: hashlib.sha256(data).hexdigest()
        for name, data in contents(folder).items()
        if not name.startswith(".quarkline/jobs/")
    }


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small ntuples of different lengths, some of them empty."""
    folder = tmp_path_factory.mktemp("inputs")
    random = np.random.default_rng(1)
    for number in range(FILES):
        entries = 0 if number % 40 == 7 else int(random.integers(1, 100))
        write_ntuple(folder / f"mc20{'ade'[number % 3]}" / f"{number}.root", entries, number)
    return folder


@pytest.fixture(scope="session")
def few(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen of them."""
    folder = tmp_path_factory.mktemp("few")
    for number in range(FEW):
        source = inputs / f"mc20{'ade'[number % 3]}" / f"{number}.root"
        (folder / source.parent.name).mkdir(exist_ok=True)
        shutil.copy(source, folder / source.parent.name)
    return folder


@pytest.fixture(scope="session")
def made(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """The skim on two local workers, which nothing interrupted."""
    farm = Farm(tmp_path_factory.mktemp("made"), inputs, workers=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUARKLINE_CACHE", str(farm.jobs.with_name("cache")))
        outcome, _ = farm.skim()
        assert (outcome.failures, len(outcome.made)) == ((), FILES)
        began = time.process_time()
        farm.check_nothing_is_left_to_do(FILES)
        assert time.process_time() - began < 1.0  # of the processor: the wall clock is shared
    return farm


@pytest.fixture(scope="session")
def expected(made: Farm) -> dict[str, str]:
    return hashes(made.output)


def check_through_kills(farm: Farm, expected: dict[str, str], victim: Callable[[], int]) -> None:
    """Kill the client, start it again and kill a worker."""
    finished = farm.kill_client(40)
    assert len(finished) < KILL_AT
    outcome, executor = farm.skim(victim)
    assert outcome.failures == ()
    assert finished <= executor.cached
    assert hashes(farm.output) == expected
    farm.check_nothing_is_left_to_do(FILES)


def test_on_local_workers(expected: dict[str, str], inputs: Path, tmp_path: Path) -> None:
    def a_worker() -> int:
        return multiprocessing.active_children()[0].pid or 0

    check_through_kills(Farm(tmp_path, inputs, workers=2), expected, a_worker)


def test_on_a_dask_cluster(
    expected: dict[str, str], inputs: Path, tmp_path: Path, dask_cluster: str
) -> None:
    from distributed import Client

    with Client(scheduler_file=dask_cluster, set_as_default=False) as client:

        def a_worker() -> int:
            return next(iter(client.run(os.getpid).values()))

        check_through_kills(Farm(tmp_path, inputs, cluster=dask_cluster), expected, a_worker)


def kill_a_job(farm: Farm) -> None:
    """Kill a job that has finished some of its items."""
    (array,) = list_arrays(farm.jobs)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for note in (array.folder / "started").glob("*.json"):
            if 0 < finished_of(array, int(note.stem)) < array.config.items_per_job:
                os.kill(json.loads(note.read_text())["pid"], signal.SIGKILL)
                return
        time.sleep(0.005)
    pytest.fail("no job was half done")


def finished_of(array: JobArray, job: int) -> int:
    return sum(array.has_finished(member) for member in array.members if member.job == job)


def check_jobs_through_kills(farm: Farm, expected: dict[str, str], files: int) -> None:
    """Kill the client and a job it left, and start it again."""
    finished = farm.kill_client(files // 8)
    assert len(finished) < files
    kill_a_job(farm)
    outcome, executor = farm.skim()
    assert outcome.failures == ()
    assert finished <= executor.cached
    assert hashes(farm.output) == expected
    assert set(times_done(farm).values()) == {1}
    farm.check_nothing_is_left_to_do(files)


def times_done(farm: Farm) -> Counter[tuple[str, str]]:
    """How often the logs of all jobs say that an item was done, by step and name."""
    times: Counter[tuple[str, str]] = Counter()
    for array in list_arrays(farm.jobs):
        names = re.findall(r"(?m)^\S+ \S+ (.+): done in [0-9.]+ s$", log_of(array))
        times.update((array.step, name) for name in names)
    return times


def log_of(array: JobArray) -> str:
    return "".join(path.read_text() for path in sorted((array.folder / "logs").glob("*.log")))


@pytest.mark.usefixtures("slurm_cluster")
def test_on_a_real_slurm(
    expected: dict[str, str], inputs: Path, tmp_path: Path, setup_lines: list[str]
) -> None:
    batch = {"kind": "slurm", "memory": "200MB", "items_per_job": 25, "setup": setup_lines}
    check_jobs_through_kills(Farm(tmp_path, inputs, batch=batch), expected, FILES)


@pytest.mark.usefixtures("condor_pool")
def test_on_the_stand_in_for_htcondor(few: Path, tmp_path: Path, setup_lines: list[str]) -> None:
    skim(config_of(few, tmp_path / "here", **CUTS), executor=Here())
    batch = {"kind": "htcondor", "items_per_job": 4, "setup": setup_lines}
    check_jobs_through_kills(Farm(tmp_path, few, batch=batch), hashes(tmp_path / "here"), FEW)


def test_one_of_two_hundred_that_is_lost_is_made_again_alone(
    made: Farm, expected: dict[str, str], inputs: Path, tmp_path: Path
) -> None:
    output = shutil.copytree(made.output, tmp_path / "out")
    (output / "mc20a" / "198.root").unlink()
    here = Here()
    assert list(skim(config_of(inputs, output, **CUTS), executor=here).made) == ["mc20a/198"]
    assert len(here.worked) == 2
    assert hashes(output) == expected
