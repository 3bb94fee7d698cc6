"""Runs a study: makes the plan true, stage by stage, so that a kill at any moment costs nothing."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from quarkline.engine.compute.threads import available_cores, limited_threads
from quarkline.engine.core.config import ConfigFile
from quarkline.engine.core.findings import Finding, InputError, Severity
from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.store.locks import living_holder, lock, locked_finding
from quarkline.engine.store.provenance import now, provenance
from quarkline.engine.workflow import runs
from quarkline.engine.workflow.plan import Plan, PlannedStage, make_plan
from quarkline.engine.workflow.runs import Run
from quarkline.engine.workflow.stage import Conditions, Context, Progress, Silent
from quarkline.engine.workflow.store import StageRecord, StageStore
from quarkline.engine.workflow.study import Study, StudyConfig, runs_root, study_of

log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Who watches a run; the command line draws bars, a library caller needs nothing."""

    def starts(self, item: PlannedStage) -> Progress:
        """A stage starts; gives where it reports progress."""

    def ends(self, item: PlannedStage, record: StageRecord, seconds: float | None) -> None:
        """A stage is finished, or was found finished (`seconds` is None)."""


class Unwatched:
    """A run nobody watches."""

    def starts(self, _: PlannedStage) -> Progress:
        """Watch nothing."""
        return Silent()

    def ends(self, _: PlannedStage, __: StageRecord, ___: float | None) -> None:
        """Watch nothing."""


@dataclass(frozen=True)
class Analysis:
    """A config with everything that follows from it.

    Attributes:
        file: The config as written.
        study: The study it asks for.
        config: The validated config.
        folder: `runs/<name>`.
    """

    file: ConfigFile
    study: Study
    config: StudyConfig
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", runs_root(self.config) / self.config.name)

    @property
    def store(self) -> StageStore:
        """The finished stages of this name."""
        return runs.stage_store(self.folder)


def open_analysis(file: ConfigFile) -> Analysis:
    """Validate a config with the study it names.

    Raises:
        InputError: With one finding for each mistake.
    """
    study = study_of(file)
    return Analysis(file, study, file.validate(study.Config))


def check_analysis(analysis: Analysis) -> list[Finding]:
    """The study's findings on the inputs; the warnings among them.

    Raises:
        InputError: If any of them is an error.
    """
    findings = analysis.study.checks(analysis.config)
    errors = [item for item in findings if item.severity is Severity.ERROR]
    if errors:
        raise InputError(*errors)
    return findings


def plan_analysis(
    analysis: Analysis, *, only: str | None = None, until: str | None = None, verify: bool = False
) -> Plan:
    """The plan of an analysis, compared with the newest run of its name."""
    earlier = runs.list_runs(analysis.folder) if analysis.folder.is_dir() else []
    previous = {name: record for run in earlier for name, record in _surviving(run).items()}
    return make_plan(
        analysis.study.stages(analysis.config),
        analysis.store,
        previous=previous,
        only=only,
        until=until,
        verify=verify,
    )


def run_analysis(
    analysis: Analysis,
    plan: Plan,
    *,
    new: bool = False,
    watcher: Watcher | None = None,
) -> Run:
    """Run every wanted stage that is not finished, and write the run's folder.

    An equal config continues or repeats the newest run; a changed one, or `new`, gets a new
    number and reuses the stages that are equal.

    Raises:
        InputError: If another process is at work on this run; nothing has been written then.
        QuarklineError: What a stage raised.
    """
    folder = _run_folder(analysis, plan, new)
    watcher = watcher or Unwatched()
    with lock(folder / runs.LOCK), _logged(folder):
        started = now()
        _write_config(folder, analysis)
        conditions = _conditions(analysis.config)
        finished: dict[str, StageRecord] = {}
        run = _record_run(folder, analysis, plan, finished)
        for item in plan.stages:
            record = item.record
            if record is not None:
                watcher.ends(item, record, None)
            elif item.stage.name in plan.wanted:
                record = _run_stage(item, finished, analysis.store, conditions, watcher)
            if record is not None:
                finished[item.stage.name] = record
                run = _record_run(folder, analysis, plan, finished)
        runs.write_results(folder, analysis.study.name, run.results())
        _write_provenance(folder, plan, finished, conditions, started)
        return run


