"""Which events pass cuts alone, one after the other, and all but one, each cut evaluated once.

An event passes several cuts if one of its instances passes them together, as in `TTree::Draw`. A
cut with one value an event is a condition on the event. Cuts that loop are conditions on instances;
where all of them have the same ones, each is evaluated once. Only where they have not (cuts on
columns of different lengths) is every combination of them evaluated by itself, because then a cut
has other instances in other company.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions.batch import Batch, EventTable
from quarkline.events.expressions.compiled import Expression, joint_scope
from quarkline.events.expressions.leaves import counts_instances

Passed = NDArray[np.bool_]


@dataclass(frozen=True)
class Passing:
    """Whether events pass cuts; a row a cut, each array with shape (cuts, N).

    Attributes:
        alone: This cut, whatever the others say.
        so_far: This cut and all before it.
        without: All cuts but this one.
    """

    alone: Passed
    so_far: Passed
    without: Passed


def passing(batch: Batch, cuts: Sequence[Expression]) -> Passing:
    """Evaluate cuts on a batch of N events."""
    looping = {place: cut for place, cut in enumerate(cuts) if loops(cut)}
    alone = np.ones((len(cuts), batch.rows), np.bool_)
    for place, cut in enumerate(cuts):
        if place not in looping:
            alone[place] = select_events(batch, cut)
    flat, jagged = _combined(alone), _looping(batch, looping, len(cuts))
    alone[list(looping)] = jagged.alone[list(looping)]
    return Passing(alone, flat.so_far & jagged.so_far, flat.without & jagged.without)


def select_events(table: EventTable, *cuts: Expression) -> Passed:
    """Whether events have an instance that passes all cuts together, with shape (N,)."""
    scope = joint_scope(table, cuts)
    frame = scope.frame
    passed = np.ones(len(frame), dtype=np.bool_)
    for cut in cuts:
        passed &= scope.values(cut.tree) != 0
    return np.bincount(frame.events[passed], minlength=frame.rows) > 0


def loops(cut: Expression) -> bool:
    """Whether what a cut says of an event may depend on the cuts beside it."""
    return cut.depth > 0 or counts_instances(cut.tree)


def _looping(batch: Batch, cuts: dict[int, Expression], rows: int) -> Passing:
    """Cuts that loop, by row; the other rows pass everything."""
    if not cuts:
        everything = np.ones((rows, batch.rows), np.bool_)
        return Passing(everything, everything, everything)
    scope = joint_scope(batch, cuts.values())
    events = scope.frame.events
    own = (joint_scope(batch, [cut]).frame.events for cut in cuts.values())
    depths = {cut.depth for cut in cuts.values()}
    if len(depths) > 1 or not all(np.array_equal(events, other) for other in own):
        return _combination_by_combination(batch, cuts, rows)
    instances = np.ones((rows, len(events)), np.bool_)
    for place, cut in cuts.items():
        instances[place] = scope.values(cut.tree) != 0
    joined = _combined(instances)
    found = Passing(*(_any(matrix, events, batch.rows) for matrix in vars(joined).values()))
    # Without a cut that loops, an event needs no instance.
    found.so_far[: min(cuts)] = True
    if len(cuts) == 1:
        found.without[min(cuts)] = True
    return found


def _combination_by_combination(batch: Batch, cuts: dict[int, Expression], rows: int) -> Passing:
    chosen = range(rows)
    return Passing(
        np.stack([select_events(batch, *_of(cuts, {place})) for place in chosen]),
        np.stack([select_events(batch, *_of(cuts, set(range(place + 1)))) for place in chosen]),
        np.stack([select_events(batch, *_of(cuts, set(chosen) - {place})) for place in chosen]),
    )


def _of(cuts: dict[int, Expression], places: set[int]) -> list[Expression]:
    return [cut for place, cut in cuts.items() if place in places]


def _combined(passed: Passed) -> Passing:
    """Conditions in rows, joined by `and` in every combination."""
    ones = np.ones((1, passed.shape[1]), np.bool_)
    before = np.logical_and.accumulate(np.concatenate([ones, passed]), axis=0)
    after = np.logical_and.accumulate(np.concatenate([ones, passed[::-1]]), axis=0)[::-1]
    return Passing(passed, before[1:], before[:-1] & after[1:])


def _any(instances: Passed, events: NDArray[np.int64], rows: int) -> Passed:
    """Whether events have an instance that passes, row by row."""
    counts = (np.bincount(events[row], minlength=rows) for row in instances)
    return np.stack([count > 0 for count in counts])
