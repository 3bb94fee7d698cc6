"""Search for good hyper-parameters of a study: trials of its config with other values."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.outcome import Failed, Item
from quarkline.engine.compute.threads import available_cores
from quarkline.engine.core.config import ConfigFile
from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import (
    Finding,
    InputError,
    QuarklineError,
    Rule,
    WorkError,
    did_you_mean,
)
from quarkline.engine.core.results import pretty_json
from quarkline.engine.core.yaml_file import parse_value
from quarkline.engine.store.atomic import make_folder, write_atomic
from quarkline.engine.store.keys import SHORT, content_key
from quarkline.engine.store.locks import lock
from quarkline.engine.workflow.run import (
    Analysis,
    check_analysis,
    finish_stages,
    logged,
    plan_analysis,
)
from quarkline.engine.workflow.runs import LOCK
from quarkline.engine.workflow.study import find_study
from quarkline.learning.training.search.config import Direction, Tunable, TuneConfig
from quarkline.learning.training.search.loop import Ended, keep_going
from quarkline.learning.training.search.result import TrialState, TuneResult
from quarkline.learning.training.search.trial import Pruned, Trial, TunableStudy

log = logging.getLogger(__name__)

NOT_TUNABLE = Rule(
    "QL-TUNE-001",
    "a search needs a study that trains, and a `tune:` section",
    "`quarkline tune` trains a study's model again and again with other values of some keys of "
    "the config, which its section `tune:` lists.",
)
UNKNOWN_METRIC = Rule(
    "QL-TUNE-002",
    "`tune.metric` is one the study knows",
    "Trials are compared by one number, and a study gives those that it has. Some are known after "
    "every epoch; by the others no trial can be stopped early.",
)
NO_TRIAL = Rule(
    "QL-TUNE-003",
    "at least one trial of a search finishes",
    "All trials of the search failed, so there are no best values. The table of trials has the "
    "reason of each.",
)

TUNE, TRIALS = "tune", "trials"
BEST, TABLE, RESULT, FIGURES = "best.yaml", "trials.csv", "tune.json", "figures"


@dataclass(frozen=True)
class TuneOutcome:
    """What a search came to.

    Attributes:
        folder: Where its files are.
        result: The trials.
        best: A config with the best values, for `quarkline run`.
        figures: The figures as PDF.
        warnings: Findings that did not stop it.
    """

    folder: Path
    result: TuneResult
    best: Path
    figures: list[Path]
    warnings: list[Finding]


Progress = Callable[[int, int, str], None]


def tune(
    analysis: Analysis,
    *,
    trials: int | None = None,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
) -> TuneOutcome:
    """Run the trials that a config's `tune:` asks for; those of an earlier call are kept.

    Args:
        analysis: From `tools.run.load_analysis`.
        trials: Number of trials instead of the config's.
        overrides: The `key=value` texts the analysis was loaded with, for the best config.
        progress: Is told the number of ended trials, of all, and how the last ended.

    Raises:
        InputError: If the config cannot be searched; nothing has been written.
        WorkError: If no trial was completed.
    """
    config = _tune_config(analysis, trials)
    direction = _checked(analysis, config)
    warnings = check_analysis(analysis)
    from quarkline.learning.training.search.book import Book, mend

    folder = _folder(analysis, config)
    make_folder(folder)
    seed = analysis.config.seed if config.seed is None else config.seed
    with lock(folder / LOCK), logged(folder):
        mend(folder)
        book = Book(config, folder, direction=direction, seed=seed)
        search = _Search(analysis, config, folder, book, overrides, progress or _silent)
        search.run(direction, seed)
        return search.outcome(warnings)


def _silent(_: int, __: int, ___: str) -> None:
    """Tell nobody."""


def _tune_config(analysis: Analysis, trials: int | None) -> TuneConfig:
    if findings := missing_extra("train"):
        raise InputError(*findings)
    config = analysis.config
    tunable = isinstance(analysis.study, TunableStudy)
    if not tunable or not isinstance(config, Tunable) or config.tune is None:
        problem = "the config has no section `tune:`" if tunable else "it has no training to search"
        raise InputError(
            NOT_TUNABLE.finding(
                f"study `{analysis.study.name}`: {problem}",
                suggestion="add `tune: {space: {KEY: {choices: [...]}}}`" if tunable else None,
                place=analysis.file.place("study"),
            )
        )
    return config.tune.model_copy(update={} if trials is None else {"trials": trials})


def _checked(analysis: Analysis, config: TuneConfig) -> Direction:
    """The direction, if the metric is known and the config takes every key and value."""
    metrics = cast("TunableStudy", analysis.study).metrics
    findings = _wrong_keys(analysis, config)
    if config.metric not in metrics:
        findings.append(
            UNKNOWN_METRIC.finding(
                f"study `{analysis.study.name}` has no metric `{config.metric}`",
                suggestion=did_you_mean(config.metric, metrics, what="metrics"),
                place=analysis.file.place(TUNE, "metric"),
            )
        )
    if findings:
        raise InputError(*findings)
    return config.direction or metrics[config.metric]


def _wrong_keys(analysis: Analysis, config: TuneConfig) -> list[Finding]:
    section = "space" if config.space else "grid"
    findings: list[Finding] = []
    for key, values in config.keys.items():
        place = analysis.file.place(TUNE, section, key)
        for value in values.ends:
            try:
                _with(analysis.file, {key: value}).validate(analysis.study.Config)
            except InputError as error:
                findings += [item.at(place) for item in error.findings]
                break
    return findings


def _folder(analysis: Analysis, config: TuneConfig) -> Path:
    """The folder of this search: the same for equal inputs, config and values, however many."""
    what = config.model_dump(mode="json", exclude={"trials"})
    key = content_key({"analysis": plan_analysis(analysis).identity, "tune": what})
    return analysis.folder / TUNE / key[:SHORT]


class _Search:
    """One search at work."""

    def __init__(
        self,
        analysis: Analysis,
        config: TuneConfig,
        folder: Path,
        book: Any,
        overrides: Sequence[str],
        progress: Progress,
    ) -> None:
        self.analysis = analysis
        self.config = config
        self.folder = folder
        self.book = book
        self.overrides = overrides
        self.progress = progress
        self.waiting: list[int] = book.unfinished()

    def run(self, direction: Direction, seed: int) -> None:
        """Run what is left of the search."""
        compute = self.analysis.config.compute
        workers = compute.workers or available_cores()
        crew = [LocalWorkers(1, compute.device) for _ in range(workers)]
        free: queue.SimpleQueue[LocalWorkers] = queue.SimpleQueue()
        for one in crew:
            free.put(one)
        common: dict[str, Any] = {
            "tune": self.config,
            "book": self.folder,
            "direction": direction,
            "seed": seed,
        }

        def perform(number: int, what: Mapping[str, Any]) -> Ended:
            executor = free.get()
            item = Item(f"trial-{number}", common | {**what, "number": number})
            place = self.folder / TRIALS / f"{number:05d}"
            (outcome,) = executor.map(task_name(run_trial), [(item, place)])
            free.put(executor)
            if isinstance(outcome, Failed):
                log.error("trial %d failed\n%s", number, outcome.details or outcome.reason)
                return Ended(TrialState.FAILED, reason=outcome.reason)
            return Ended(TrialState(outcome.value["state"]), outcome.value["value"])

        try:
            keep_going(self._begin, perform, self._end, workers=workers)
        finally:
            for one in crew:
                one.stop()

    def _begin(self) -> tuple[int, Mapping[str, Any]] | None:
        """The next trial, with its config and finished stages; one that has none has failed."""
        while True:
            number = self.waiting.pop(0) if self.waiting else self.book.begin()
            if number is None:
                return None
            values = self.book.parameters(number)
            try:
                return number, self._prepared(values)
            except QuarklineError as error:
                self._end(number, Ended(TrialState.FAILED, reason=error.findings[0].message))

    def _prepared(self, values: Mapping[str, Any]) -> dict[str, Any]:
        study = self.analysis.study
        file = _with(self.analysis.file, values)
        analysis = Analysis(file, study, file.validate(study.Config))
        stages = finish_stages(analysis, until=cast("TunableStudy", study).tunes)
        return {"config": analysis.config, "stages": stages}

    def _end(self, number: int, ended: Ended) -> None:
        self.book.end(number, ended.state, ended.value, ended.reason)
        result = self.book.result()
        _write(self.folder, result, self.analysis, self.overrides)
        best = "" if result.best_trial is None else f"best {result.best_trial.value:.4g}"
        self.progress(len(result.trials), self.config.size, best)

    def outcome(self, warnings: list[Finding]) -> TuneOutcome:
        """Draw the figures of the finished search.

        Raises:
            WorkError: If no trial was completed.
        """
        result = self.book.result()
        if result.best is None:
            reasons = [trial.reason for trial in result.trials if trial.reason]
            message = f"none of {len(result.trials)} trials was completed"
            raise WorkError(
                NO_TRIAL.finding(
                    f"{message}; the first failed with: {reasons[0]}" if reasons else message,
                    suggestion=f"{self.folder / TABLE} lists the trials",
                )
            )
        _write(self.folder, result, self.analysis, self.overrides)
        figures = draw(result, self.folder / FIGURES)
        return TuneOutcome(self.folder, result, self.folder / BEST, figures, warnings)


def run_trial(args: Mapping[str, Any], _: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    """One trial, in a process of its own: its state and value.

    Raises:
        ValueError: If the metric is no finite number.
    """
    from quarkline.learning.training.search.book import Book

    config, number = args["config"], args["number"]
    book = Book(args["tune"], args["book"], direction=args["direction"], seed=args["seed"])
    last: list[float] = []

    def report(epoch: int, value: float) -> None:
        last.append(value)
        book.report(number, epoch, value)

    study = cast("TunableStudy", find_study(config.study))
    trial = Trial(args["stages"], folder, args["tune"].metric, args["tune"].folds, report)
    try:
        value = float(study.trial(config, trial))
    except Pruned:
        return {"state": TrialState.PRUNED, "value": last[-1]}
    if not abs(value) < float("inf"):
        msg = f"its {trial.metric} is {value}"
        raise ValueError(msg)
    return {"state": TrialState.COMPLETE, "value": value}


def draw(result: TuneResult, folder: Path) -> list[Path]:
    """Draw a search's history, slices and importances; gives the PDF files."""
    from quarkline.figures import (
        plot_tuning_history,
        plot_tuning_importance,
        plot_tuning_slices,
        save,
    )

    drawn = {"history": plot_tuning_history(result), "slices": plot_tuning_slices(result)}
    if result.importance:
        drawn["importance"] = plot_tuning_importance(result)
    return [save(figure, folder / name)[0] for name, figure in drawn.items()]


