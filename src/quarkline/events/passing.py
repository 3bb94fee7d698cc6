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
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions.batch import Batch, EventTable
from quarkline.events.expressions.compiled import Expression, joint_scope
from quarkline.events.expressions.leaves import counts_instances

Passed = NDArray[np.bool_]


@dataclass(frozen=True)
class Passing:
    """Whether events pass cuts; each list has an array of shape (N,) for every cut.

    Attributes:
        alone: This cut, whatever the others say.
        so_far: This cut and all before it.
        without: All cuts but this one.
    """

    alone: list[Passed]
    so_far: list[Passed]
    without: list[Passed]


def passing(batch: Batch, cuts: Sequence[Expression]) -> Passing:
    """Evaluate cuts on a batch of N events."""
    all_events = np.ones(batch.rows, np.bool_)
    flat = _combined([select_events(batch, cut) for cut in cuts if not loops(cut)], all_events)
    looping = _looping(batch, [cut for cut in cuts if loops(cut)])
    of_flat, of_looping = ([all_events, *part.so_far] for part in (flat, looping))
    found = Passing([], [], [])
    i = j = 0  # cuts of each kind so far
    for cut in cuts:
        if loops(cut):
            found.alone.append(looping.alone[j])
            found.without.append(of_flat[-1] & looping.without[j])
            j += 1
        else:
            found.alone.append(flat.alone[i])
            found.without.append(flat.without[i] & of_looping[-1])
            i += 1
        found.so_far.append(of_flat[i] & of_looping[j])
    return found


def select_events(table: EventTable, *cuts: Expression) -> Passed:
    """Whether events have an instance that passes all cuts together, with shape (N,)."""
    scope = joint_scope(table, cuts)
    frame = scope.frame
    passed = np.ones(len(frame), dtype=np.bool_)
    for cut in cuts:
        passed &= scope.values(cut.tree) != 0
    return _events_of(passed, frame.events, frame.rows)


def loops(cut: Expression) -> bool:
    """Whether what a cut says of an event may depend on the cuts beside it."""
    return cut.depth > 0 or counts_instances(cut.tree)


def _looping(batch: Batch, cuts: Sequence[Expression]) -> Passing:
    """Cuts that loop, evaluated on their common instances if they have the same."""
    if not cuts:
        return Passing([], [], [])
    scope = joint_scope(batch, cuts)
    events = scope.frame.events
    own = (joint_scope(batch, [cut]).frame.events for cut in cuts)
    depths = {cut.depth for cut in cuts}
    if len(depths) > 1 or not all(np.array_equal(events, other) for other in own):
        return _combination_by_combination(batch, cuts)
    instances = [scope.values(cut.tree) != 0 for cut in cuts]
    joined = _combined(instances, np.ones(len(events), np.bool_))
    lists = vars(joined).values()
    found = Passing(*([_events_of(row, events, batch.rows) for row in rows] for rows in lists))
    if len(cuts) == 1:  # without a cut that loops, an event needs no instance
        found.without[0][:] = True
    return found


def _combination_by_combination(batch: Batch, cuts: Sequence[Expression]) -> Passing:
    places = range(len(cuts))
    return Passing(
        [select_events(batch, cut) for cut in cuts],
        [select_events(batch, *cuts[: place + 1]) for place in places],
        [select_events(batch, *cuts[:place], *cuts[place + 1 :]) for place in places],
    )


def _combined(passed: list[Passed], everything: Passed) -> Passing:
    """Conditions, joined by `and` in every combination."""
    before = list(accumulate(passed, np.logical_and, initial=everything))
    after = list(accumulate(reversed(passed), np.logical_and, initial=everything))[::-1]
    without = [first & last for first, last in zip(before, after[1:], strict=False)]
    return Passing(passed, before[1:], without)


def _events_of(passed: Passed, events: NDArray[np.int64], rows: int) -> Passed:
    """Whether events have an instance that passes."""
    found = np.zeros(rows, np.bool_)
    found[events[passed]] = True
    return found
