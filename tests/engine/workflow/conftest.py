"""Fixtures with the toy study."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # workers import the toy's tasks by name

from bench import Bench, make_bench


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of a finished toy analysis."""
    bench = make_bench(tmp_path_factory.mktemp("finished"))
    bench.run()
    return bench.runs


@pytest.fixture
def ran(bench: Bench, finished: Path) -> Bench:
    """The toy analysis after it has been run."""
    shutil.copytree(finished, bench.runs)
    return bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = make_bench(tmp_path / "bench")
    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("TOY_TRACE", str(bench.trace))
    yield bench
    for process in bench.started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
