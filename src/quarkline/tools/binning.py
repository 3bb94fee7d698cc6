"""Bins of equal width: given as N,LO,HI, or chosen with round edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Rule

BINS = Rule(
    "QL-EXPR-017",
    "a histogram has bins and a range",
    "Bins are given as their number, the lower and the upper edge, such as `--bins 40,0,200`: at "
    "least one bin and at most a million, the lower edge below the upper one, both finite and far "
    "enough apart that each bin has a width in double precision.",
)

MOST_BINS = 1_000_000
AUTOMATIC_BINS = 40
WHOLE_BINS = 60
LARGEST = 1e300  # of automatic edges: what lies beyond goes to underflow and overflow

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bins:
    """Bins of equal width; value x is in bin k if edges[k] <= x < edges[k + 1].

    The edges are low + k * width, as ROOT's `TAxis::GetBinLowEdge`; the upper edge itself belongs
    to the overflow.

    Raises:
        InputError: If there is no bin, or the range is empty or not finite.
    """

    count: int
    low: float
    high: float

    def __post_init__(self) -> None:
        text = f"{self.count},{self.low:g},{self.high:g}"
        if not 1 <= self.count <= MOST_BINS:
            problem = f"{self.count} bins asked for"
        elif not math.isfinite(self.high - self.low):
            problem = "the range is not finite"
        elif not self.low < self.high:
            problem = f"the lower edge {self.low:g} is not below the upper edge {self.high:g}"
        elif not (np.diff(self.edges) > 0).all():
            problem = f"{self.count} bins are too many for the range"
        else:
            return
        raise InputError(BINS.finding(f"bins `{text}`: {problem}", suggestion=_BINS_HINT))

    @property
    def edges(self) -> Floats:
        """The edges, with shape (count + 1,)."""
        width = (self.high - self.low) / self.count
        return np.append(self.low + np.arange(self.count) * width, self.high)

    def find(self, values: Floats) -> NDArray[np.intp]:
        """Bin of each value from 1 on; 0 below the range, count + 1 above it."""
        edges = self.edges
        found = np.searchsorted(edges[:-1], values, side="right")
        return np.where(values >= self.high, self.count + 1, found)


_BINS_HINT = "write N,LO,HI, such as `--bins 40,0,200`"


def parse_bins(text: str) -> Bins:
    """Bins from `N,LO,HI`.

    Raises:
        InputError: If the text is not that, or no histogram has such bins.
    """
    try:
        count, low, high = text.split(",")
        return Bins(int(count), float(low), float(high))
    except ValueError:
        message = f"bins `{text}` are not a number of bins and two edges"
        raise InputError(BINS.finding(message, suggestion=_BINS_HINT)) from None


def automatic_bins(low: float, high: float, *, whole: bool) -> Bins:
    """Bins with round edges that hold all values from `low` to `high`.

    Whole numbers in a range of at most 60 get a bin each, with the number in its middle.
    """
    if math.isnan(low):
        return Bins(10, 0.0, 1.0)
    whole = whole and max(abs(low), abs(high)) < 2.0**50  # beyond, doubles have no halves
    if whole and high - low < WHOLE_BINS:
        return Bins(round(high - low) + 1, low - 0.5, high + 0.5)
    low, high = (min(max(end, -LARGEST), LARGEST) for end in (low, high))
    if high - low < 1 / LARGEST:
        low, high = low - max(0.5, abs(low) / 2), high + max(0.5, abs(high) / 2)
    width = _round_width((high - low) / AUTOMATIC_BINS, whole=whole)
    width = max(width, 4 * float(np.spacing(max(abs(low), abs(high)))))
    offset = 0.5 if whole else 0.0

    def edge(number: int) -> float:
        return round(number * width, 2 - math.floor(math.log10(width))) - offset

    first, last = math.floor(low / width), math.floor(high / width) + 1
    first -= edge(first) > low  # where the quotient was rounded
    last += edge(last) <= high
    return Bins(last - first, edge(first), edge(last))


def _round_width(raw: float, *, whole: bool) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `raw`."""
    scale = 10.0 ** math.floor(math.log10(raw))
    steps = (1.0, 2.0, 5.0, 10.0) if whole else (1.0, 2.0, 2.5, 5.0, 10.0)
    return next((step * scale for step in steps if step * scale >= raw), 10.0 * scale)
