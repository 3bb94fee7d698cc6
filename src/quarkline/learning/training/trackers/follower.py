"""Follows the metrics files that trainings append to, wherever their items are worked on.

A training appends a line an epoch. One that is killed and continued leaves the same bytes, so the
number of lines says what has been seen.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from quarkline.learning.training.history import METRICS
from quarkline.learning.training.trackers.base import Row


def metrics_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The metrics files of an item, finished or at work.

    Args:
        folder: The item's folder once it is finished.

    Yields:
        The path below the item's folder, empty for the item itself, and the file.
    """
    root = folder if folder.is_dir() else folder.with_name(folder.name + ".partial")
    for path in sorted(root.rglob(METRICS)):
        below = path.parent.relative_to(root).as_posix()
        yield ("" if below == "." else below), path


def read_rows(path: Path, *, after: int = 0) -> list[Row]:
    """The whole lines of a metrics file after the first `after`; a line being written waits.

    What is no finite number in a line is left out.

    Raises:
        ValueError: If the first column of a line is no whole number.
    """
    text = path.read_text(encoding="utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines()
    return [_row(cells) for cells in list(csv.DictReader(lines))[after:]]


def _row(cells: dict[str, str]) -> Row:
    step, *metrics = cells.items()
    return Row(int(step[1]), {name: value for name, text in metrics for value in _finite(text)})


def _finite(text: str) -> Iterator[float]:
    try:
        value = float(text)
    except ValueError:
        return
    if math.isfinite(value):
        yield value
