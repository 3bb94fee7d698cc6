"""Certified luminosity sections: which runs and blocks of data an experiment declared good."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quarkline.engine.core.findings import InputError, Place, Rule

BLOCK_BITS = 32

NOT_A_LIST = Rule(
    "QL-EVENTS-060",
    "a list of certified luminosity sections maps runs to ranges of sections",
    'CMS publishes such lists as JSON: `{"281613": [[101, 128], [130, 130]], ...}`, the number of '
    "a run to pairs of first and last certified section, both included.",
)


@dataclass(frozen=True)
class CertifiedSections:
    """Disjoint ranges of (run, luminosity section), sorted.

    Attributes:
        first: Run and first section as one number, run * 2^32 + section, with shape (ranges,).
        last: Run and last section, included, with shape (ranges,).
    """

    first: NDArray[np.uint64]
    last: NDArray[np.uint64]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a list in the JSON layout of CMS.

        Raises:
            InputError: If the file is missing or is not such a list.
        """
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise _refused(path, f"cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise _refused(path, f"is not JSON: {error}") from error
        if not isinstance(given, dict) or not given:
            raise _refused(path, "holds no runs")
        ranges = [
            (_whole(run, path) << BLOCK_BITS, *_range(item, run, path))
            for run, items in given.items()
            for item in _listed(items, run, path)
        ]
        if not ranges:
            raise _refused(path, "holds no sections")
        return cls._of(ranges)

    @classmethod
    def _of(cls, ranges: list[tuple[int, int, int]]) -> Self:
        """Sort ranges and join those that overlap, so that each section is in one at most."""
        joined: list[list[int]] = []
        for first, last in sorted((run + low, run + high) for run, low, high in ranges):
            if joined and first <= joined[-1][1]:
                joined[-1][1] = max(last, joined[-1][1])
            else:
                joined.append([first, last])
        edges = np.array(joined, dtype=np.uint64)
        return cls(edges[:, 0], edges[:, 1])

    def contains(self, run: ArrayLike, section: ArrayLike) -> NDArray[np.bool_]:
        """Whether events lie in a certified section.

        Args:
            run: Run numbers, with shape (N,).
            section: Luminosity sections (`luminosityBlock` in NanoAOD), with shape (N,).
        """
        high = np.asarray(run, np.uint64) << np.uint64(BLOCK_BITS)
        code = high + np.asarray(section, np.uint64)
        place = np.searchsorted(self.first, code, side="right")
        return np.asarray((place > 0) & (code <= self.last[np.maximum(place, 1) - 1]))


def _listed(items: Any, run: str, path: Path) -> list[Any]:
    if not isinstance(items, list):
        raise _refused(path, f"gives run {run} no list of ranges but {items!r:.60}")
    return items


def _range(item: Any, run: str, path: Path) -> tuple[int, int]:
    whole = isinstance(item, list) and len(item) == 2 and all(type(x) is int for x in item)
    if not whole or not 0 <= item[0] <= item[1] < 1 << BLOCK_BITS:
        raise _refused(path, f"gives run {run} the range {item!r:.60}")
    return item[0], item[1]


def _whole(run: str, path: Path) -> int:
    if not (run.isascii() and run.isdigit()) or int(run) >= 1 << BLOCK_BITS:
        raise _refused(path, f"has `{run:.60}` where a run's number belongs")
    return int(run)


def _refused(path: Path, what: str) -> InputError:
    return InputError(
        NOT_A_LIST.finding(
            f"the list of certified sections {what}",
            suggestion="give the JSON file that the experiment publishes for these data",
            place=Place(path),
        )
    )
