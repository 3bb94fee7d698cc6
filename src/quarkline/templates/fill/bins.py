"""Bins of a histogram, and the bin that a value belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from quarkline.catalog import Automatic, Edges, Uniform
from quarkline.catalog.regions import Binning
from quarkline.templates.histograms import Array


@dataclass(frozen=True)
class Bins:
    """Bins as they are filled; a value at an edge belongs to the bin above it.

    Attributes:
        numbers: The edges; of bins of one width their number and the two ends.
        uniform: Whether they have one width.
    """

    numbers: tuple[float, ...]
    uniform: bool = False

    @classmethod
    def of(cls, binning: Binning | None) -> Self | None:
        """Bins as a region has them; those that are found automatically as fine as given."""
        if isinstance(binning, Automatic):
            binning = binning.fine
        if isinstance(binning, Uniform):
            return cls((binning.bins, binning.low, binning.high), uniform=True)
        return cls(tuple(map(float, binning.edges))) if isinstance(binning, Edges) else None

    @property
    def as_json(self) -> list[Any]:
        """What `from_json` makes them of."""
        return [self.uniform, *self.numbers]

    @classmethod
    def from_json(cls, told: list[Any]) -> Self:
        """Bins from `as_json`."""
        return cls(tuple(told[1:]), uniform=told[0])

    @cached_property
    def edges(self) -> Array:
        """Edges of n bins, shape (n + 1,)."""
        if not self.uniform:
            return np.array(self.numbers)
        number, low, high = self.numbers
        return np.linspace(low, high, int(number) + 1)

    @property
    def cells(self) -> int:
        """Number of bins, underflow and overflow among them."""
        return (int(self.numbers[0]) if self.uniform else len(self.numbers) - 1) + 2

    def find(self, values: Array) -> NDArray[np.int64]:
        """The bin of each value, 0 below all and n + 1 above; values are not NaN."""
        return np.searchsorted(self.edges, values, side="right")
