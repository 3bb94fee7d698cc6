"""All runs below a folder, as rows for a person or a script."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.core.findings import InputError, QuarklineError, Rule
from quarkline.engine.workflow.runs import Run, list_runs
from quarkline.engine.workflow.study import find_study

NO_FOLDER = Rule(
    "QL-RUN-012",
    "runs are listed from a folder",
    "`quarkline list` takes the folder of all runs, which is `runs` unless the config says "
    "otherwise by `roots: {runs: FOLDER}`.",
)


@dataclass(frozen=True)
class RunRow:
    """One run in a list.

    Attributes:
        name: The analysis's name.
        number: The run's number.
        study: Its study.
        state: `done`, `running` or `unfinished`.
        time: When it was last worked on.
        headline: Its result in one sentence; empty while it is unfinished, and what is wrong
            where it cannot be read.
        folder: Where it is.
    """

    name: str
    number: int
    study: str
    state: str
    time: str
    headline: str
    folder: Path


def rows(root: Path) -> list[RunRow]:
    """Every run below `root`, by name and number.

    Raises:
        InputError: If `root` is not a folder.
    """
    if not root.is_dir():
        raise InputError(NO_FOLDER.finding(f"there is no folder `{root}`"))
    folders = sorted(path for path in root.glob("*") if path.is_dir())
    return [_row(run) for folder in folders for run in list_runs(folder)]


def _row(run: Run) -> RunRow:
    attempts = run.provenance().get("attempts", [])
    return RunRow(
        name=run.name,
        number=run.number,
        study=run.study,
        state=run.state,
        time=attempts[-1].get("ended") or attempts[-1]["time"] if attempts else "",
        headline=_headline(run) if run.complete else "",
        folder=run.folder,
    )


def _headline(run: Run) -> str:
    try:
        return find_study(run.study).headline(run.results())
    except QuarklineError as error:
        return error.findings[0].message
