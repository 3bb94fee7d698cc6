"""What a stack of a prediction draws: groups of samples with their totals, data, hidden bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quarkline.catalog.drawing import SampleDrawing
from quarkline.figures.style import Fill, fills
from quarkline.figures.tables import Array
from quarkline.templates.predictions import PredictedSample, RegionPrediction


@dataclass(frozen=True, eq=False)
class Area:
    """Samples that are drawn as one.

    Attributes:
        name: Name of the sample, or of the group.
        signal: Whether it is signal.
        contents: Expected events of each bin, with shape (n,).
        total: Their sum.
    """

    name: str
    signal: bool
    contents: Array
    total: float


@dataclass(frozen=True, eq=False)
class Stacked:
    """A stack.

    Attributes:
        edges: Edges of n bins.
        areas: What is stacked, the highest first as in the catalog.
        total: Expectation of each bin.
        error: Its error.
        data: Counts of each bin, NaN where they are not shown; None without data.
        hidden: Bins whose data are not shown.
        yields: Sum of all bins and its error.
        background: Expectation of each bin without signals.
        background_error: Its error.
    """

    edges: Array
    areas: tuple[Area, ...]
    total: Array
    error: Array
    data: Array | None
    hidden: tuple[int, ...]
    yields: tuple[float, float]
    background: Array
    background_error: Array

    @property
    def signal(self) -> Array:
        """Expected signal of each bin."""
        parts = [area.contents for area in self.areas if area.signal]
        return np.asarray(np.sum([np.zeros_like(self.total), *parts], axis=0))

    def without_signal(self) -> Stacked:
        """The same with the background as its total."""
        return replace(self, total=self.background, error=self.background_error)


def of_region(result: RegionPrediction, groups: Mapping[str, str]) -> Stacked:
    """The stack of one region."""
    data = None if result.data is None else np.array(result.data, dtype=np.float64)
    if data is not None:
        data[list(result.hidden)] = np.nan
    return Stacked(
        edges=np.array(result.edges, dtype=np.float64),
        areas=_merged(result, groups, per_bin=True),
        total=np.array(result.contents, dtype=np.float64),
        error=np.array(result.errors, dtype=np.float64),
        data=data,
        hidden=result.hidden,
        yields=(result.total, result.total_error),
        background=np.array(background_of(result).contents, dtype=np.float64),
        background_error=np.array(background_of(result).errors, dtype=np.float64),
    )


def of_regions(results: Sequence[RegionPrediction], groups: Mapping[str, str]) -> Stacked:
    """The stack of many regions, a bin each; data of a region with hidden bins are hidden."""
    count = len(results)
    found: dict[str, Area] = {}
    for place, result in enumerate(results):
        for area in _merged(result, groups, per_bin=False):
            known = found.get(area.name) or replace(area, contents=np.zeros(count), total=0.0)
            known.contents[place] += area.total
            found[area.name] = replace(known, total=known.total + area.total)
    hidden = tuple(place for place, result in enumerate(results) if result.hidden)
    counts = np.array([np.nan if r.data is None else sum(r.data) for r in results])
    counts[list(hidden)] = np.nan
    return Stacked(
        edges=np.arange(count + 1, dtype=np.float64),
        areas=tuple(found.values()),
        total=np.array([result.total for result in results], dtype=np.float64),
        error=np.array([result.total_error for result in results], dtype=np.float64),
        data=None if all(result.data is None for result in results) else counts,
        hidden=hidden,
        yields=(float(sum(result.total for result in results)), float("nan")),
        background=np.array([background_of(result).total for result in results]),
        background_error=np.array([background_of(result).total_error for result in results]),
    )


def background_of(result: RegionPrediction) -> PredictedSample:
    """The sum of the backgrounds; with the error of the whole sum where its own is not known."""
    if result.background is not None:
        return result.background
    parts = [sample.contents for sample in result.samples if sample.role == "background"]
    contents = np.sum([np.zeros(len(result.contents)), *map(np.array, parts)], axis=0)
    return PredictedSample(
        "background",
        "background",
        tuple(contents.tolist()),
        result.errors,
        float(np.nansum(contents)),
        result.total_error,
    )


def per_width(stack: Stacked, width: float) -> Stacked:
    """The same with each bin scaled to one width; data keep their counts."""
    factor = width / np.diff(stack.edges)
    return replace(
        stack,
        areas=tuple(replace(area, contents=area.contents * factor) for area in stack.areas),
        total=stack.total * factor,
        error=stack.error * factor,
        background=stack.background * factor,
        background_error=stack.background_error * factor,
    )


def fills_of(
    names: Sequence[str], samples: Mapping[str, SampleDrawing], groups: Mapping[str, str]
) -> dict[str, Fill]:
    """How areas are filled where no colour is given.

    Samples that `samples` names have the fill of their place there, so that one has the same in
    every region; others come after them.
    """
    first = [groups.get(name) or name for name in samples]
    order = list(dict.fromkeys([*first, *names]))
    return dict(zip(order, fills(len(order)), strict=True))


def _merged(result: RegionPrediction, groups: Mapping[str, str], per_bin: bool) -> tuple[Area, ...]:
    """Samples of one region by group, in the order of the first of each."""
    found: dict[str, Area] = {}
    for sample in result.samples:
        name = groups.get(sample.name) or sample.name
        contents = np.array(sample.contents if per_bin else (sample.total,), dtype=np.float64)
        area = Area(name, sample.role == "signal", contents, float(sample.total))
        known = found.get(name)
        if known:
            area = replace(
                known, contents=known.contents + contents, total=known.total + area.total
            )
        found[name] = area
    return tuple(found.values())
