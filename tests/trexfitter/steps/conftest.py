"""Runs the actions of jobs here, without drawing, unless a test wants figures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import pytest

from quarkline.engine.compute.job import load_task
from quarkline.engine.compute.outcome import Done
from quarkline.figures import fits
from quarkline.tools.trexfitter import load_job
from quarkline.trexfitter.actions import ActionsDone, run_actions
from quarkline.trexfitter.steps import work


@dataclass
class Here:
    """Does parts one after another in this process."""

    tasks: list[str] = field(default_factory=list)

    def check(self) -> None: ...

    def map(self, task, items, *, retries=0):
        self.tasks.append(task)
        for item, folder in items:
            folder.mkdir(parents=True, exist_ok=True)
            value = load_task(task)(item.args, item.inputs, folder)
            yield Done(item.name, value, folder)


@pytest.fixture
def official(data_folder: Path, tmp_path: Path) -> Path:
    """A folder with TRExFitter's own examples as they are in its repository."""
    source = data_folder / "trexfitter_configs" / "official_tests"
    shutil.copytree(source / "configs", tmp_path / "configs")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "inputs").symlink_to(source / "inputs")
    return tmp_path


@pytest.fixture
def reference(data_folder: Path) -> Path:
    return data_folder / "trexfitter_configs" / "official_tests" / "reference"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Figures are only listed, by the names they would have, and not made."""
    stems: list[Path] = []
    for name in fits.__all__:
        if name.startswith("plot_"):
            monkeypatch.setattr(fits, name, lambda *_, **__: None)
    monkeypatch.setattr(work.Output, "draw", lambda _, figure, stem: stems.append(stem))
    monkeypatch.setattr(work.Output, "take", lambda _, folder, stem: stems.append(stem))
    monkeypatch.setattr(import_module("quarkline.figures.save"), "save", lambda *_, **__: [])
    return stems


@pytest.fixture
def run() -> Callable[..., ActionsDone]:
    """Carries out the letters of a config."""

    def run(letters: str, config: Path, options: str = "", **more) -> ActionsDone:
        job = load_job(config, options, output=config.parents[1] / "out", **more)
        return run_actions(job, letters, executor=Here())

    return run
