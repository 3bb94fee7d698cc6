"""Cut-flows and N-1 distributions of samples of events: numbers, tables and figures."""

from __future__ import annotations

import csv
import functools
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.core.findings import Finding, InputError, Rule
from quarkline.engine.core.results import Result, pretty_json
from quarkline.engine.store.atomic import make_folder, write_atomic
from quarkline.engine.workflow.samples import InputSample
from quarkline.events.cuts import Cuts
from quarkline.events.expressions import Expression, ResultKind
from quarkline.events.nminus1 import (
    CentralRange,
    CutVariable,
    NMinusOne,
    cut_variable,
    passing_others,
)
from quarkline.events.selection import CutFlow, Instances
from quarkline.events.sources.base import CHUNK_ROWS
from quarkline.tools.batches import read_batches
from quarkline.tools.binning import automatic_bins
from quarkline.tools.draw import Histogram
from quarkline.tools.friend_files import NO_FRIENDS, Friends

NO_CUTS = Rule(
    "QL-CHECK-016",
    "a cut-flow has cuts",
    "`quarkline cutflow` counts what each cut keeps: give cuts as `--select`, or a config whose "
    "study has some.",
)

Progress = Callable[[float], None]


@dataclass(frozen=True)
class SampleFlow:
    """The cut-flow of one sample.

    Attributes:
        name: Name of the sample.
        files: Number of files read.
        flow: What the cuts keep.
        distributions: N-1 distributions of the cuts that compare one variable with constants.
    """

    name: str
    files: int
    flow: CutFlow
    distributions: tuple[NMinusOne, ...] = ()


@dataclass(frozen=True)
class CutFlowReport(Result, kind="cut-flows"):
    """The cut-flows of samples.

    Attributes:
        samples: One a sample; distributions of equal cuts have equal bins.
        warnings: Findings about the expressions.
    """

    samples: tuple[SampleFlow, ...]
    warnings: tuple[Mapping[str, Any], ...] = ()


def cut_flows(
    samples: Sequence[InputSample],
    *,
    friends: Friends = NO_FRIENDS,
    step: int = CHUNK_ROWS,
    progress: Progress | None = None,
) -> CutFlowReport:
    """Count what the cuts of samples keep, and what each of them would lose last.

    The files are read twice if a cut has a variable: for the counts and ranges, then for the
    distributions.

    Args:
        samples: Files with cuts and a weight.
        friends: What is read beside the files.
        step: Events read at a time; the counts do not depend on it.
        progress: Called with the fraction that has been read.

    Raises:
        InputError: If there are no cuts, a file is missing or not readable, or an expression does
            not fit.
        WorkError: If a file turns out damaged.
    """
    if empty := [sample.name for sample in samples if not sample.cuts]:
        message = f"there is no cut to count the events of `{empty[0]}` after"
        hint = "add one, such as `--select 'pt: Muon_pt[0] > 20'`"
        raise InputError(NO_CUTS.finding(message, suggestion=hint))
    passes = _Passes(samples, friends, step, progress)
    flows = [_first_pass(passes, sample) for sample in samples]
    distributions = _distributions(passes, samples)
    return CutFlowReport(
        tuple(
            SampleFlow(sample.name, len(sample.files), flow, distributions.get(sample.name, ()))
            for sample, flow in zip(samples, flows, strict=True)
        ),
        tuple(finding.as_json() for finding in passes.warnings.values()),
    )


class _Passes:
    """Goes through the samples, and remembers what their cuts look like and where they range."""

    def __init__(
        self, samples: Sequence[InputSample], friends: Friends, step: int, told: Progress | None
    ) -> None:
        self.friends, self.step, self.told = friends, step, told
        self.files, self.read = 2 * sum(len(sample.files) for sample in samples), 0
        self.warnings: dict[str, Finding] = {}
        self.variables: dict[tuple[str, str], CutVariable] = {}
        self.ranges: dict[tuple[str, str], CentralRange] = {}

    def batches(self, sample: InputSample) -> Iterator[tuple[Cuts, Any]]:
        """Cuts as they fit each file of a sample, and its events batch by batch."""
        bound = functools.partial(Cuts.of, cuts=sample.cuts, weight=sample.weight)
        files = len(sample.files)
        found = read_batches(sample.files, sample.tree, self.step, bound, self.friends)
        for cuts, batch, share in found:
            yield cuts, batch
            if self.told:
                self.told((self.read + share * files) / self.files)
        self.read += files


def _first_pass(passes: _Passes, sample: InputSample) -> CutFlow:
    """The cut-flow of a sample; takes in where its variables range."""
    flow: CutFlow | None = None
    for cuts, batch in passes.batches(sample):
        part = cuts.flow(batch)
        flow = part if flow is None else flow + part
        passes.warnings |= {str(finding): finding for finding in cuts.warnings}
        for name, cut in cuts.by_name.items():
            if variable := cut_variable(cut):
                passes.variables.setdefault((name, cut.text), variable)
        for name, instances in passing_others(batch, cuts):
            key = (name, cuts.by_name[name].text)
            passes.ranges.setdefault(key, CentralRange()).add(instances.values)
    if flow is None:
        msg = f"no files in sample `{sample.name}`"
        raise ValueError(msg)
    return flow


