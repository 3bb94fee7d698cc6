"""The examination: every file of every sample, in processes if asked for, then the findings."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.outcome import Failed, Item
from quarkline.engine.core.findings import Finding, InputError, Severity
from quarkline.engine.core.results import Result
from quarkline.engine.workflow.samples import InputSample
from quarkline.tools.config_inputs import Inputs, checks_of, is_catalog, samples_of
from quarkline.tools.doctor.duplicates import Repeated, repeated_events
from quarkline.tools.doctor.examine import FileFacts, examine_file
from quarkline.tools.doctor.judge import SampleFacts, judge
from quarkline.tools.samples import named_samples

Told = Callable[[int, int, str], None]
MOST_ALIKE = 3
FIRST = 20_000
"""Events of each file of a whole analysis that are looked at."""
ORDER = [Severity.ERROR, Severity.WARNING, Severity.NOTE]


@dataclass(frozen=True)
class DoctorReport(Result, kind="doctor"):
    """What was found in inputs.

    Attributes:
        files: Number of files looked at.
        events: Number of events in those that can be read.
        errors: Number of findings that are errors.
        warnings: Number of those that are warnings.
        notes: Number of those that are only worth knowing.
        findings: All of them, errors first.
        first: How many events of each file were looked at, None if all of all files.
    """

    files: int
    events: int
    errors: int
    warnings: int
    notes: int
    findings: tuple[Mapping[str, Any], ...]
    first: int | None = None


def doctor(
    files: Sequence[str],
    *,
    files_from: Path | None = None,
    copy: bool = False,
    tree: str | None = None,
    weight: str | None = None,
    identity: Sequence[str] = (),
    workers: int = 1,
    told: Told | None = None,
) -> DoctorReport:
    """Look over files of events.

    Args:
        files: Paths, globs or addresses, each with or without the name of its sample.
        files_from: A text file with further ones, one a line.
        copy: Copy files on other computers into the cache, and read the copies.
        tree: The tree, where a file has several.
        weight: Weight of an event.
        identity: Columns of the event key; empty for the usual names.
        workers: Number of processes; the findings do not depend on it.
        told: Called with the number of files done, their total, and the last one's name.

    Raises:
        InputError: If no file is named.
    """
    missing: list[Finding] = []
    named: list[InputSample] = []
    options = {"copy": copy, "tree": tree, "weight": weight, "identity": identity}
    try:
        named = named_samples(files, files_from=files_from, **options)  # type: ignore[arg-type]
    except InputError as error:
        if not files and files_from is None:
            raise
        missing += error.findings
        named = [*_those_that_exist(files, options)]
    needed = {sample.name: list(identity) for sample in named}
    return _examine(named, missing, _Look(needed, needed, every=True, workers=workers), told)


def doctor_config(
    config: Inputs, *, every: bool = False, workers: int = 1, told: Told | None = None
) -> DoctorReport:
    """Look over the inputs of a config: what is checked for it, and what it reads of each file.

    Args:
        config: The config of an analysis or a skim.
        every: Look at all columns, not only at those the config reads.
        workers: Number of processes; the findings do not depend on it.
        told: Called with the number of files done, their total, and the last one's name.
    """
    found: list[Finding] = []
    samples: list[InputSample] = []
    try:
        found += checks_of(config)
        samples += samples_of(config)
    except InputError as error:
        found += [finding for finding in error.findings if finding not in found]
    columns = {sample.name: _needed(sample) for sample in samples}
    if is_catalog(config):
        look = _Look(columns, {}, every=every, first=None if every else FIRST, workers=workers)
    else:
        look = _Look(columns, columns, every=every, workers=workers)
    return _examine(samples, found, look, told)


def _needed(sample: InputSample) -> list[str]:
    return list(dict.fromkeys([*sample.identity, *sample.columns]))


def _those_that_exist(files: Sequence[str], options: Mapping[str, Any]) -> Iterator[InputSample]:
    """Samples of what is there, where some of what is named is not."""
    found: dict[str, InputSample] = {}
    for text in files:
        try:
            (sample,) = named_samples([text], **options)
        except InputError:
            continue
        known = found.get(sample.name)
        more = [path for path in sample.files if not known or path not in known.files]
        before = known.files if known else ()
        found[sample.name] = replace(sample, files=(*before, *more))
    yield from found.values()


@dataclass(frozen=True)
class _Look:
    """What is looked at.

    Attributes:
        columns: Columns of each sample.
        needed: Those that each file has to hold, unless another check has said so.
        every: Look at all columns, whatever `columns` says.
        first: How many events of each file, None for all.
        workers: Number of processes.
    """

    columns: Mapping[str, Sequence[str]]
    needed: Mapping[str, Sequence[str]]
    every: bool
    first: int | None = None
    workers: int = 1


def _examine(
    samples: Sequence[InputSample], found: Iterable[Finding], look: _Look, told: Told | None
) -> DoctorReport:
    findings: list[Mapping[str, Any]] = [finding.as_json() for finding in found]
    said = {item["code"] for item in findings if not look.needed}
    events, most = 0, 0
    with tempfile.TemporaryDirectory(prefix="quarkline-doctor-") as folder:
        for sample, facts, folders in _seen(samples, look, Path(folder), told):
            problems = [problem for file in facts for problem in file.problems]
            findings += [problem for problem in problems if problem["code"] not in said]
            readable = [file for file in facts if file.entries is not None]
            events += sum(file.entries or 0 for file in readable)
            most = max([most, *(file.entries or 0 for file in readable)])
            repeated = _repeated(sample, readable, folders)
            whole = SampleFacts(sample, readable, repeated, look.needed.get(sample.name, ()))
            findings += [finding.as_json() for finding in judge(whole)]
    report = _report(findings, sum(len(sample.files) for sample in samples), events)
    return replace(report, first=look.first if look.first and most > look.first else None)


def _seen(
    samples: Sequence[InputSample], look: _Look, folder: Path, told: Told | None
) -> Iterator[tuple[InputSample, list[FileFacts], dict[str, Path]]]:
    """What was seen in the files of each sample, and where their event keys are."""
    total, done = sum(len(sample.files) for sample in samples), 0
    for place, sample in enumerate(samples):
        args = {
            "tree": sample.tree,
            "columns": None if look.every else list(look.columns[sample.name]),
            "identity": list(sample.identity),
            "weight": sample.weight,
            "first": look.first,
        }
        items = [
            (Item(path.name, args, {"file": path}), folder / f"{place}-{number}")
            for number, path in enumerate(sample.files)
        ]
        facts: list[FileFacts] = []
        folders: dict[str, Path] = {}
        for (item, target), value in zip(items, _values(items, look.workers), strict=True):
            facts.append(FileFacts.from_json(value))
            folders[facts[-1].file] = target
            done += 1
            if told:
                told(done, total, item.name)
        yield sample, facts, folders


def _values(items: Sequence[tuple[Item, Path]], workers: int) -> Iterator[Any]:
    """What the task says of each file."""
    if workers == 1:
        for item, target in items:
            target.mkdir()
            yield examine_file(item.args, item.inputs, target)
        return
    for outcome in LocalWorkers(workers).map(task_name(examine_file), items):
        if isinstance(outcome, Failed):
            msg = f"{outcome.name}: {outcome.reason}\n{outcome.details}"
            raise RuntimeError(msg)
        yield outcome.value


def _repeated(
    sample: InputSample, files: Sequence[FileFacts], folders: Mapping[str, Path]
) -> Repeated | None:
    """Events that occur twice, where all files have the same event key."""
    keys = {file.identity for file in files}
    if len(keys) != 1 or not (identity := next(iter(keys))):
        return None
    parts = {Path(file.file): folders[file.file] for file in files}
    return repeated_events(parts, identity, sample.tree)


def _joined(findings: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """One finding for what is the same in many files, with all of them as evidence."""
    alike: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for finding in findings:
        alike.setdefault((finding["code"], finding["message"]), []).append(finding)
    for group in alike.values():
        if len(group) <= MOST_ALIKE:
            yield from group
            continue
        places = [finding["place"] for finding in group]
        what = "samples" if all(str(place).startswith("sample ") for place in places) else "files"
        message = f"{group[0]['message']}, and so in {len(group) - 1:,} other {what}"
        evidence = group[0]["evidence"] | {"places": places}
        yield {**group[0], "message": message, "evidence": evidence}


def _report(findings: Sequence[Mapping[str, Any]], files: int, events: int) -> DoctorReport:
    distinct: dict[tuple[str, str], Mapping[str, Any]] = {}
    for finding in findings:  # what the study says itself comes first, and is not said again
        distinct.setdefault((finding["message"], finding["place"]), finding)
    joined = _joined(distinct.values())
    ordered = sorted(joined, key=lambda item: ORDER.index(Severity(item["severity"])))
    counts = Counter(item["severity"] for item in ordered)
    errors, warnings, notes = (counts[severity] for severity in ORDER)
    return DoctorReport(files, events, errors, warnings, notes, tuple(ordered))
