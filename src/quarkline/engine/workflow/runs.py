"""Runs: numbered folders with the config, pointers to stages, results and provenance."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import (
    InputError,
    QuarklineError,
    Rule,
    WorkError,
    did_you_mean,
)
from quarkline.engine.core.results import Result, pretty_json, result_from_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.store.locks import living_holder
from quarkline.engine.workflow.stage import merge_results
from quarkline.engine.workflow.store import StageRecord, StageStore, read_record
from quarkline.engine.workflow.study import find_study

RUN = "run.json"
CONFIG = "config.yaml"
RESOLVED = "resolved.json"
RESULTS = "results.json"
PROVENANCE = "provenance.json"
LOCK = ".lock"
STAGES = "stages"
ITEMS = "items"
JOBS = "jobs"

NO_RUN = Rule(
    "QL-RUN-004",
    "a run is named by its folder, or by name and number",
    "Write the folder (`runs/upsilon/00003`), the name and number (`upsilon/3`), or the name for "
    "its newest run (`upsilon`, `upsilon/-1`; `upsilon/-2` is the one before). `quarkline list` "
    "shows all runs.",
)


@dataclass(frozen=True)
class Run:
    """One run's folder.

    Attributes:
        folder: `runs/<name>/<NNNNN>`.
        name: The analysis's name.
        number: Its number, from 1.
        study: The study's name.
        identity: Equal for runs of equal configs.
        stages: Folder name of each stage that is finished, in order.
        complete: Whether every stage of the study is finished.
    """

    folder: Path
    name: str
    number: int
    study: str
    identity: str
    stages: Mapping[str, str]
    complete: bool

    def record(self, stage: str) -> StageRecord:
        """A finished stage of this run.

        Raises:
            InputError: If its study, which knows what its results are, is not installed.
            WorkError: If its folder is damaged.
        """
        find_study(self.study)
        return read_record(self.folder.parent / STAGES / self.stages[stage])

    def records(self) -> dict[str, StageRecord]:
        """The finished stages of this run, in order."""
        return {stage: self.record(stage) for stage in self.stages}

    def results(self) -> dict[str, Result]:
        """The results of all finished stages."""
        return merge_results(record.results for record in self.records().values())

    def provenance(self) -> dict[str, Any]:
        """When, where and with what it ran."""
        path = self.folder / PROVENANCE
        return json.loads(path.read_text()) if path.exists() else {}

    @property
    def state(self) -> str:
        """`done`, `running` or `unfinished`."""
        if living_holder(self.folder / LOCK):
            return "running"
        return "done" if self.complete else "unfinished"


@dataclass(frozen=True)
class History:
    """What earlier runs of a name tell about a new one.

    Attributes:
        records: The newest finished stage of each name that is still there.
        folders: Names of all stage folders that runs point to, there or not.
        verified: Hash of all bytes by weak key, of the large input files that were verified.
    """

    records: Mapping[str, StageRecord] = field(default_factory=dict)
    folders: frozenset[str] = frozenset()
    verified: Mapping[str, str] = field(default_factory=dict)


def read_history(folder: Path) -> History:
    """The history of `runs/<name>`; damaged stages and those of unknown studies are left out."""
    records: dict[str, StageRecord] = {}
    verified: dict[str, str] = {}
    runs = list_runs(folder)
    for run in reversed(runs):
        for stage in run.stages.keys() - records.keys():
            with contextlib.suppress(QuarklineError):
                records[stage] = run.record(stage)
        for attempt in run.provenance().get("attempts", []):
            verified.update(attempt.get("verified", {}))
    folders = frozenset(name for run in runs for name in run.stages.values())
    return History(records, folders, verified)


def read_results(path: Path) -> dict[str, Result]:
    """Read a `results.json`."""
    return {
        name: result_from_json(item)
        for name, item in json.loads(path.read_text())["results"].items()
    }


def write_results(folder: Path, study: str, results: Mapping[str, Result]) -> Path:
    """Write `results.json`: reproducible content only, so equal runs are equal byte for byte."""
    content = {"schema": "quarkline.results/1", "study": study, "results": dict(results)}
    return write_atomic(folder / RESULTS, pretty_json(content))


def write_run(
    folder: Path, *, study: str, identity: str, stages: Mapping[str, StageRecord], complete: bool
) -> Run:
    """Record which finished stages a run points to."""
    content = {
        "schema": "quarkline.run/1",
        "study": study,
        "identity": identity,
        "stages": [[name, record.folder.name] for name, record in stages.items()],
        "complete": complete,
    }
    write_atomic(folder / RUN, pretty_json(content))
    return read_run(folder)


def read_run(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        WorkError: If it is not a run, or damaged.
    """
    try:
        data = json.loads((folder / RUN).read_text())
        return Run(
            folder=folder,
            name=folder.parent.name,
            number=int(folder.name),
            study=data["study"],
            identity=data["identity"],
            stages=dict(data["stages"]),
            complete=data["complete"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WorkError(NO_RUN.finding(f"{folder} is not a readable run: {error}")) from error


def list_runs(folder: Path) -> list[Run]:
    """All runs of one name (`runs/<name>`), oldest first; folders still being made are left out."""
    numbered = sorted(path for path in folder.glob("[0-9]*") if path.name.isdigit())
    return [read_run(path) for path in numbered if (path / RUN).exists()]


def next_run_folder(folder: Path) -> Path:
    """The folder of the next number; one that was left empty by a killed attempt is taken up.

    The caller holds the lock of `folder`, so that nobody else is between choosing and writing.
    """
    used = [
        int(path.name)
        for path in folder.glob("[0-9]*")
        if path.name.isdigit() and any(not item.name.startswith(".") for item in path.iterdir())
    ]
    path = folder / f"{max(used, default=0) + 1:05d}"
    path.mkdir(exist_ok=True)
    return path


def find_run(text: str, root: Path) -> Run:
    """The run a user means: its folder, `NAME/NUMBER`, or `NAME` for its newest run.

    A negative number counts from the newest run, which is -1.

    Raises:
        InputError: If there is none.
    """
    for folder in (Path(text).absolute(), root / text):
        if (folder / RUN).exists():
            return read_run(folder)
        if folder.is_dir() and (runs := list_runs(folder)):
            return runs[-1]
    if found := _numbered(text, root):
        return found
    names = [path.name for path in root.glob("*") if path.is_dir()]
    raise InputError(
        NO_RUN.finding(
            f"there is no run `{text}`", suggestion=did_you_mean(text, names, what="runs")
        )
    )


def _numbered(text: str, root: Path) -> Run | None:
    """The run that `NAME/3` or `NAME/-1` names; None if it is not there."""
    name, _, number = text.rpartition("/")
    if not re.fullmatch(r"-?\d+", number) or not name:
        return None
    runs = list_runs(root / name) or list_runs(Path(name))
    wanted = int(number)
    if wanted < 0:
        return runs[wanted] if -wanted <= len(runs) else None
    return next((run for run in runs if run.number == wanted), None)


def stage_store(folder: Path) -> StageStore:
    """The store shared by all runs of one name."""
    return StageStore(folder / STAGES)