def _distributions(
    passes: _Passes, samples: Sequence[InputSample]
) -> dict[str, tuple[NMinusOne, ...]]:
    """The second pass: distributions in bins that hold nearly all values of all samples."""
    found: dict[str, tuple[NMinusOne, ...]] = {}
    bins = {
        key: automatic_bins(
            *passes.ranges[key].around(variable.bounds),
            whole=variable.expression.kind is not ResultKind.REAL,
        )
        for key, variable in passes.variables.items()
    }
    for sample in samples:
        keys = [(name, text) for name, text in sample.cuts.items() if (name, text) in bins]
        filled = {name: _Filled(Histogram(bins[name, text])) for name, text in keys}
        for cuts, batch in passes.batches(sample) if keys else ():
            for name, instances in passing_others(batch, cuts):
                filled[name].add(instances)
        found[sample.name] = tuple(
            replace(
                filled[name].result(name, text, passes.variables[name, text]),
                weight=sample.weight or "",
            )
            for name, text in keys
        )
    return found


@dataclass
class _Filled:
    histogram: Histogram
    nan: int = 0

    def add(self, instances: Instances) -> None:
        self.histogram.fill(instances)
        self.nan += int(np.isnan(instances.values + instances.weights).sum())

    def result(self, name: str, text: str, variable: CutVariable) -> NMinusOne:
        contents, sumw2 = self.histogram.contents, self.histogram.sumw2
        return NMinusOne(
            cut=name,
            expression=text,
            variable=str(variable.expression.tree),
            bounds=variable.bounds,
            kept=variable.kept,
            unit=_unit(variable.expression),
            edges=tuple(self.histogram.bins.edges.tolist()),
            contents=tuple(contents[1:-1].tolist()),
            sumw2=tuple(sumw2[1:-1].tolist()),
            underflow=float(contents[0]),
            overflow=float(contents[-1]),
            nan=self.nan,
        )


def _unit(expression: Expression) -> str:
    leaf = expression.leaves.get(expression.tree)
    return leaf.column.unit if leaf and not leaf.whole else ""


HEADINGS = (
    "sample",
    "step",
    "expression",
    "alone",
    "events",
    "sum_weights",
    "sum_weights_error",
    "efficiency",
    "efficiency_error",
    "step_efficiency",
    "step_efficiency_error",
    "events_without",
    "sum_weights_without",
    "sum_weights_without_error",
    "last_efficiency",
    "last_efficiency_error",
)


def table_rows(report: CutFlowReport) -> Iterator[dict[str, Any]]:
    """A row for all events of each sample and one a cut, with `HEADINGS` as keys."""
    for sample in report.samples:
        flow = sample.flow
        yield dict.fromkeys(HEADINGS, "") | {
            "sample": sample.name,
            "step": "all events",
            "events": flow.events,
            "sum_weights": flow.sum_weights,
            "sum_weights_error": flow.error,
        }
        shares = (flow.efficiencies, flow.step_efficiencies, flow.last_efficiencies)
        for step, *found in zip(flow.steps, *shares, strict=True):
            whole, before, last = ((_cell(share.value), _cell(share.up or 0.0)) for share in found)
            row = (
                *(sample.name, step.name, step.expression, step.alone, step.events),
                *(step.sum_weights, step.error, *whole, *before),
                *(step.events_without, step.sum_weights_without, step.error_without, *last),
            )
            yield dict(zip(HEADINGS, row, strict=True))


def _cell(value: float) -> float | str:
    return "" if math.isnan(value) else value


def write_report(report: CutFlowReport, folder: Path) -> list[Path]:
    """Write a report as `cutflow.csv`, `cutflow.json` and figures as PDF, PNG and drawn values.

    Returns:
        The files.

    Raises:
        InputError: If files cannot be written there.
    """
    from quarkline.figures import plot_cut_flow, plot_n_minus_one, save

    make_folder(folder)
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADINGS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table_rows(report))
    files = [
        write_atomic(folder / "cutflow.csv", text.getvalue()),
        write_atomic(folder / "cutflow.json", pretty_json(report)),
    ]
    alike: dict[tuple[str, ...], dict[str, CutFlow]] = {}
    for sample in report.samples:
        steps = tuple(step.name for step in sample.flow.steps)
        alike.setdefault(steps, {})[sample.name] = sample.flow
    for number, flows in enumerate(alike.values()):
        stem = "cut_flow" + (f"_{_slug(next(iter(flows)))}" if number else "")
        files += save(plot_cut_flow(flows), folder / stem)
    for number, drawn in enumerate(_by_cut(report), start=1):
        name = next(iter(drawn.values())).cut
        files += save(plot_n_minus_one(drawn), folder / f"n_minus_1_{number:02d}_{_slug(name)}")
    return files


def _by_cut(report: CutFlowReport) -> list[dict[str, NMinusOne]]:
    """The distributions of each cut by sample."""
    found: dict[tuple[str, str], dict[str, NMinusOne]] = {}
    for sample in report.samples:
        for drawn in sample.distributions:
            found.setdefault((drawn.cut, drawn.expression), {})[sample.name] = drawn
    return list(found.values())


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40]