def _record_run(
    folder: Path, analysis: Analysis, plan: Plan, finished: Mapping[str, StageRecord]
) -> Run:
    return runs.write_run(
        folder,
        study=analysis.study.name,
        identity=plan.identity,
        stages=finished,
        complete=len(finished) == len(plan.stages),
    )


def _surviving(run: Run) -> dict[str, StageRecord]:
    """The stages of a run whose folders still exist."""
    root = run.folder.parent / runs.STAGES
    return {
        name: run.record(name) for name, folder in run.stages.items() if (root / folder).is_dir()
    }


def _run_folder(analysis: Analysis, plan: Plan, new: bool) -> Path:
    earlier = runs.list_runs(analysis.folder) if analysis.folder.is_dir() else []
    equal = [run for run in earlier if run.identity == plan.identity]
    if new or not equal:
        return runs.new_run_folder(analysis.folder)
    folder = equal[-1].folder
    if holder := living_holder(folder / runs.LOCK):
        raise InputError(locked_finding(folder / runs.LOCK, holder))
    return folder


def _conditions(config: StudyConfig) -> Conditions:
    workers = config.compute.workers or available_cores()
    return Conditions(workers=workers, device=config.compute.device)


def _run_stage(
    item: PlannedStage,
    finished: Mapping[str, StageRecord],
    store: StageStore,
    conditions: Conditions,
    watcher: Watcher,
) -> StageRecord:
    stage = item.stage
    with store.writing(stage.name, item.key) as partial:
        if record := store.find(stage.name, item.key):
            watcher.ends(item, record, None)
            return record
        log.info("stage %s (%s): %s", stage.name, item.key, item.why)
        context = Context(
            stage=stage.name,
            version=stage.version,
            config=stage.config,
            inputs=_inputs(item, finished),
            out=partial,
            items=store.root.parent / runs.ITEMS,
            conditions=conditions,
            progress=watcher.starts(item),
        )
        started, clock = now(), time.perf_counter()
        with limited_threads(1):
            outputs = stage.run(context)
        seconds = time.perf_counter() - clock
        record = store.publish(
            partial,
            stage=stage.name,
            version=stage.version,
            key=item.key,
            config=stage.config.model_dump(mode="json", by_alias=True),
            inputs=item.inputs,
            outputs=outputs,
            summary=context.summaries,
            provenance=provenance()
            | {"started": started, "seconds": round(seconds, 3), "workers": conditions.workers},
        )
    log.info("stage %s: done in %.1f s", stage.name, seconds)
    watcher.ends(item, record, seconds)
    return record


def _inputs(item: PlannedStage, finished: Mapping[str, StageRecord]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, source in item.stage.inputs.items():
        if isinstance(source, str):
            parent, _, output = source.partition(".")
            values[name] = finished[parent].outputs[output]
        else:
            values[name] = source.paths
    return values


def _write_config(folder: Path, analysis: Analysis) -> None:
    write_atomic(folder / runs.CONFIG, analysis.file.text)
    resolved = analysis.config.model_dump(mode="json", by_alias=True)
    write_atomic(folder / runs.RESOLVED, pretty_json(resolved))


def _write_provenance(
    folder: Path,
    plan: Plan,
    finished: Mapping[str, StageRecord],
    conditions: Conditions,
    started: str,
) -> None:
    path = folder / runs.PROVENANCE
    earlier = json.loads(path.read_text())["attempts"] if path.exists() else []
    attempt = provenance() | {
        "started": started,
        "workers": conditions.workers,
        "device": conditions.device,
        "ran": [
            item.stage.name
            for item in plan.stages
            if item.record is None and item.stage.name in finished
        ],
        "weak_keys": sorted({file for item in plan.stages for file in item.weak}),
    }
    write_atomic(path, pretty_json({"attempts": [*earlier, attempt]}))


def _was_run(item: PlannedStage, finished: Mapping[str, StageRecord]) -> bool:
    return item.record is None and item.stage.name in finished


@contextmanager
def _logged(folder: Path) -> Iterator[None]:
    """Copy the library's log into the run's folder."""
    handler = logging.FileHandler(folder / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s  %(message)s"))
    logger = logging.getLogger("quarkline")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        yield
    except Exception:
        logger.exception("the run ended with an error")
        raise
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        handler.close()
