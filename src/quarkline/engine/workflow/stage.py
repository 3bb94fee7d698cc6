"""Stages: the steps of a study, as pure functions of declared inputs."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from pydantic import BaseModel

from quarkline.engine.compute.executors import Executor
from quarkline.engine.compute.job import Task, task_name
from quarkline.engine.compute.local import LocalWorkers, failures, finished
from quarkline.engine.compute.outcome import Done, Failed, Item, Outcome
from quarkline.engine.core import rng as random_numbers
from quarkline.engine.core.findings import Finding, Rule, WorkError
from quarkline.engine.core.results import Result, jsonable
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.keys import SHORT, content_key

log = logging.getLogger(__name__)

ITEM_FAILED = Rule(
    "QL-RUN-003",
    "every item of a stage finishes",
    "A stage split its work into items and some of them failed on every attempt. The finished "
    "items are kept: mend the cause and run again, and only the failed ones are repeated.",
)

SHOWN_FAILURES = 5
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")

R = TypeVar("R", bound=Result)
Output = Path | Result


@dataclass(frozen=True)
class Files:
    """Files from outside as the input of a stage; their key is their content, not their names."""

    paths: tuple[Path, ...]


class Progress(Protocol):
    """Where a stage says how far it is."""

    def update(self, done: float, total: float, text: str = "") -> None:
        """Report `done` of `total` units of work, with a short text."""


class Silent:
    """Progress that nobody watches."""

    def update(self, done: float, total: float, text: str = "") -> None:
        """Report nothing."""


@dataclass(frozen=True)
class Conditions:
    """How a run computes; none of it may change a result, so none of it is in a key.

    Attributes:
        workers: Number of processes of this computer.
        device: "auto", "cpu" or "cuda".
        executor: What runs the items of stages.
    """

    workers: int = 1
    device: str = "auto"
    executor: Executor = field(default_factory=LocalWorkers)


def _to_nobody(_: Mapping[str, Path]) -> None:
    """Tell nobody of the items of a stage."""


@dataclass(frozen=True)
class Context:
    """What a stage may use while it runs.

    Attributes:
        stage: Name of the stage.
        version: Version of the stage.
        config: The config keys it declared.
        inputs: Each declared input: a path, a result value, or the paths of `Files`.
        out: Where it writes its output files; empty at the start of every attempt.
        items: Where finished items are, shared by all stages of the run's name.
        conditions: Workers, device and executor.
        progress: Where to say how far it is.
        summaries: What it found, in short lines shown for cached stages, too.
        hand_out: Is told the folder of each item, by `step/name`, before `map` starts on them.
    """

    stage: str
    version: int
    config: Any
    inputs: Mapping[str, Any]
    out: Path
    items: Path
    conditions: Conditions = field(default_factory=Conditions)
    progress: Progress = field(default_factory=Silent)
    summaries: list[str] = field(default_factory=list)
    hand_out: Callable[[Mapping[str, Path]], None] = _to_nobody

    def path(self, name: str) -> Path:
        """The file of an input."""
        return cast("Path", self.inputs[name])

    def files(self, *names: str) -> dict[str, Path]:
        """Some file inputs by name, as an item takes them."""
        return {name: self.path(name) for name in names}

    def place(self, source: Path, target: Path) -> Path:
        """Put a file or folder of an item into the stage's folder, without a copy if possible."""
        if source.is_dir():
            shutil.copytree(source, target, copy_function=_link_or_copy)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            _link_or_copy(source, target)
        return target

    def result(self, name: str, kind: type[R]) -> R:
        """The result value of an input.

        Raises:
            TypeError: If the input is something else.
        """
        value = self.inputs[name]
        if not isinstance(value, kind):
            msg = f"input `{name}` of stage `{self.stage}` is {type(value)}, not {kind}"
            raise TypeError(msg)
        return value

    def rng(self, *names: str | int) -> np.random.Generator:
        """A generator keyed by the config's seed, the stage and `names`."""
        return random_numbers.rng(self.config.seed, self.stage, *names)

    def summary(self, text: str) -> None:
        """Say in one short line what was found."""
        self.summaries.append(text)

    def map(self, step: str, task: Task, items: Sequence[Item], *, retries: int = 0) -> list[Done]:
        """Run a task on every item, wherever the run computes; finished items survive a kill.

        Args:
            step: Name of this step in the stage.
            task: An importable function `task(args, inputs, folder) -> JSON value`.
            items: The units of work.
            retries: How often a failed item is tried again.

        Raises:
            WorkError: With one finding for each item that failed.
        """
        executor = self.conditions.executor
        pairs = self._with_folders(step, items)
        self.hand_out({f"{step}/{item.name}": folder for item, folder in pairs})
        outcomes: list[Outcome] = []
        for outcome in executor.map(task_name(task), pairs, retries=retries):
            outcomes.append(outcome)
            self.progress.update(len(outcomes), len(items), outcome.name)
        if failed := failures(outcomes):
            raise WorkError(*self._findings(failed, len(items)))
        return finished(outcomes)

    def _with_folders(self, step: str, items: Sequence[Item]) -> list[tuple[Item, Path]]:
        """Each item, its arguments as JSON values, with the folder named by its key."""
        paths = {path for item in items for path in item.inputs.values()}
        keys = {path: _path_key(path) for path in paths}
        pairs = []
        for item in items:
            content = {
                "stage": self.stage,
                "version": self.version,
                "step": step,
                "args": item.args,
                "inputs": {name: keys[path] for name, path in item.inputs.items()},
            }
            folder = self.items / f"{self.stage}-{content_key(content)[:SHORT]}"
            pairs.append((replace(item, args=jsonable(item.args)), folder))
        return pairs

    def _findings(self, failed: Sequence[Failed], items: int) -> list[Finding]:
        for item in failed:
            log.error("%s: %s failed\n%s", self.stage, item.name, item.details or item.reason)
        shown = [f"{self.stage}: {item.name}: {item.reason}" for item in failed[:SHOWN_FAILURES]]
        if len(failed) > SHOWN_FAILURES:
            shown.append(f"{self.stage}: {len(failed)} of {items} items failed; the log has all")
        return [ITEM_FAILED.finding(message) for message in shown]


