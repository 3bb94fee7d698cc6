"""The inner loop of a skim: entries of one table through cuts into a sink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions import Batch, Entries, Expression
from quarkline.events.identity import RowIds
from quarkline.events.passing import passing
from quarkline.events.selection import CutFlow, count_passing
from quarkline.events.sinks import Sink
from quarkline.events.sources import Source, Sweep
from quarkline.events.sources.base import record_array

STEP_ROWS = 200_000
ROW_IDS = ("_source", "_entry", "_object")


def skim_range(
    source: Source,
    cuts: Mapping[str, Expression],
    weight: Expression | None,
    keep: Sequence[str],
    start: int,
    stop: int,
    sink: Sink,
) -> CutFlow:
    """Write the events of a range that pass all cuts, and count those that pass each.

    The sink gets the kept columns in the order of `keep`, and their types even if no event
    passes.

    Args:
        source: The table.
        cuts: Cut by name, in order; without any, every event passes.
        weight: Weight of an event in the cut-flow; None is 1.
        keep: Columns to write. Those of `ROW_IDS` that the table lacks are made: they say which
            entry of which file a row was.
        start: First entry.
        stop: Entry after the last one.
        sink: Takes the events; it is not closed.

    Raises:
        InputError: If a column cannot be written, or the weight has several values an event.
        WorkError: If the file turns out damaged.
    """
    factors = [*cuts.values(), *([weight] if weight else [])]
    needed = sorted({name for factor in factors for name in factor.columns})
    sweep = source.sweep()
    nothing = sweep.read(needed, start, start)
    sink.write(_kept(source, sweep, keep, nothing, start, np.zeros(0, np.bool_)))
    flow: CutFlow | None = None
    for first, last in steps(start, stop):
        table = sweep.read(needed, first, last)
        batch = Batch(table, Entries(first, source.schema.entries))
        passed = passing(batch, list(cuts.values()))
        part = count_passing(batch, cuts, passed, weight=weight)
        flow = part if flow is None else flow + part
        kept = passed.so_far[-1] if cuts else np.ones(last - first, np.bool_)
        if kept.any():
            sink.write(_kept(source, sweep, keep, table, first, kept))
    if flow is None:
        msg = f"no steps in entries [{start}, {stop})"
        raise ValueError(msg)
    return flow


def steps(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The pieces in which a range is read; an empty range has one empty piece."""
    for first in range(start, stop, STEP_ROWS) or (start,):
        yield first, min(first + STEP_ROWS, stop)


def _kept(
    source: Source,
    sweep: Sweep,
    keep: Sequence[str],
    table: ak.Array,
    start: int,
    passed: NDArray[np.bool_],
) -> ak.Array:
    """The kept columns of the events that passed, those in `table` from there.

    The others are read now, where something passed.
    """
    entries = start + np.flatnonzero(passed)
    objects = np.zeros(len(entries), np.uint16)
    ids = RowIds(source.source_id, source.schema.tree, entries.astype(np.uint64), objects)
    others = [name for name in keep if name in source.schema and name not in table.fields]
    taken = sweep.take(others, entries)
    arrays = (
        ids.columns()
        | {name: taken[name] for name in others}
        | {name: table[name][passed] for name in table.fields}
    )
    return record_array({name: arrays[name] for name in keep}, len(entries))