def _write(folder: Path, result: TuneResult, analysis: Analysis, overrides: Sequence[str]) -> None:
    """Write the table of trials, the result and the best config."""
    write_atomic(folder / TABLE, _table(result))
    write_atomic(folder / RESULT, pretty_json(result))
    if result.best_trial is not None:
        written = {key: parse_value(text, Path.cwd()) for key, text in map(_split, overrides)}
        values = _nested({**written, **result.best_trial.parameters})
        parent = os.path.relpath(analysis.file.path.absolute(), folder.absolute())
        lines = ["# The best trial's values; see trials.csv.", f"extends: {json.dumps(parent)}"]
        lines += [f"{key}: {json.dumps(value)}" for key, value in values.items()]
        write_atomic(folder / BEST, "\n".join(lines) + "\n")


def _table(result: TuneResult) -> str:
    """The trials as CSV: number, state, value, epochs, a column a key, reason of failure."""
    keys = sorted({key for trial in result.trials for key in trial.parameters})
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["trial", "state", result.metric, "epochs", *keys, "reason"])
    for trial in result.trials:
        values = [_cell(trial.parameters[key]) if key in trial.parameters else "" for key in keys]
        value = "" if trial.value is None else repr(trial.value)
        writer.writerow([trial.number, trial.state, value, trial.epochs, *values, trial.reason])
    return buffer.getvalue()


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _with(file: ConfigFile, values: Mapping[str, Any]) -> ConfigFile:
    """A config with other values, merged as a config that extends it would be."""
    return file.overridden([f"{key}={json.dumps(value)}" for key, value in _nested(values).items()])


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Maps in maps from values by dotted key."""
    nested: dict[str, Any] = {}
    for dotted, value in values.items():
        *parents, key = dotted.split(".")
        below = nested
        for parent in parents:
            below = below.setdefault(parent, {})
        below[key] = value
    return nested


def _split(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key.strip(), value
