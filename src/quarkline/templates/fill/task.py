"""The task of filling: a range of one tree into all histograms that it adds to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.catalog import InputFile
from quarkline.engine.core.findings import QuarklineError, WorkError
from quarkline.events.expressions import Batch, Entries
from quarkline.events.friends import with_friends
from quarkline.events.sources import Source, open_source
from quarkline.templates.fill.bound import BoundTable
from quarkline.templates.fill.findings import CHANGED
from quarkline.templates.fill.tables import Table
from quarkline.templates.histograms import Array

SUMS = "sums.npz"
STEP_ROWS = 100_000


@dataclass(frozen=True)
class Sums:
    """What the events of a range add to all histograms of a table, bins one after the other.

    Attributes:
        sums: Sums of weights, shape (cells,).
        squares: Sums of their squares, shape (cells,).
        entries: Entries of each histogram with a weight that is not 0, shape (histograms,).
        undefined: Entries whose variable is NaN, of each of what is drawn.
        broken: Entries whose weight is no finite number, shape (histograms,).
    """

    sums: Array
    squares: Array
    entries: Array
    undefined: Array
    broken: Array

    @classmethod
    def nothing(cls, table: Table) -> Sums:
        """Sums of no events."""
        histograms = sum(len(item.weights) for item in table.drawn)
        sizes = (table.cells, table.cells, histograms, len(table.drawn), histograms)
        return cls(*(np.zeros(size) for size in sizes))

    def add(self, other: Sums) -> None:
        """Add those of further events."""
        for name, own in vars(self).items():
            np.add(own, getattr(other, name), out=own)

    def write(self, folder: Path) -> None:
        """Write them into the folder of a task."""
        np.savez(folder / SUMS, **vars(self))

    @classmethod
    def read(cls, folder: Path) -> Sums:
        """Read what a task has written."""
        with np.load(folder / SUMS) as arrays:
            return cls(**arrays)


def fill_range(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: the sums of a range of a tree; an unreadable file is an outcome.

    Args:
        args: `Table.args`, with `start`, `stop` and `entries` of the tree.
        inputs: The file as `events`, friends as `friend0` and so on.
        folder: Takes the sums.

    Returns:
        The `problem` that makes the file unreadable, "" if none does.
    """
    friends = tuple(path for name, path in inputs.items() if name != "events")
    table = Table.from_args(args, InputFile(inputs["events"], args["tree"], friends))
    try:
        with open_table(table.file) as source:
            if source.schema.entries != args["entries"]:
                what = f"{source.schema.entries} entries instead of {args['entries']}"
                raise WorkError(CHANGED.finding(what))
            sums = fill_table(source, table, args["start"], args["stop"])
    except QuarklineError as error:
        return {"problem": error.findings[0].message}
    sums.write(folder)
    return {"problem": ""}


def open_table(file: InputFile) -> Source:
    """A tree with its friends as one table.

    Raises:
        InputError: If it cannot be read, or a friend does not fit it.
    """
    host = open_source(file.path, tree=file.tree)
    try:
        return with_friends(host, file.friends, unproved=True)
    except BaseException:
        host.close()
        raise


def fill_table(source: Source, table: Table, start: int, stop: int) -> Sums:
    """The sums of entries [start, stop) of a tree.

    Raises:
        InputError: If an expression does not fit it.
        WorkError: If the file is damaged.
    """
    bound = BoundTable.of(table, source.schema)
    sums, sweep = Sums.nothing(table), source.sweep()
    for first in range(start, stop, STEP_ROWS):
        last = min(first + STEP_ROWS, stop)
        array = sweep.read(bound.columns, first, last)
        bound.add(Batch(array, Entries(first, source.schema.entries)), sums)
    return sums
