"""Where the numbers are in the bytes of a histogram of ROOT.

All histograms of one binning have the same bytes but for the name and some numbers. To write many
of them, or read them, uproot makes or understands the first, and the others follow its layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from quarkline.templates.histograms import Array, Histogram

DOUBLE = np.dtype(">f8")
NAME = 29
"""Where the name begins: after the versions of `TH1D`, `TH1`, `TNamed` and `TObject`."""
STATISTICS = ("fEntries", "fTsumw", "fTsumw2", "fTsumwx", "fTsumwx2")
"""Numbers that are beside each other in the bytes."""
AFTER = ("fMaximum", "fMinimum", "fNormFactor")
"""Those that follow them, by which they are found."""


@dataclass(frozen=True, eq=False)
class Layout:
    """The bytes that histograms have in common.

    Attributes:
        parts: What is between the name, the statistics, the sums of squares and the sums.
        length: Bytes of the name.
        bins: Bins with underflow and overflow.
        edges: Edges of the bins.
    """

    parts: tuple[bytes, bytes, bytes, bytes]
    length: int
    bins: int
    edges: Array

    @classmethod
    def of(cls, data: bytes, name: str, histogram: Any) -> Layout | None:
        """The layout of a histogram; None if its numbers are not where they are looked for.

        Args:
            data: Its bytes.
            name: Its name.
            histogram: What uproot understands of them.
        """
        text = name.encode(errors="surrogateescape")
        squares = np.asarray(histogram.member("fSumw2"))
        sums = np.asarray(histogram.values(flow=True))
        statistics = [histogram.member(one) for one in (*STATISTICS, *AFTER)]
        found = [
            [NAME] if data.startswith(text, NAME) and data[NAME - 1] == len(text) else [],
            _places(data, np.array(statistics, DOUBLE).tobytes()),
            _places(data, _counted(squares), 4)[:1],
            [len(data) - DOUBLE.itemsize * len(sums)],
        ]
        same = len(squares) == len(sums) and data.endswith(_counted(sums)) and len(text) < 255
        if not same or any(len(places) != 1 for places in found):
            return None
        starts = [place for (place,) in found]
        widths = [len(text), DOUBLE.itemsize * len(STATISTICS), DOUBLE.itemsize * len(sums)]
        begins = [0, *(start + width for start, width in zip(starts, widths, strict=False))]
        if any(begin > start for begin, start in zip(begins, starts, strict=True)):
            return None
        first, second, third, fourth = (
            data[begin:start] for begin, start in zip(begins, starts, strict=True)
        )
        edges = np.asarray(histogram.axis().edges(), float)
        return cls((first, second, third, fourth), len(text), len(sums), edges)

    def written(self, name: bytes, statistics: Array, squares: Array, sums: Array) -> bytes:
        """The bytes of another histogram, whose name is as long."""
        first, second, third, fourth = self.parts
        numbers = (each.astype(DOUBLE).tobytes() for each in (statistics, squares, sums))
        return b"".join(
            (first, name, second, next(numbers), third, next(numbers), fourth, next(numbers))
        )

    def read(self, data: bytes, *, counted: bool) -> Histogram | None:
        """A histogram from its bytes; None if it has another layout.

        Args:
            data: The bytes.
            counted: Whether its number of entries is one.
        """
        first, second, third, fourth = self.parts
        width = DOUBLE.itemsize * self.bins
        statistics = len(first) + self.length + len(second)
        squares = statistics + DOUBLE.itemsize * len(STATISTICS) + len(third)
        sums = squares + width + len(fourth)
        if (
            len(data) != sums + width
            or not data.startswith(first)
            or not data.startswith(second, len(first) + self.length)
            or not data.startswith(third, squares - len(third))
            or not data.startswith(fourth, sums - len(fourth))
        ):
            return None
        entries = int(np.frombuffer(data, DOUBLE, 1, statistics)[0]) if counted else None
        return Histogram(
            self.edges,
            np.frombuffer(data, DOUBLE, self.bins, sums).astype(np.float64),
            np.frombuffer(data, DOUBLE, self.bins, squares).astype(np.float64),
            entries,
        )


def _counted(values: Array) -> bytes:
    """An array as ROOT stores it, after its length."""
    return len(values).to_bytes(4, "big") + values.astype(DOUBLE).tobytes()


def _places(data: bytes, pattern: bytes, skipped: int = 0) -> list[int]:
    """Where a pattern is in some bytes, without so many of its first ones."""
    found, at = [], data.find(pattern)
    while at >= 0:
        found.append(at + skipped)
        at = data.find(pattern, at + 1)
    return found
