"""What a skim finds out: sums of weights before cuts and cut-flows, by file, sample and tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np

from quarkline.engine.core.results import Result
from quarkline.events.expressions import Batch, Entries, Expression
from quarkline.events.selection import CutFlow
from quarkline.events.skim.loop import steps
from quarkline.events.sources import Source
from quarkline.events.table import WeightSum

WEIGHT = "weight"
"""Name of the sum of the weight itself among the sums."""


@dataclass(frozen=True)
class TreeResult(Result, kind="skim-tree"):
    """One tree of a file or a sample.

    Attributes:
        flow: Its cut-flow.
        sums: Sums over all its events, before any cut, by name.
    """

    flow: CutFlow
    sums: Mapping[str, WeightSum] = field(default_factory=dict)

    def __add__(self, other: TreeResult) -> TreeResult:
        sums = {name: found + other.sums[name] for name, found in self.sums.items()}
        return TreeResult(self.flow + other.flow, sums)


@dataclass(frozen=True)
class InputResult:
    """What became of one input file.

    Attributes:
        file: Its path below the base folder.
        digest: Its content key, "" if it could not be read.
        sample: The sample it belongs to.
        trees: What was found by name of the tree that was cut.
        problem: Why it was left out, "" if it was not.
    """

    file: str
    digest: str
    sample: str
    trees: Mapping[str, TreeResult] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class OutputFile:
    """One output file: its path below the output folder, events by tree, bytes, content key."""

    file: str
    entries: Mapping[str, int]
    size: int
    digest: str


@dataclass(frozen=True)
class SampleResult:
    """One sample: number of files that were read, what was found by tree, and its bad files."""

    files: int
    trees: Mapping[str, TreeResult]
    bad: Mapping[str, str]


@dataclass(frozen=True)
class SkimResult(Result, kind="skim"):
    """A finished skim.

    Attributes:
        samples: What was found by sample.
        inputs: What became of each input file.
        outputs: The output files.
    """

    samples: Mapping[str, SampleResult]
    inputs: tuple[InputResult, ...]
    outputs: tuple[OutputFile, ...]


def by_sample(inputs: Iterable[InputResult]) -> dict[str, SampleResult]:
    """The results of files added up by sample, in the order of the files."""
    found: dict[str, list[InputResult]] = {}
    for item in inputs:
        found.setdefault(item.sample, []).append(item)
    return {name: _sample(items) for name, items in found.items()}


def _sample(items: list[InputResult]) -> SampleResult:
    good = [item for item in items if not item.problem]
    trees = dict.fromkeys(tree for item in good for tree in item.trees)
    added = {
        tree: add_up(item.trees[tree] for item in good if tree in item.trees) for tree in trees
    }
    return SampleResult(len(good), added, {i.file: i.problem for i in items if i.problem})


def add_up(results: Iterable[TreeResult]) -> TreeResult:
    """The sum of results, in their order."""
    return reduce(TreeResult.__add__, results)


def sum_weights(
    source: Source, weights: Mapping[str, Expression], start: int, stop: int
) -> dict[str, WeightSum]:
    """Sums of several weights over the events of a range, before any cut.

    Args:
        source: The table.
        weights: Weight by name, each with one value an event.
        start: First entry.
        stop: Entry after the last one.
    """
    found = {name: WeightSum(weight.text) for name, weight in weights.items()}
    needed = sorted({column for weight in weights.values() for column in weight.columns})
    sweep = source.sweep()
    for first, last in steps(start, stop) if weights else ():
        batch = Batch(sweep.read(needed, first, last), Entries(first, source.schema.entries))
        for name, weight in weights.items():
            values = np.asarray(weight.evaluate(batch), np.float64)
            found[name] = found[name] + _sum_of(weight.text, values)
    return found


def _sum_of(text: str, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> WeightSum:
    known = values[~np.isnan(values)]
    return replace(
        WeightSum(text),
        events=len(values),
        nan=len(values) - len(known),
        negative=int(np.count_nonzero(known < 0)),
        sum_weights=float(np.sum(known)),
        sum_weights2=float(np.sum(known * known)),
    )
