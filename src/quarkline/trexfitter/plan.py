"""What the actions of a job would read, do and write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.files import is_there
from quarkline.engine.core.results import Result
from quarkline.templates.fill.requests import HistRequest, meaning_of, requests_of
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.letters import ACTIONS, ordered
from quarkline.trexfitter.multifit import MultiFit
from quarkline.trexfitter.refusals import refusals

FILLS = set("nh")
NEEDS_HISTOGRAMS = set("bwfxrlsidpa")
NEEDS_FIT = set("pr")


@dataclass(frozen=True)
class Step:
    """One action.

    Attributes:
        letter: Its letter.
        does: What it does.
        reads: What it reads, in words or as paths.
        writes: What it writes, as patterns of paths.
        missing: Files of earlier actions that it reads and that are not there.
    """

    letter: str
    does: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobPlan(Result, kind="trexfitter-plan"):
    """What would be done.

    Attributes:
        job: Name of the job.
        folder: Where its results go.
        base: Folder that relative paths of the config count from.
        steps: The actions in order.
        regions: Number of regions.
        samples: Number of samples.
        systematics: Number of systematics.
        norm_factors: Number of norm factors.
        files: Number of input files.
        missing: How many of them are not there.
        missing_allowed: Whether the work goes on without them.
        missing_examples: The first of these.
        histograms: How many histograms are filled or read.
        refused: What cannot be done, and why.
    """

    job: str
    folder: str
    base: str
    steps: tuple[Step, ...]
    regions: int = 0
    samples: int = 0
    systematics: int = 0
    norm_factors: int = 0
    files: int = 0
    missing: int = 0
    missing_allowed: bool = False
    missing_examples: tuple[str, ...] = ()
    histograms: int = 0
    refused: tuple[Mapping[str, Any], ...] = ()


SHOWN = 3


def plan_of(job: Job | MultiFit, letters: str) -> JobPlan:
    """What the actions of a job would do; nothing is written.

    Raises:
        InputError: If a letter is no action.
    """
    wanted = ordered(letters)
    if isinstance(job, MultiFit):
        steps = tuple(_step_of_many(job, letter) for letter in wanted)
        return JobPlan(job.name, str(job.folder), str(job.config.base), steps)
    catalog = job.catalog
    requests = requests_of(catalog)
    files = sorted(_input_files(catalog, requests))
    absent = [str(path) for path in files if not is_there(path)]
    return JobPlan(
        job.name,
        str(job.folder),
        str(job.config.base),
        tuple(_steps(job, wanted)),
        regions=len(catalog.regions),
        samples=len(catalog.samples),
        systematics=len(catalog.systematics),
        norm_factors=len(catalog.norm_factors),
        files=len(files),
        missing=len(absent),
        missing_allowed=job.allow_missing,
        missing_examples=tuple(absent[:SHOWN]),
        histograms=len(requests),
        refused=tuple(finding.as_json() for finding in refusals(job, letters)),
    )


def plan_text(plan: JobPlan) -> str:
    """A plan for eyes."""
    lines = [f"{plan.job}: {plan.folder}", f"  relative paths count from {plan.base}"]
    if plan.regions:
        lines.append(
            f"  {plan.regions:,} regions, {plan.samples:,} samples, {plan.systematics:,} "
            f"systematics, {plan.norm_factors:,} norm factors"
        )
        how = "allowed" if plan.missing_allowed else "an error without `HistoChecks: NOCRASH`"
        absent = f" ({how}), such as {plan.missing_examples[0]}" if plan.missing else ""
        files = f"{plan.files:,} files, {plan.missing:,} missing{absent}"
        lines.append(f"  {plan.histograms:,} histograms from {files}")
    for step in plan.steps:
        lines.append(f"{step.letter}  {step.does}")
        lines += [f"     reads   {item}" for item in step.reads]
        lines += [f"     writes  {item}" for item in step.writes]
        lines += [f"     MISSING {item}" for item in step.missing]
    lines += [f"refused  {item['message']}  ({item['place']})" for item in plan.refused]
    return "\n".join(lines)


def _input_files(catalog: Catalog, requests: Iterable[HistRequest]) -> set[Path]:
    """The files that histograms are made of."""
    return {file.path for item in requests for file in meaning_of(item, catalog).files}


def _steps(job: Job, wanted: str) -> Iterator[Step]:
    done: set[str] = set()
    for action in ACTIONS:
        if action.letter not in wanted:
            continue
        reads, missing = _read(job, action.letter, done)
        yield Step(action.letter, action.does, reads, _written(job, action.letter), missing)
        done.add(action.letter)


def _read(job: Job, letter: str, done: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What an action reads, and what of it is not there."""
    if letter in FILLS:
        return (f"{job.catalog.reads} of all samples",), ()
    needed = []
    if letter in NEEDS_HISTOGRAMS and not done & FILLS:
        files = [job.histogram_file(region) for region in job.catalog.regions]
        needed += list(dict.fromkeys(files))
    if letter in NEEDS_FIT and "f" not in done:
        needed.append(job.fit_file)
    paths = tuple(str(path) for path in needed)
    return paths, tuple(str(path) for path in needed if not path.is_file())


def _written(job: Job, letter: str) -> tuple[str, ...]:
    """What an action writes, as patterns below the folder of the job."""
    end = job.suffix
    formats = ",".join(job.catalog.drawing.formats)
    figure = f".{{{formats}}}" if "," in formats else f".{formats}"
    names = job.name
    region = "*" if job.split_histograms else ""
    histograms = f"Histograms/{names}{'_' * bool(region)}{region}_histos{job.save_suffix}.root"
    patterns = {
        "n": (histograms,),
        "h": (histograms,),
        "b": (histograms,),
        "w": (
            f"RooStats/{names}{end}*.{{xml,json,root}}",
            "PruningText.txt",
            f"Pruning{end}*{figure}",
        ),
        "f": (
            f"Fits/{names}{end}.txt",
            f"NuisPar{end}{figure}",
            f"Gammas{end}{figure}",
            f"NormFactors{end}{figure}",
            f"CorrMatrix{end}{figure}",
        ),
        "x": (f"LHoodPlots/NLLscan_*{end}{figure}",),
        "r": (f"Fits/NPRanking{end}_*.txt", f"Ranking*{end}_*{figure}"),
        "l": (f"Limits/asymptotics/{job.limit_files.prefix}{end}*.root",),
        "s": (f"Significance/asymptotics/{job.significance_files.prefix}{end}*.root",),
        "i": (f"Fits/GroupedImpact{end}*.txt",),
        "d": (f"Plots/*{end}{figure}", f"Tables/*{end}.{{txt,tex}}"),
        "p": (f"Plots/*_postFit{end}{figure}", f"Tables/*{end}_postFit.{{txt,tex}}"),
        "a": (f"Plots/Separation/*{end}{figure}",),
    }
    return tuple(str(job.folder / pattern) for pattern in patterns.get(letter, ()))


def _step_of_many(job: MultiFit, letter: str) -> Step:
    action = next(item for item in ACTIONS if item.letter == letter)
    results = (part.fit_results or (part.job and part.job.fit_file) for part in job.jobs)
    named = tuple(str(path) for path in results if path)
    missing = tuple(path for path in named if letter == "m" and not Path(path).is_file())
    return Step(letter, action.does, named, (str(job.folder / "*"),), missing)
