"""The command line in this process, as a person would call it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine" / "workflow"))

import toy  # noqa: F401  (registers its study)

from quarkline.cli.main import main
from quarkline.tools.run import load_analysis, run


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def quarkline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., Answer]]:
    """Calls the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    before = signal.getsignal(signal.SIGTERM)

    def call(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["quarkline", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Answer(int(ended.value.code or 0), out, err)

    yield call
    signal.signal(signal.SIGTERM, before)


TOY = "schema: 1\nstudy: toy\nname: bench\ninputs: [a.txt]\nseed: 5\ncompute: {workers: 1}\n"


def write_config(folder: Path) -> Path:
    (folder / "a.txt").write_text("1 2\n")
    (folder / "bench.yaml").write_text(TOY)
    return Path("bench.yaml")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A toy config in the folder of the command line."""
    return write_config(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    with contextlib.chdir(folder):
        run(load_analysis(write_config(folder)))
    return folder / "runs"


@pytest.fixture
def ran(config: Path, finished: Path, tmp_path: Path) -> Path:
    """The same after it has been run."""
    shutil.copytree(finished, tmp_path / "runs")
    return config
