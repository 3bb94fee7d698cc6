"""What the columns of a file hold: ranges, means, sentinels and a coarse histogram.

The file is read twice in chunks, once for the ranges and once for the histograms, so the memory
does not grow with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.events.sources import Source

BINS = 16
SENTINELS = (-99.0, -999.0, -9999.0, -99999.0, -999999.0, -1e10, 1e10, -1e30, 1e30)
HUGE = 1e9  # beyond it a physical value is rarely one
EXACT = 2.0**53  # integers up to here are exact in float64
CHUNK_VALUES = 10_000_000
CHUNK_ROWS = (1000, 200_000)  # fewest and most events read at a time


@dataclass(frozen=True)
class ColumnValues:
    """What one column holds over all events, elements of lists counted one by one.

    Attributes:
        name: Its name.
        n: Number of values.
        min: Smallest finite value, a whole number in columns of integers, None if there is none or
            the column holds text.
        max: Largest finite value.
        mean: Mean of the finite values.
        nan: Number of NaNs.
        infinite: Number of infinities.
        huge: Number of finite values beyond 1e9 either way, sentinels left out.
        sentinels: How often each value occurs that often stands for a missing one, by value.
        constant: Whether there is one value only, and more than one event.
        histogram: Counts in 16 bins of equal width from the smallest to the largest finite value,
            sentinels left out.
        low: Lower end of the histogram.
        high: Upper end of the histogram.
        problem: Why the column could not be read, "" if it could.
    """

    name: str
    n: int = 0
    min: Any = None
    max: Any = None
    mean: float | None = None
    nan: int = 0
    infinite: int = 0
    huge: int = 0
    sentinels: dict[str, int] = field(default_factory=dict)
    constant: bool = False
    histogram: tuple[int, ...] = ()
    low: float | None = None
    high: float | None = None
    problem: str = ""


def column_values(
    source: Source, columns: Sequence[str], *, shapes: bool = True
) -> tuple[ColumnValues, ...]:
    """Look at every value of some columns of a file.

    Args:
        source: The opened file.
        columns: Their names. One that turns out damaged does not keep the others from being read.
        shapes: Whether to fill histograms, which takes a second look.
    """
    scans = [_Scan(name) for name in columns]
    fewest, most = CHUNK_ROWS
    step = min(max(CHUNK_VALUES // max(len(columns), 1), fewest), most)
    try:
        for chunk in source.chunks(columns, step=step):
            for scan in scans:
                scan.look(chunk.array[scan.name])
        for chunk in source.chunks(columns, step=step) if shapes else ():
            for scan in scans:
                scan.fill(chunk.array[scan.name])
    except (InputError, WorkError) as error:
        if len(columns) == 1:
            return (ColumnValues(columns[0], problem=error.findings[0].message),)
        return tuple(column_values(source, [name], shapes=shapes)[0] for name in columns)
    return tuple(scan.result() for scan in scans)


class _Scan:
    """One column while it is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.n = self.nan = self.infinite = self.finite = self.huge = 0
        self.min: Any = None
        self.max: Any = None
        self.low, self.high = math.inf, -math.inf
        self.sums: list[float] = []
        self.sentinels: dict[float, int] = {}
        self.counts = np.zeros(BINS, np.int64)

    def look(self, array: ak.Array) -> None:
        """Take in the range of some values."""
        if is_text(array):
            while array.ndim > 1:
                array = ak.flatten(array)
            self.n += len(array)
            return
        values = _flat(array)
        self.n += len(values)
        finite = values
        if values.dtype.kind == "f":
            finite = values[np.isfinite(values)]
            nan = int(np.isnan(values).sum())
            self.nan += nan
            self.infinite += len(values) - len(finite) - nan
        if not len(finite):
            return
        smallest, largest = finite.min().item(), finite.max().item()
        self.min = smallest if self.min is None else min(self.min, smallest)
        self.max = largest if self.max is None else max(self.max, largest)
        self.finite += len(finite)
        self.sums.append(float(finite.sum(dtype=np.float64)))
        usual = finite[~self._sentinels_in(finite)]
        if len(usual):
            self.huge += int(((usual > HUGE) | (usual < -HUGE)).sum())
            self.low = min(self.low, float(usual.min()))
            self.high = max(self.high, float(usual.max()))

    def _sentinels_in(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Count sentinels; returns which values they are."""
        marked = np.zeros(len(values), np.bool_)
        for sentinel in filter(partial(_holds, values.dtype), SENTINELS):
            equal = values == values.dtype.type(sentinel)
            if equal.any():
                self.sentinels[sentinel] = self.sentinels.get(sentinel, 0) + int(equal.sum())
                marked |= equal
        return marked

    def fill(self, array: ak.Array) -> None:
        """Fill the histogram with values whose range is known."""
        if self.low > self.high:
            return
        values = _flat(array)
        for sentinel in self.sentinels:
            values = values[values != values.dtype.type(sentinel)]
        values = values.astype(np.float64)
        with np.errstate(invalid="ignore"):
            inside = values[(values >= self.low) & (values <= self.high)]
        share = (inside - self.low) / ((self.high - self.low) or 1.0)
        self.counts += np.bincount(np.minimum((share * BINS).astype(int), BINS - 1), minlength=BINS)

    def result(self) -> ColumnValues:
        """What was seen."""
        filled = self.low <= self.high
        return ColumnValues(
            name=self.name,
            n=self.n,
            min=self.min,
            max=self.max,
            mean=math.fsum(self.sums) / self.finite if self.finite else None,
            nan=self.nan,
            infinite=self.infinite,
            huge=self.huge,
            sentinels={f"{value:g}": n for value, n in sorted(self.sentinels.items())},
            constant=self.n > 1 and self.finite == self.n and self.min == self.max,
            histogram=tuple(self.counts.tolist()) if self.counts.any() else (),
            low=self.low if filled else None,
            high=self.high if filled else None,
        )


def _flat(array: ak.Array) -> NDArray[Any]:
    return np.asarray(ak.flatten(array, axis=None) if array.ndim > 1 else array)


def _holds(dtype: np.dtype[Any], sentinel: float) -> bool:
    """Whether values of this type can equal a sentinel."""
    if dtype.kind == "f":
        return abs(sentinel) <= float(np.finfo(dtype).max)
    if dtype.kind == "b":
        return False
    ends = np.iinfo(dtype)
    return float(ends.min) <= sentinel <= min(float(ends.max), EXACT)


def is_text(array: ak.Array) -> bool:
    """Whether the innermost values of a column are texts."""
    form = array.layout.form
    while form.is_list and form.parameter("__array__") != "string":
        form = form.content
    return bool(form.parameter("__array__") == "string")
