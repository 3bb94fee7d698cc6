"""Draw an expression over files of events, as `TTree::Draw` does: statistics and a histogram."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.results import Result
from quarkline.events.expressions import ResultKind
from quarkline.events.files import expand_files
from quarkline.events.schema import Schema
from quarkline.events.selection import Instances, Query, compile_query
from quarkline.events.sources.base import CHUNK_ROWS
from quarkline.tools.batches import read_batches
from quarkline.tools.binning import Bins, automatic_bins
from quarkline.tools.friend_files import NO_FRIENDS, Friends

KEPT_IN_MEMORY = 5_000_000

Floats = NDArray[np.float64]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class DrawResult(Result, kind="draw"):
    """What `draw` found: one entry for every instance that is selected.

    An instance counts `n` if its weight is not 0; those whose value or weight is NaN are counted
    in `nan` and nowhere else. Weights are the selection times the weight. Statistics are of all
    counted instances, inside and outside the range of the histogram.

    Attributes:
        expression: What was drawn.
        select: The selection, "" for none.
        weight: The weight, "" for none.
        unit: Unit of the values, "" if none is known.
        files: Number of files read.
        events: Number of events read.
        n: Instances selected.
        nan: Instances selected whose value or weight is NaN.
        sum: Sum of weight * value.
        mean: Sum of weight * value over sum of weights.
        std: Root of the weighted mean of (value - mean)^2, as ROOT's `TH1::GetStdDev`, which
            takes the absolute value under the root.
        min: Smallest value.
        max: Largest value.
        sum_weights: Sum of weights.
        sum_weights2: Sum of squares of weights.
        edges: Edges of the bins, one more than bins; a value on an edge is in the bin above it.
        contents: Sum of weights by bin.
        sumw2: Sum of squares of weights by bin.
        underflow: Sum of weights below the first edge.
        overflow: Sum of weights at or above the last edge.
        warnings: Findings about the expressions.
    """

    expression: str
    select: str
    weight: str
    unit: str
    files: int
    events: int
    n: int
    nan: int
    sum: float
    mean: float
    std: float
    min: float
    max: float
    sum_weights: float
    sum_weights2: float
    edges: tuple[float, ...]
    contents: tuple[float, ...]
    sumw2: tuple[float, ...]
    underflow: float
    overflow: float
    warnings: tuple[Mapping[str, Any], ...] = ()


def draw(
    files: Sequence[str | Path],
    expression: str,
    *,
    tree: str | None = None,
    select: str | None = None,
    weight: str | None = None,
    bins: Bins | None = None,
    friends: Friends = NO_FRIENDS,
    step: int = CHUNK_ROWS,
    progress: Progress | None = None,
) -> DrawResult:
    """Draw an expression over files of events.

    Args:
        files: Paths or globs, read as one table in this order.
        expression: What to draw; several entries an event if it loops over an array.
        tree: The tree, where a file has several.
        select: Which instances to draw; a number counts as weight.
        weight: Weight of each instance.
        bins: The bins; None chooses round ones that hold all values, which reads the files twice
            if they give more than five million instances.
        friends: What is read beside the files.
        step: Events read at a time; the result does not depend on it.
        progress: Called with the fraction that has been read.

    Raises:
        InputError: If a file is missing or not readable, or an expression does not fit.
        WorkError: If a file turns out damaged.
    """
    paths = expand_files([str(file) for file in files], base=Path())
    reading = _Reading(paths, tree, step, friends)
    query = functools.partial(
        compile_query, value=expression, select=select, weight=weight, numbered=True
    )
    scan = _Scan()
    histogram = Histogram(bins) if bins else None
    for instances in reading.instances(query, progress):
        scan.add(instances)
        if histogram:
            histogram.fill(instances)
        else:
            scan.keep(instances)
    if histogram is None:
        whole = reading.query.value.kind is not ResultKind.REAL
        histogram = Histogram(automatic_bins(scan.low, scan.high, whole=whole))
        kept = scan.kept if scan.kept is not None else reading.instances(query, progress)
        for instances in kept:
            histogram.fill(instances)
    return _result(reading, scan, histogram)


def _result(reading: _Reading, scan: _Scan, histogram: Histogram) -> DrawResult:
    query = reading.query
    total = scan.sum_weights.total
    offset = scan.shifted.total / total if total else math.nan
    spread = scan.shifted2.total / total - offset**2 if total else math.nan
    return DrawResult(
        expression=query.value.text,
        select=query.select.text if query.select else "",
        weight=query.weight.text if query.weight else "",
        unit=query.unit,
        files=len(reading.paths),
        events=reading.events,
        n=scan.n,
        nan=scan.nan,
        sum=scan.sum.total,
        mean=scan.shift + offset,
        std=math.sqrt(abs(spread)),
        min=scan.min,
        max=scan.max,
        sum_weights=total,
        sum_weights2=scan.sum_weights2.total,
        edges=tuple(histogram.bins.edges.tolist()),
        contents=tuple(histogram.contents[1:-1].tolist()),
        sumw2=tuple(histogram.sumw2[1:-1].tolist()),
        underflow=float(histogram.contents[0]),
        overflow=float(histogram.contents[-1]),
        warnings=tuple(finding.as_json() for finding in query.warnings),
    )


class _Reading:
    """Files read as one table; knows its number of events once it was read."""

    query: Query  # as it fits the first file

    def __init__(
        self, paths: Sequence[Path], tree: str | None, step: int, friends: Friends
    ) -> None:
        if not paths:
            msg = "no files to draw from"
            raise ValueError(msg)
        self.paths, self.tree, self.step, self.friends = paths, tree, step, friends
        self.events = 0

    def instances(
        self, compiled: Callable[[Schema], Query], progress: Progress | None
    ) -> Iterator[Instances]:
        """The instances of a query, chunk by chunk."""
        self.events = 0
        batches = read_batches(self.paths, self.tree, self.step, compiled, self.friends)
        for query, batch, read in batches:
            if not self.events:
                self.query = query
            yield query.instances(batch)
            self.events += batch.rows
            if progress:
                progress(read)


class RunningSum:
    """A sum in the order of its terms, so that it does not depend on how they are cut up."""

    def __init__(self) -> None:
        self.total = 0.0

    def add(self, terms: Floats) -> None:
        """Add terms one after the other."""
        self.total = float(np.add.accumulate(np.append(self.total, terms))[-1])


class _Scan:
    """Statistics of instances, and the instances themselves while they are few."""

    def __init__(self) -> None:
        self.n = self.nan = 0
        self.min = self.max = self.low = self.high = self.shift = math.nan
        self.sum_weights, self.sum_weights2 = RunningSum(), RunningSum()
        self.sum, self.shifted, self.shifted2 = RunningSum(), RunningSum(), RunningSum()
        self.kept: list[Instances] | None = []

    def add(self, instances: Instances) -> None:
        known = ~(np.isnan(instances.values) | np.isnan(instances.weights))
        values, weights = instances.values[known], instances.weights[known]
        self.n += len(values)
        self.nan += len(known) - len(values)
        if not len(values):
            return
        self.min, self.max = _range(values, self.min, self.max)
        if len(finite := values[np.isfinite(values)]):
            self.low, self.high = _range(finite, self.low, self.high)
            self.shift = float(finite[0]) if math.isnan(self.shift) else self.shift
        with np.errstate(all="ignore"):
            # Around the first value, so that a narrow peak far from 0 keeps its width.
            offsets = values - (0.0 if math.isnan(self.shift) else self.shift)
            self.sum_weights.add(weights)
            self.sum_weights2.add(weights * weights)
            self.sum.add(weights * values)
            self.shifted.add(weights * offsets)
            self.shifted2.add(weights * offsets * offsets)

    def keep(self, instances: Instances) -> None:
        """Keep instances for a second look, as long as all of them fit."""
        if self.kept is not None:
            self.kept.append(instances)
        if self.n + self.nan > KEPT_IN_MEMORY:
            self.kept = None


def _range(values: Floats, low: float, high: float) -> tuple[float, float]:
    return float(np.fmin(low, values.min())), float(np.fmax(high, values.max()))


class Histogram:
    """Sums of weights in bins, filled in order.

    Attributes:
        bins: The bins.
        contents: Sum of weights with underflow first and overflow last, shape (count + 2,).
        sumw2: Sum of squares of weights, of the same shape.
    """

    def __init__(self, bins: Bins) -> None:
        self.bins = bins
        self.contents = np.zeros(bins.count + 2)
        self.sumw2 = np.zeros(bins.count + 2)

    def fill(self, instances: Instances) -> None:
        """Add instances; those with NaN are left out."""
        known = ~(np.isnan(instances.values) | np.isnan(instances.weights))
        found = self.bins.find(instances.values[known])
        weights = instances.weights[known]
        np.add.at(self.contents, found, weights)
        np.add.at(self.sumw2, found, weights * weights)
