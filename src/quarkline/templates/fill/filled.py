"""What filling comes to: the histograms, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from quarkline.engine.compute.outcome import Done
from quarkline.engine.core.findings import Finding, InputError, WorkError
from quarkline.templates.fill.findings import (
    BAD_FILES,
    BROKEN_WEIGHT,
    NO_VALUE,
    NO_VARIATION,
)
from quarkline.templates.fill.plan import Plan, PlannedTable, short
from quarkline.templates.fill.requests import HistRequest, Meaning
from quarkline.templates.fill.sums import Sums, places_of
from quarkline.templates.histograms import Histogram

SHOWN = 5


@dataclass(frozen=True)
class Allowed:
    """What may be left out.

    Attributes:
        missing: How many files may be absent; None for any number.
        bad: How many files may be unreadable.
    """

    missing: int | None = 0
    bad: int = 0


@dataclass(frozen=True)
class Filled:
    """Histograms, and what was left out.

    Attributes:
        histograms: The histogram of each request that could be filled. A sample without any file
            has empty ones.
        missing: Files that are not there.
        bad: Why files cannot be read.
        hidden: Requests for data that nobody is to see.
        findings: What is worth knowing.
    """

    histograms: Mapping[HistRequest, Histogram]
    missing: tuple[Path, ...] = ()
    bad: Mapping[Path, str] = field(default_factory=dict)
    hidden: tuple[HistRequest, ...] = ()
    findings: tuple[Finding, ...] = ()


def check_files(missing: Sequence[Path], bad: Mapping[Path, str], allowed: Allowed) -> None:
    """Refuse more absent or unreadable files than are allowed.

    Raises:
        InputError: If there are.
    """
    findings = []
    if allowed.missing is not None and len(missing) > allowed.missing:
        what = f"{len(missing)} files are not there: {_listed(short(path) for path in missing)}"
        hint = f"name files that are there, or allow {len(missing)} missing files"
        findings.append(BAD_FILES.finding(what, suggestion=hint))
    if len(bad) > allowed.bad:
        alike: dict[str, list[str]] = {}
        for path, reason in bad.items():
            alike.setdefault(reason, []).append(short(path))
        told = (f"{_listed(names)}: {reason}" for reason, names in alike.items())
        what = f"{len(bad)} files cannot be read: {_listed(told)}"
        hint = f"mend the cause, or allow {len(bad)} bad files"
        findings.append(BAD_FILES.finding(what, suggestion=hint))
    if findings:
        raise InputError(*findings)


def _listed(names: Iterable[str]) -> str:
    told = list(names)
    return ", ".join(told[:SHOWN]) + (f" and {len(told) - SHOWN} more" if len(told) > SHOWN else "")


def collect(plan: Plan, done: Iterable[Done], allowed: Allowed) -> Filled:
    """Put together what the work on a plan has given.

    Sums are taken range by range in the order of the file, and file by file in the order of their
    paths, whatever the order in which the work was done.

    Args:
        plan: The plan.
        done: The outcome of each of its items, in their order.
        allowed: What may be left out.

    Raises:
        InputError: If too many files cannot be read.
        WorkError: If a weight is no finite number.
    """
    bad, findings = dict(plan.bad), list(plan.findings)
    broken: list[Finding] = []
    outcomes = iter(done)
    total = _Totals(plan)
    for planned in plan.tables:
        items = [next(outcomes) for _ in planned.items]
        path = planned.table.file.path
        if problem := next((item.value["problem"] for item in items if item.value["problem"]), ""):
            bad[path] = problem
            continue
        sums = _summed(planned, items)
        broken += _broken(planned, sums)
        findings += _undefined(planned, sums)
        total.add(planned, sums)
    check_files(plan.missing, bad, allowed)
    if broken:
        raise WorkError(*broken)
    gone = {*plan.missing, *bad}
    histograms = dict(total.histograms())
    findings += instead(histograms, without_files(plan.meanings, gone))
    return Filled(histograms, plan.missing, bad, plan.hidden, tuple(findings))


class _Totals:
    """Sums of all histograms of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.edges = {request: plan.bins[request.region].edges for request in plan.meanings}
        self.sums = {request: np.zeros(len(self.edges[request]) + 1) for request in plan.meanings}
        self.squares = {request: np.zeros_like(sums) for request, sums in self.sums.items()}
        self.entries = dict.fromkeys(plan.meanings, 0)

    def add(self, planned: PlannedTable, sums: Sums) -> None:
        """Add what a table gives, with the scale that it has in each histogram."""
        drawn, places = planned.table.drawn, places_of(planned.table)
        for part in planned.parts:
            place, cells = places[part.drawn], drawn[part.drawn].bins.cells
            start = place.cells.start + part.weight * cells
            own = slice(start, start + cells)
            self.sums[part.request] += sums.sums[own] * part.scale
            self.squares[part.request] += sums.squares[own] * part.scale**2
            self.entries[part.request] += int(sums.entries[place.histograms.start + part.weight])

    def histograms(self) -> Iterator[tuple[HistRequest, Histogram]]:
        for request, edges in self.edges.items():
            found = (self.sums[request], self.squares[request], self.entries[request])
            yield request, Histogram(edges, *found)


def _summed(planned: PlannedTable, items: Sequence[Done]) -> Sums:
    """The sums of all ranges of a table."""
    sums = Sums.nothing(planned.table)
    for item in items:
        sums.add(Sums.read(item.folder))
    return sums


def _broken(planned: PlannedTable, sums: Sums) -> Iterator[Finding]:
    """Weights that are no finite numbers, each once."""
    counts = iter(sums.broken.astype(int).tolist())
    told: dict[str, tuple[int, str]] = {}
    for item in planned.table.drawn:
        for weight in item.weights:
            number = next(counts)
            if number > told.get(weight, (0, ""))[0]:
                told[weight] = number, item.selection
    for weight, (number, selection) in told.items():
        yield BROKEN_WEIGHT.finding(
            f"{short(planned.table.file.path)}: the weight of {number:,} events that pass "
            f"`{selection}` is not a finite number",
            suggestion=f"the weight is `{weight}`",
            evidence={"events": number},
        )


def _undefined(planned: PlannedTable, sums: Sums) -> Iterator[Finding]:
    """Variables that are NaN, each once."""
    told: dict[str, int] = {}
    for item, number in zip(planned.table.drawn, sums.undefined.astype(int), strict=True):
        told[item.variable] = max(int(number), told.get(item.variable, 0))
    for variable, number in told.items():
        if number:
            where = short(planned.table.file.path)
            what = f"{where}: `{variable}` of {number:,} entries is not a number"
            yield NO_VALUE.finding(what, evidence={"entries": number})


def without_files(meanings: Mapping[HistRequest, Meaning], gone: set[Path]) -> list[HistRequest]:
    """Variations without some of the files that their nominal histograms have.

    Args:
        meanings: What each histogram is made of.
        gone: Files that are not there, or cannot be read.
    """
    lacking = {
        request: [file.path in gone for file in meaning.files]
        for request, meaning in meanings.items()
    }
    return [
        request
        for request, lacks in lacking.items()
        if any(lacks) and request.nominal in lacking and lacks != lacking[request.nominal]
    ]


def instead(
    histograms: dict[HistRequest, Histogram], lacking: Iterable[HistRequest]
) -> list[Finding]:
    """Put nominal histograms in the place of variations without some of their files."""
    findings = []
    for request in lacking:
        if nominal := histograms.get(request.nominal):
            histograms[request] = nominal
            findings.append(NO_VARIATION.finding(f"{request} has not all files"))
    return findings
