"""Runs a study: makes the plan true, stage by stage, so that a kill at any moment costs nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from quarkline.engine.compute.executors import open_executor
from quarkline.engine.compute.threads import available_cores, limited_threads
from quarkline.engine.core.config import ConfigFile
from quarkline.engine.core.findings import (
    Finding,
    InputError,
    QuarklineError,
    Rule,
    Severity,
    WorkError,
)
from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.atomic import not_writable, remove_leftovers, write_atomic
from quarkline.engine.store.locks import lock, remove_abandoned
from quarkline.engine.store.provenance import now, provenance
from quarkline.engine.workflow import runs
from quarkline.engine.workflow.plan import Plan, PlannedStage, make_plan
from quarkline.engine.workflow.runs import Run
from quarkline.engine.workflow.stage import (
    Conditions,
    Context,
    Output,
    Progress,
    Silent,
    Stage,
)
from quarkline.engine.workflow.store import StageRecord, StageStore
from quarkline.engine.workflow.study import Study, StudyConfig, runs_root, study_of

log = logging.getLogger(__name__)

STAGE_FAILED = Rule(
    "QL-RUN-007",
    "every stage finishes",
    "A stage ended with an error Quarkline did not foresee. The log has the whole story; finished "
    "stages and items are kept, and running again takes up from there.",
)


class Watcher(Protocol):
    """Who watches a run; the command line draws bars, a library caller needs nothing."""

    def watching(self, folder: Path) -> AbstractContextManager[object]:
        """The run's folder is chosen; the context lasts as long as the run works in it."""

    def starts(self, item: PlannedStage) -> Progress:
        """A stage starts; gives where it reports progress."""

    def hands_out(self, item: PlannedStage, folders: Mapping[str, Path]) -> None:
        """A stage hands out items: by `step/name`, the folder of each once it is finished."""

    def ends(self, item: PlannedStage, record: StageRecord, seconds: float | None) -> None:
        """A stage is finished, or was found finished (`seconds` is None)."""


class Unwatched:
    """A run nobody watches."""

    def watching(self, _: Path) -> AbstractContextManager[object]:
        """Watch nothing."""
        return nullcontext()

    def starts(self, _: PlannedStage) -> Progress:
        """Watch nothing."""
        return Silent()

    def hands_out(self, _: PlannedStage, __: Mapping[str, Path]) -> None:
        """Watch nothing."""

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
    """The findings on the config's files and the study's on the inputs; the warnings among them.

    Raises:
        InputError: If any of them is an error.
    """
    findings = [*analysis.file.findings, *analysis.study.checks(analysis.config)]
    errors = [item for item in findings if item.severity is Severity.ERROR]
    if errors:
        raise InputError(*errors)
    return findings


def plan_analysis(
    analysis: Analysis, *, only: str | None = None, until: str | None = None, verify: bool = False
) -> Plan:
    """The plan of an analysis, compared with the newest run of its name."""
    return make_plan(
        analysis.study.stages(analysis.config),
        analysis.store,
        history=runs.read_history(analysis.folder),
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
) -> tuple[Run, Path | None]:
    """Run every wanted stage that is not finished, and write the run's folder.

    An equal config continues or repeats the newest run; a changed one, or `new`, gets a new
    number and reuses the stages that are equal.

    Returns:
        The run, and its report if every stage is finished.

    Raises:
        InputError: If another process is at work on this run, or the cluster or batch system is
            not there; nothing has been written then.
        QuarklineError: What a stage raised.
    """
    watcher = watcher or Unwatched()
    finished = {item.stage.name: item.record for item in plan.stages if item.record}
    conditions = _conditions(analysis)
    if plan.wanted - finished.keys():
        conditions.executor.check()
    with ExitStack() as held:
        folder = held.enter_context(_claimed(analysis, plan, finished, new))
        held.enter_context(logged(folder))
        _clear(analysis, folder)
        attempt = _begin(folder, analysis, plan, conditions)
        held.enter_context(watcher.watching(folder))
        ran: list[str] = []
        for item in plan.stages:
            name = item.stage.name
            if item.record is not None:
                watcher.ends(item, item.record, None)
            elif name in plan.wanted:
                finished[name] = _run_stage(
                    item, finished, analysis.store, conditions, watcher, ran
                )
                _record_run(folder, analysis, plan, finished)
        run = runs.read_run(folder)
        runs.write_results(folder, analysis.study.name, run.results())
        _write_attempt(folder, {**attempt, "ran": ran, "ended": now()})
        with _failing_as_work("report"):
            return run, analysis.study.report(run) if run.complete else None


def finish_stages(analysis: Analysis, *, until: str) -> dict[str, StageRecord]:
    """The finished stages up to `until`, run now if they are not, without a run of their own.

    Raises:
        InputError: If there is no such stage.
        QuarklineError: What a stage raised.
    """
    plan = plan_analysis(analysis, until=until)
    finished = {item.stage.name: item.record for item in plan.stages if item.record}
    conditions = _conditions(analysis)
    for item in plan.stages:
        name = item.stage.name
        if name in plan.wanted and name not in finished:
            finished[name] = _run_stage(item, finished, analysis.store, conditions, Unwatched(), [])
    return {name: finished[name] for name in plan.wanted}


@contextmanager
def _claimed(
    analysis: Analysis, plan: Plan, finished: Mapping[str, StageRecord], new: bool
) -> Iterator[Path]:
    """Choose the run's folder and hold its lock; two processes never choose at the same time."""
    with ExitStack() as held:
        try:
            analysis.folder.mkdir(parents=True, exist_ok=True)
            with lock(analysis.folder / runs.LOCK, wait=True):
                folder = _run_folder(analysis, plan, new)
                held.enter_context(lock(folder / runs.LOCK))
                _record_run(folder, analysis, plan, finished)
        except OSError as error:
            hint = "name a folder of your own: --set roots.runs=FOLDER"
            raise not_writable(analysis.folder, error, hint) from error
        yield folder


