"""A skim killed at any moment and started again equals one that was never interrupted."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quarkline.engine.store.locks import HALF_WRITTEN_SECONDS
from tests.events.skim.farm import contents, write_ntuple

MAIN = Path(__file__).parent / "skim_main.py"


class Bench:
    """A folder in which the command line skims two small files, and may be killed."""

    def __init__(self, folder: Path, inputs: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        shutil.copytree(inputs, folder / "in")

    def start(self, **environment: str) -> subprocess.Popen[str]:
        options = ("--select", "flag == 1", "--merge", "sample", "--max-size", "75kB")
        trees = ("--tree", "nominal", "--copy-tree", "sumWeights", "--workers", "2")
        arguments = ("skim", "in/1.root", "in/2.root", "-o", "runs/out", *options, *trees)
        return subprocess.Popen(
            [sys.executable, str(MAIN), *arguments],
            cwd=self.folder,
            env=os.environ | {"QUARKLINE_CACHE": str(self.folder / "cache")} | environment,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, **environment: str) -> None:
        process = self.start(**environment)
        _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err

    def contents(self) -> dict[str, bytes]:
        return contents(self.folder / "runs" / "out")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small files."""
    folder = tmp_path_factory.mktemp("inputs")
    for number in (1, 2):
        write_ntuple(folder / f"{number}.root", 600 * number, number)
    return folder


@pytest.fixture(scope="module")
def uninterrupted(
    inputs: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], int]:
    """Everything an uninterrupted skim leaves, and how often its client changed files."""
    bench = Bench(tmp_path_factory.mktemp("uninterrupted"), inputs)
    counter = bench.folder / "changes.txt"
    bench.finish(TOY_CHANGES=str(counter))
    return bench.contents(), int(counter.read_text())


def check_resumes(bench: Bench, expected: dict[str, bytes]) -> None:
    wait_for_others(bench)
    long_ago = time.time() - 2 * HALF_WRITTEN_SECONDS
    for claim in bench.folder.rglob("*.claim"):  # an empty one is cleared when it is old enough
        os.utime(claim, (long_ago, long_ago))
    bench.finish()
    left = {name: content for name, content in bench.contents().items() if ".claim" not in name}
    assert left == expected


def wait_for_others(bench: Bench) -> None:
    """Wait until what the killed client had started is gone."""
    deadline = time.monotonic() + 20
    while any(str(bench.folder) in where for where in working_folders()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def working_folders() -> list[str]:
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            found.append(str(link.readlink()))
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_client_is_killed_at_changes_of_the_file_system(uninterrupted, inputs, tmp_path):
    expected, changes = uninterrupted
    assert changes >= 20
    moments = sorted(random.Random(3).sample(range(1, changes + 1), 10))
    for moment in moments:
        bench = Bench(tmp_path / str(moment), inputs)
        process = bench.start(TOY_KILL=f"main|{moment}|alone")
        _, err = process.communicate(timeout=200)
        assert process.returncode == -signal.SIGKILL, err
        check_resumes(bench, expected)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("victim", ["alone", "parent", "group"])
def test_a_worker_is_killed_while_it_writes(uninterrupted, inputs, tmp_path, victim):
    """Alone it is replaced at once; with its client the next one goes on."""
    expected, _ = uninterrupted
    bench = Bench(tmp_path, inputs)
    process = bench.start(TOY_KILL=f"worker|os.rename *part.parquet*|{victim}")
    _, err = process.communicate(timeout=200)
    assert process.returncode in ({1} if victim == "alone" else {-signal.SIGKILL}), err
    check_resumes(bench, expected)
