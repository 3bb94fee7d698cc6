"""Fit a likelihood that somebody made: the fit, and what is asked for beyond it."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from quarkline.engine.compute.executors import Executor
from quarkline.engine.compute.job import Task, task_name
from quarkline.engine.compute.local import LocalWorkers, failures, finished
from quarkline.engine.compute.outcome import Done, Item, Outcome
from quarkline.engine.compute.threads import available_cores
from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import Finding, InputError, Rule, WorkError, did_you_mean
from quarkline.engine.core.results import Result
from quarkline.engine.store.keys import SHORT, content_key
from quarkline.statistics.likelihood.discovery import discovery
from quarkline.statistics.likelihood.doctor import Patient, diagnosis, examine
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.goodness import goodness_of_fit
from quarkline.statistics.likelihood.impacts import grouped_impacts
from quarkline.statistics.likelihood.limits import asymptotic_limit
from quarkline.statistics.likelihood.many import InProcess, One, Problem, Runner, Spread
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.ranking import ranking
from quarkline.statistics.likelihood.results import GoodnessOfFit, LikelihoodFit, LikelihoodScan
from quarkline.statistics.likelihood.scans import scan, surface
from quarkline.statistics.likelihood.signal import NO_POI
from quarkline.statistics.likelihood.toys import toy_fits
from quarkline.tools.workspaces import Source, read_likelihood

UNKNOWN_PARAMETER = Rule(
    "QL-FIT-055",
    "a parameter that is scanned is one of the likelihood",
    "`--scan` takes the name of a parameter, or of two with a comma between them. Names are those "
    "of the table of the fit.",
)
FIT_FAILED = Rule(
    "QL-FIT-056",
    "fits can be spread over processes",
    "Many fits are divided among processes of this computer, and one of these ended early. The "
    "message holds its reason.",
)
TOO_MANY_PARAMETERS = Rule(
    "QL-FIT-059",
    "a likelihood has no more free parameters than a fit can hold",
    "A fit holds the second derivatives by every pair of free parameters: 0.8 GB for 10,000 of "
    "them. So many are mostly those of the simulation's statistics in very fine bins.",
)

START_SECONDS = 5.0  # work that takes as long is worth a start of processes
MOST_PARAMETERS = 10_000

Watch = Callable[[str, int, int], None]
"""Is told what is done, and how many of how many."""


@dataclass(frozen=True)
class Wanted:
    """What is found out beside the fit.

    Attributes:
        ranking: How far each parameter moves the measured one.
        impacts: What groups of parameters add to its error.
        limit: Its upper limit.
        significance: How unlikely the data are without signal.
        scans: Parameters to scan, each one name or two.
        goodness: How well the model describes the data.
        toys: Number of toys, for the goodness of fit and for fits of toys; 0 for none.
        seed: Seed of the toys.
    """

    ranking: bool = False
    impacts: bool = False
    limit: bool = False
    significance: bool = False
    scans: tuple[tuple[str, ...], ...] = ()
    goodness: bool = False
    toys: int = 0
    seed: int = 1

    @property
    def needs_poi(self) -> bool:
        """Whether any of it is about the measured parameter."""
        return self.ranking or self.impacts or self.limit or self.significance or self.toys > 0


@dataclass(frozen=True)
class FitReport:
    """What was found out about a likelihood.

    Attributes:
        source: What was read.
        fitted: The fit.
        results: All results by name, the fit among them as `fit`, the diagnosis as `doctor`.
        findings: The diagnosis: what is wrong with the likelihood and its fit.
    """

    source: Source
    fitted: LikelihoodFit
    results: Mapping[str, Result]
    findings: tuple[Finding, ...] = ()


def fit_workspace(
    workspace: str,
    wanted: Wanted | None = None,
    *,
    patch: str | None = None,
    measurement: str | None = None,
    poi: str | None = None,
    root_dir: Path | None = None,
    workers: int | None = None,
    watch: Watch = lambda what, done, total: None,  # noqa: ARG005
) -> FitReport:
    """Read a likelihood, fit it, and find out what is wanted.

    Args:
        workspace: pyhf's JSON, HistFactory's XML, our own, or an archive: see `read_likelihood`.
        wanted: What is found out beside the fit.
        patch: Name or file of a patch.
        measurement: Name of the measurement; None for the first.
        poi: The parameter to measure; None for the measurement's.
        root_dir: Folder from which the paths in XML count.
        workers: Processes for many fits; None for all cores. Results do not depend on it.
        watch: Is told how far the work is.

    Raises:
        InputError: If something that is named does not exist, before anything is fitted.
    """
    if missing := missing_extra("fit"):
        raise InputError(*missing)
    source = read_likelihood(
        workspace, patch=patch, measurement=measurement, poi=poi, root_dir=root_dir
    )
    return fit_source(source, wanted or Wanted(), workers=workers or available_cores(), watch=watch)


def fit_source(source: Source, wanted: Wanted, *, workers: int, watch: Watch) -> FitReport:
    """Fit a likelihood that was read.

    Raises:
        InputError: If a parameter is unknown, no parameter is measured and one is needed, or
            parameters are too many.
    """
    if wanted.needs_poi and source.spec.poi is None:
        raise InputError(_no_poi(source))
    _check_size(source)
    model = Model(source.spec)
    _check(model, wanted)
    measured = source.spec.poi
    watch("fit", 0, 1)
    started = time.monotonic()
    fitted = fit(model, minos=(measured,) if measured in _free(model) else ())
    seconds = time.monotonic() - started
    with tempfile.TemporaryDirectory(prefix="quarkline-fit-") as folder:
        many = _Many(LocalWorkers(workers), Path(folder), seconds, watch)
        results = {"fit": fitted, **_Work(model, fitted, wanted, many, watch).results()}
    findings = (*source.findings, *_doctor(model, fitted, results))
    return FitReport(source, fitted, {**results, "doctor": diagnosis(findings)}, findings)


def _doctor(
    model: Model, fitted: LikelihoodFit, results: Mapping[str, Result]
) -> tuple[Finding, ...]:
    """What is wrong with the fit, by all that was found out."""
    scans = [found for found in results.values() if isinstance(found, LikelihoodScan)]
    goodness = results.get("goodness")
    tested = goodness if isinstance(goodness, GoodnessOfFit) else None
    return examine(Patient(model, model.data, fitted, scans, tested))


def _no_poi(source: Source) -> Finding:
    """What to do about a likelihood that measures nothing."""
    factors = [row.name for row in source.spec.parameters if row.role == "norm-factor"]
    suggestion = did_you_mean("", factors, what="norm factors to name as --poi")
    if source.patches and source.patch is None:
        number, first = len(source.patches), source.patches[0]
        suggestion = f"choose one of its {number} signals, such as --patch {first}"
    message = f"{source.name} does not measure a parameter"
    return NO_POI.finding(message, suggestion=suggestion)


def _check_size(source: Source) -> None:
    """Refuse what would fill the memory."""
    free = sum(not row.fixed for row in source.spec.parameters)
    if free > MOST_PARAMETERS:
        message = f"{source.name} has {free:,} free parameters, more than {MOST_PARAMETERS:,}"
        suggestion = "merge bins, or fix parameters that hardly matter"
        raise InputError(TOO_MANY_PARAMETERS.finding(message, suggestion=suggestion))


def _free(model: Model) -> set[str]:
    return {row.name for row in model.spec.parameters if not row.fixed}


def _check(model: Model, wanted: Wanted) -> None:
    """Refuse what cannot be done, before anything is."""
    for name in {name for names in wanted.scans for name in names}:
        if name not in model.names:
            suggestion = did_you_mean(name, model.names, what="parameters")
            message = f"there is no parameter `{name}` to scan"
            raise InputError(UNKNOWN_PARAMETER.finding(message, suggestion=suggestion))
    _ = model.data


@dataclass(frozen=True)
class _Work:
    """All that follows from a fit."""

    model: Model
    fitted: LikelihoodFit
    wanted: Wanted
    many: _Many
    watch: Watch

    def results(self) -> dict[str, Result]:
        model, data, fitted, wanted = self.model, self.model.data, self.fitted, self.wanted
        found: dict[str, Result] = {}
        if wanted.ranking:
            runner = self.many.of("ranking")
            found["ranking"] = ranking(model, data, fitted, runner=runner)
        if wanted.impacts:
            runner = self.many.of("impacts")
            found["impacts"] = grouped_impacts(model, data, fitted, runner=runner)
        if wanted.limit:
            self.watch("limit", 0, 1)
            found["limit"] = asymptotic_limit(model, data)
        if wanted.significance:
            self.watch("significance", 0, 1)
            found["significance"] = discovery(model, data)
        if wanted.goodness:
            runner = self.many.of("goodness of fit")
            found["goodness"] = goodness_of_fit(
                model, data, fitted, toys=wanted.toys, seed=wanted.seed, runner=runner
            )
        if wanted.toys:
            runner = self.many.of("toys")
            found["toys"] = toy_fits(
                model, fitted.values, wanted.toys, seed=wanted.seed, runner=runner
            )
        return found | self._scans()

    def _scans(self) -> dict[str, Result]:
        found: dict[str, Result] = {}
        for names in self.wanted.scans:
            runner, title = self.many.of(f"scan of {', '.join(names)}"), "-".join(names)
            data, fitted = self.model.data, self.fitted
            if len(names) == 1:
                result: Result = scan(self.model, data, fitted, names[0], runner=runner)
            else:
                pair = (names[0], names[1])
                result = surface(self.model, data, fitted, pair, runner=runner)
            found[f"scan-{title}"] = result
        return found


@dataclass(frozen=True)
class _Many:
    """Does many fits: spread over processes where that saves time, else in this one.

    Attributes:
        executor: The processes.
        folder: Where what they read and write is.
        seconds: What a fit takes, or rather more.
        watch: Is told how far the work is.
    """

    executor: LocalWorkers
    folder: Path
    seconds: float
    watch: Watch

    def of(self, what: str) -> Runner:
        """A runner for fits of one kind."""
        watch = partial(self.watch, what)
        spread = Spread(ItemsHere(self.executor, self.folder, watch), self.folder)
        return _Quickest(InProcess(watch), spread, self._least)

    @property
    def _least(self) -> float:
        """How many fits are worth a start of processes."""
        return math.inf if self.executor.workers == 1 else START_SECONDS / self.seconds


@dataclass(frozen=True)
class _Quickest:
    """A `Runner` that spreads fits if they are many."""

    here: Runner
    spread: Runner
    least: float

    def run(self, one: One, problem: Problem, arguments: Sequence[Any]) -> list[Any]:
        runner = self.here if len(arguments) < self.least else self.spread
        return runner.run(one, problem, arguments)


@dataclass(frozen=True)
class ItemsHere:
    """Runs items on processes of this computer: an `ItemMap` for `Spread`.

    Attributes:
        executor: The processes.
        folder: Where items write.
        watch: Is told how many of how many are done.
    """

    executor: Executor
    folder: Path
    watch: Callable[[int, int], None] = lambda done, total: None  # noqa: ARG005

    def __call__(self, step: str, task: Task, items: Sequence[Item]) -> Sequence[Done]:
        """The items when all are done, in their order.

        Raises:
            WorkError: If one failed.
        """
        pairs = [(item, self.folder / f"{step}-{_key(item)}") for item in items]
        outcomes: list[Outcome] = []
        for outcome in self.executor.map(task_name(task), pairs):
            outcomes.append(outcome)
            self.watch(len(outcomes), len(items))
        if failed := failures(outcomes):
            raise WorkError(*(FIT_FAILED.finding(f"{row.name}: {row.reason}") for row in failed))
        return finished(outcomes)


def _key(item: Item) -> str:
    files = {name: path.name for name, path in item.inputs.items()}
    return content_key({"args": item.args, "inputs": files})[:SHORT]