def _path_key(path: Path) -> str | dict[str, str]:
    """The content of an item's input: of a file, or of every file below a folder."""
    if not path.is_dir():
        return file_key(path).digest
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): file_key(file).digest for file in files}


@dataclass(frozen=True)
class Stage:
    """One step of a study.

    Attributes:
        name: Its name; also the name of its folders.
        version: Bumped when the output changes for equal input.
        config: Only the keys this stage reads; all of it is in the content key.
        inputs: Each input by name: "stage.output" of an earlier stage, or `Files`.
        outputs: Names of its outputs.
        run: The work; returns the outputs by name, files below `context.out` or result values.
    """

    name: str
    version: int
    config: BaseModel
    inputs: Mapping[str, str | Files]
    outputs: tuple[str, ...]
    run: Callable[[Context], Mapping[str, Output]]

    def __post_init__(self) -> None:
        try:
            content_key(self.config.model_dump(by_alias=True))
        except (TypeError, ValueError) as error:
            msg = f"config of stage `{self.name}`: {error}"
            raise ValueError(msg) from error

    @property
    def values(self) -> dict[str, Any]:
        """The config as JSON values, as it enters the content key."""
        return cast("dict[str, Any]", jsonable(self.config.model_dump(by_alias=True)))

    @property
    def parents(self) -> list[str]:
        """The stages this one reads from, each once, in order."""
        names = [
            str(item).partition(".")[0] for item in self.inputs.values() if isinstance(item, str)
        ]
        return list(dict.fromkeys(names))


def _link_or_copy(source: str | Path, target: str | Path) -> None:
    """Hard-link a file, which is never changed again; copy it where that is not possible."""
    try:
        os.link(source, target)
    except FileExistsError:  # never write into it: it may be another item's file
        raise
    except OSError:
        shutil.copy2(source, target)


def check_stages(stages: Sequence[Stage]) -> None:
    """Refuse stages with a bad or repeated name, or with an input no earlier stage puts out.

    Raises:
        ValueError: A mistake of the study's author, not of its user.
    """
    ready: set[str] = set()
    names: set[str] = set()
    for stage in stages:
        wanted = {item for item in stage.inputs.values() if isinstance(item, str)}
        bad = [name for name in (stage.name, *stage.outputs) if not NAME.fullmatch(name)]
        if stage.name in names or wanted - ready or bad:
            msg = f"stage `{stage.name}` repeats, is misnamed or reads what no stage puts out: "
            raise ValueError(msg + ", ".join(sorted({*bad, *(wanted - ready)})))
        names.add(stage.name)
        ready |= {f"{stage.name}.{output}" for output in stage.outputs}


def merge_results(parts: Iterable[Mapping[str, Result]]) -> dict[str, Result]:
    """The results of several stages as one mapping.

    Raises:
        ValueError: If two stages name a result alike.
    """
    merged: dict[str, Result] = {}
    for part in parts:
        if clash := merged.keys() & part.keys():
            msg = f"two stages name a result alike: {sorted(clash)}"
            raise ValueError(msg)
        merged.update(part)
    return merged
