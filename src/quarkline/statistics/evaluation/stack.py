"""Expected events by sample in bins of one variable, with data beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Result
from quarkline.statistics.arrays import Floats
from quarkline.statistics.evaluation.events import grouped_variance, summed

Series = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class WeightedSample:
    """Values of one variable in one sample.

    Attributes:
        values: With shape (N,); NaN where an event has none.
        weight: Expected events behind each, with shape (N,); None for one each, as in data.
        group: Equal integers for values that are not independent, with shape (N,).
    """

    values: ArrayLike
    weight: ArrayLike | None = None
    group: ArrayLike | None = None

    @property
    def arrays(self) -> tuple[Floats, Floats, np.ndarray[tuple[int], np.dtype[np.uint64]]]:
        """Values, weights and groups."""
        values = np.asarray(self.values, dtype=np.float64).ravel()
        weight = (
            np.ones(values.size) if self.weight is None else np.asarray(self.weight, np.float64)
        )
        group = np.arange(values.size) if self.group is None else np.asarray(self.group)
        return values, weight.ravel(), group.ravel().astype(np.uint64)


@dataclass(frozen=True)
class StackPart:
    """One sample of a stack.

    Attributes:
        name: The sample, or group of samples.
        events: Expected events in each bin.
        variance: Squared standard deviation of each, with values of a group as one.
        outside: Expected events beside the bins.
        missing: Expected events without a value.
        entries: Number of simulated values.
    """

    name: str
    events: Series
    variance: Series
    outside: float
    missing: float
    entries: int


@dataclass(frozen=True)
class HistStack(Result, kind="hist-stack"):
    """Samples stacked on each other, with data.

    Attributes:
        variable: Name and unit of the axis.
        edges: With shape (bins + 1,).
        parts: Samples, the first at the bottom.
        signal: Names of parts that are signal; drawn on the stack and as an overlay.
        data: Numbers of data events in each bin, NaN where blinded; None without data.
        data_outside: Data events beside the bins.
        data_missing: Data events without a value.
        blinded: Range of the variable whose data are hidden.
    """

    variable: str
    edges: Series
    parts: tuple[StackPart, ...]
    signal: tuple[str, ...] = ()
    data: Series | None = None
    data_outside: float = 0.0
    data_missing: float = 0.0
    blinded: tuple[float, float] | None = None

    @property
    def total(self) -> Floats:
        """Expected events in each bin."""
        return np.asarray(np.sum([self._zeros, *(part.events for part in self.parts)], axis=0))

    @property
    def error(self) -> Floats:
        """Standard deviation of the total from the statistics of the simulation."""
        variances = [self._zeros, *(part.variance for part in self.parts)]
        return np.asarray(np.sqrt(np.sum(variances, axis=0)))

    @property
    def _zeros(self) -> Series:
        return (0.0,) * (len(self.edges) - 1)


def hist_stack(
    variable: str,
    samples: Mapping[str, WeightedSample],
    edges: ArrayLike,
    *,
    signal: Sequence[str] = (),
    data: WeightedSample | None = None,
    blinded: tuple[float, float] | None = None,
) -> HistStack:
    """Fill a stack.

    Args:
        variable: Name and unit, such as `HT [GeV]`.
        samples: Simulated samples by name, the first at the bottom.
        edges: Rising, with shape (bins + 1,); the last bin holds its upper edge.
        signal: Names of samples that are signal.
        data: Data; None without.
        blinded: Range [low, high) of the variable in which data are hidden; bins that reach into
            it have none. What is hidden is not kept.
    """
    cells = np.asarray(edges, dtype=np.float64)
    parts = tuple(_part(name, sample, cells) for name, sample in samples.items())
    if data is None:
        return HistStack(variable, tuple(cells.tolist()), parts, tuple(signal), blinded=blinded)
    seen = _part("data", data, cells)
    shown = np.array(seen.events)
    outside = seen.outside
    if blinded is not None:
        slack = 1e-9 * np.diff(cells)  # an edge at 0.6 may be 0.6000000000000001
        shown[(cells[:-1] < blinded[1] - slack) & (cells[1:] > blinded[0] + slack)] = np.nan
        outside = outside if cells[0] <= blinded[0] and blinded[1] <= cells[-1] else np.nan
    return HistStack(
        variable,
        tuple(cells.tolist()),
        parts,
        tuple(signal),
        tuple(shown.tolist()),
        outside,
        seen.missing,
        blinded,
    )


def _part(name: str, sample: WeightedSample, edges: Floats) -> StackPart:
    values, weight, group = sample.arrays
    count = edges.size - 1
    known = ~np.isnan(values)
    inside = known & (values >= edges[0]) & (values <= edges[-1])
    cells = np.searchsorted(edges[1:-1], values[inside], side="right").astype(np.intp)
    return StackPart(
        name,
        tuple(summed(weight[inside], cells, count).tolist()),
        tuple(grouped_variance(weight[inside], group[inside], cells, count).tolist()),
        float(weight[known & ~inside].sum()),
        float(weight[~known].sum()),
        values.size,
    )
