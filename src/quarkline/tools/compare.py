"""Compare runs of the tagging study: their epochs, losses, efficiencies and settings."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from quarkline.engine.core.config import Config, load_config
from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.store.atomic import make_folder
from quarkline.engine.workflow.runs import RESOLVED, Run, find_run
from quarkline.studies.tagging.analyze.config import AnalyzeConfig
from quarkline.studies.tagging.analyze.results import Judged
from quarkline.studies.tagging.compare.report import compare_runs
from quarkline.studies.tagging.compare.runs import ComparedRun, flat
from quarkline.tools.models import RUNS
from quarkline.tools.plot import Written, written
from quarkline.tools.taggers import ANALYZE, named, trainings_of

JUDGED = "judged"
NOT_COMPARED = ("roots", "compute", "name", "schema", "study")
"""Settings that change no result."""


class _ChoiceConfig(Config):
    """How an epoch is chosen, as the command line says it."""

    schema_version: Literal[1] = Field(1, alias="schema")
    analyze: AnalyzeConfig = Field(default_factory=AnalyzeConfig)


NO_RUNS = Rule(
    "QL-TAG-090",
    "runs are compared that are named, each once",
    "`quarkline compare calratio calratio/-2` compares the newest run with the one before; folders "
    "of runs are taken, too.",
)


def compare(
    runs: Sequence[str],
    *,
    output: Path = Path("reports/compare.md"),
    settings: Sequence[str] = (),
    root: Path = RUNS,
) -> Written:
    """Write a report that compares runs.

    Args:
        runs: Runs as `NAME`, `NAME/NUMBER` or a folder.
        output: The Markdown file; the HTML file stands beside it.
        settings: `key=value` texts for the choice, such as `analyze.ks_limit=0.2`.
        root: Folder of all runs.

    Raises:
        InputError: If a run is not there, of another study, not trained, or named twice.
    """
    found = [find_run(text, root) for text in runs]
    names = [named(run) for run in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not found or twice:
        told = f"run {twice[0]} is named twice" if twice else "no run is named"
        raise InputError(NO_RUNS.finding(told, suggestion="`quarkline list` shows all runs"))
    config = load_config(None, overrides=settings).validate(_ChoiceConfig).analyze
    compared = [compared_run(run) for run in found]
    make_folder(output.parent)
    with tempfile.TemporaryDirectory() as folder:
        return written(compare_runs(compared, config, Path(folder)), output)


def compared_run(run: Run) -> ComparedRun:
    """What a comparison takes of a run; trainings are called as commands take them."""
    trainings = trainings_of(run)
    several = len(trainings) > 1
    names = {one.name: f"{named(run)}:{one.name}" if several else named(run) for one in trainings}
    judged = run.record(ANALYZE).results.get(JUDGED) if ANALYZE in run.stages else None
    if isinstance(judged, Judged):
        epochs = tuple(replace(one, training=names[one.training]) for one in judged.epochs)
        judged = replace(judged, epochs=epochs)
    settings = json.loads((run.folder / RESOLVED).read_text())
    kept = {name: value for name, value in settings.items() if name not in NOT_COMPARED}
    return ComparedRun(
        named(run),
        [one.history(names[one.name]) for one in trainings],
        {names[one.name]: one.kept for one in trainings},
        judged if isinstance(judged, Judged) else None,
        flat(kept),
    )
