"""The task of filling: a range of one tree into all histograms that it adds to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quarkline.catalog import InputFile
from quarkline.engine.core.findings import QuarklineError, WorkError
from quarkline.events.friends import with_friends
from quarkline.events.sources import Source, open_source
from quarkline.templates.fill.bound import BoundTable
from quarkline.templates.fill.entries import add_events
from quarkline.templates.fill.findings import CHANGED
from quarkline.templates.fill.sums import Sums
from quarkline.templates.fill.tables import Table

STEP_ROWS = 50_000


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
        return {"problem": told(error)}
    sums.write(folder)
    return {"problem": ""}


def told(error: QuarklineError) -> str:
    """What is wrong with a file, and what to do about it, in one line."""
    first = error.findings[0]
    parts = [first.message, *([first.suggestion] if first.suggestion else [])]
    return " ".join("; ".join(parts).split())


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
        add_events(source, sweep, bound, first, min(first + STEP_ROWS, stop), sums)
    return sums