def _run_folder(analysis: Analysis, plan: Plan, new: bool) -> Path:
    equal = [run for run in runs.list_runs(analysis.folder) if run.identity == plan.identity]
    return runs.next_run_folder(analysis.folder) if new or not equal else equal[-1].folder


def _record_run(
    folder: Path, analysis: Analysis, plan: Plan, finished: Mapping[str, StageRecord]
) -> None:
    names = [item.stage.name for item in plan.stages]
    runs.write_run(
        folder,
        study=analysis.study.name,
        identity=plan.identity,
        stages={name: finished[name] for name in names if name in finished},
        complete=len(finished) == len(names),
    )


def _clear(analysis: Analysis, folder: Path) -> None:
    """Remove what killed attempts left."""
    analysis.store.clear()
    for place in (analysis.folder, folder, _items(analysis.store)):
        remove_abandoned(place)
    remove_leftovers(folder)


def _items(store: StageStore) -> Path:
    return store.root.parent / runs.ITEMS


def _conditions(analysis: Analysis) -> Conditions:
    config = analysis.config.compute
    return Conditions(
        workers=config.workers or available_cores(),
        device=config.device,
        executor=open_executor(config, folder=analysis.folder / runs.JOBS),
    )


def _run_stage(
    item: PlannedStage,
    finished: Mapping[str, StageRecord],
    store: StageStore,
    conditions: Conditions,
    watcher: Watcher,
    ran: list[str],
) -> StageRecord:
    """The finished stage: run now and noted in `ran`, or found finished by another run."""
    stage = item.stage
    with store.writing(stage.name, item.key) as partial:
        if record := store.find(stage.name, item.key):
            watcher.ends(item, record, None)
            return record
        log.info("stage %s (%s): %s", stage.name, item.key, item.why)
        items: dict[str, str] = {}

        def hand_out(folders: Mapping[str, Path]) -> None:
            items.update({name: folder.name for name, folder in folders.items()})
            watcher.hands_out(item, folders)

        context = Context(
            stage=stage.name,
            version=stage.version,
            config=stage.config,
            inputs=_inputs(item, finished),
            out=partial,
            items=_items(store),
            conditions=conditions,
            progress=watcher.starts(item),
            hand_out=hand_out,
        )
        made_by = provenance() | {"workers": conditions.workers}
        clock = time.perf_counter()
        with _failing_as_work(stage.name), limited_threads(1):
            outputs = stage.run(context)
            _check_outputs(stage, outputs)
            seconds = time.perf_counter() - clock
            record = store.publish(
                partial,
                stage=stage.name,
                version=stage.version,
                key=item.key,
                config=stage.values,
                inputs=item.inputs,
                outputs=outputs,
                summary=context.summaries,
                provenance=made_by | {"ended": now(), "seconds": round(seconds, 3), "items": items},
            )
    ran.append(stage.name)
    log.info("stage %s: done in %.1f s", stage.name, seconds)
    watcher.ends(item, record, seconds)
    return record


@contextmanager
def _failing_as_work(stage: str) -> Iterator[None]:
    """Turn what a stage raises into findings: its traceback belongs into the log."""
    try:
        yield
    except QuarklineError as error:
        raise WorkError(*error.findings) from error
    except Exception as error:
        raise WorkError(
            STAGE_FAILED.finding(
                f"stage `{stage}` failed: {type(error).__name__}: {error}",
                suggestion="the run's log.txt has the traceback; finished work is kept",
            )
        ) from error


def _check_outputs(stage: Stage, outputs: Mapping[str, Output]) -> None:
    if set(outputs) != set(stage.outputs):
        msg = f"it puts out {sorted(outputs)} but declares {sorted(stage.outputs)}"
        raise ValueError(msg)


def _inputs(item: PlannedStage, finished: Mapping[str, StageRecord]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, source in item.stage.inputs.items():
        if isinstance(source, str):
            parent, _, output = source.partition(".")
            values[name] = finished[parent].outputs[output]
        else:
            values[name] = source.paths
    return values


def _begin(folder: Path, analysis: Analysis, plan: Plan, conditions: Conditions) -> dict[str, Any]:
    """Write the config and the start of this attempt."""
    write_atomic(folder / runs.CONFIG, analysis.file.text)
    resolved = analysis.config.model_dump(mode="json", by_alias=True)
    write_atomic(folder / runs.RESOLVED, pretty_json(resolved))
    attempt = provenance() | {
        "workers": conditions.workers,
        "device": conditions.device,
        "weak_keys": sorted({file for item in plan.stages for file in item.weak}),
        "verified": {key: full for item in plan.stages for key, full in item.verified.items()},
    }
    earlier = runs.read_run(folder).provenance().get("attempts", [])
    write_atomic(folder / runs.PROVENANCE, pretty_json({"attempts": [*earlier, attempt]}))
    return attempt


def _write_attempt(folder: Path, attempt: Mapping[str, Any]) -> None:
    """Write the end of this attempt over its start."""
    *earlier, _ = runs.read_run(folder).provenance()["attempts"]
    write_atomic(folder / runs.PROVENANCE, pretty_json({"attempts": [*earlier, attempt]}))


@contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Copy the library's log into `log.txt` of a folder."""
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
    except BaseException:
        logger.info("the run was interrupted")
        raise
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        handler.close()
