"""From events to entries of histograms: who counts, in which bin, with which weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions import Batch, Entries
from quarkline.events.expressions.compiled import joint_scope
from quarkline.events.expressions.shared import SharedValues
from quarkline.events.sources import Source, Sweep
from quarkline.templates.fill.bound import BoundItem, BoundTable
from quarkline.templates.fill.sums import Entered, Integers, Sums, enter
from quarkline.templates.histograms import Array

Mask = NDArray[np.bool_]
MOST_WEIGHTS = 4_000_000
"""Weights that are in memory together."""


def add_events(
    source: Source, sweep: Sweep, table: BoundTable, start: int, stop: int, sums: Sums
) -> None:
    """Add entries [start, stop) of a tree to the sums of its table.

    Conditions are evaluated for all events; variables, weights and elements of lists only for
    those that count in some histogram.
    """
    array = sweep.read(table.deciding, start, stop)
    batch = Batch(array, Entries(start, source.schema.entries), rows=stop - start)
    values = table.values(batch)
    masks = [_passed(values, item.conditions) for item in table.items]
    rows = np.flatnonzero(np.logical_or.reduce(masks))
    if len(rows):
        taken = sweep.take(table.others, start + rows)
        kept = batch.taken(rows, array.fields)
        columns = {**kept.columns, **{name: taken[name] for name in taken.fields}}
        chosen = [np.flatnonzero(mask[rows]) for mask in masks]
        _Step(table, Batch(columns, kept.entries, rows=len(rows)), sums).add(chosen)


def _passed(values: SharedValues, conditions: Sequence[int]) -> Mask:
    found = np.ones(values.rows, np.bool_)
    for condition in conditions:
        found &= values.true(condition)
    return found


class _Step:
    """Events that count in some histogram."""

    def __init__(self, table: BoundTable, batch: Batch, sums: Sums) -> None:
        self.table, self.sums = table, sums
        self.batches = table.batches(batch)
        self.values = SharedValues(table.steps, self.batches)

    def add(self, chosen: Sequence[Integers]) -> None:
        """Add them, given the rows that count in each of the items."""
        groups: dict[tuple[int, ...], list[Entered]] = {}
        for item, rows in zip(self.table.items, chosen, strict=True):
            if not len(rows):
                continue
            if item.weighing is None:
                self._add_alone(item, rows)
                continue
            if item.loops:
                found, _ = self._instances(item, rows)
            else:
                found = self._flat(item, rows)
            groups.setdefault(item.weighing, []).append(found)
        for weighing, entered in groups.items():
            self._add_group(weighing, entered)

    def _flat(self, item: BoundItem, rows: Integers) -> Entered:
        """One entry an event."""
        if item.value is None:
            raise ValueError(item.number)
        exists = self.values.exists(item.value)
        if exists is not None:
            rows = rows[exists[rows]]
        found = self.values.values(item.value)[rows]
        rows, found = self._defined(item, rows, found)
        factor = self._factor(item, rows)
        return Entered(item.place, rows, item.drawn.bins.find(found), factor)

    def _add_alone(self, item: BoundItem, rows: Integers) -> None:
        """Add entries of the elements of lists with weights of their own."""
        entered, weights = self._instances(item, rows)
        own = Entered(item.place, np.arange(len(weights)), entered.bins, entered.factor)
        enter(self.sums, [own], weights)

    def _instances(self, item: BoundItem, rows: Integers) -> tuple[Entered, Array]:
        weights = item.weights if item.weighing is None else ()
        together = [item.variable, *item.looping, *weights]
        names = {name for expression in together for name in expression.columns}
        scope = joint_scope(self.batches[item.batch].taken(rows, names), together)
        passed = np.ones(len(scope.frame), np.bool_)
        for clause in item.looping:
            passed &= scope.values(clause.tree, loops=True) != 0
        chosen = np.flatnonzero(passed)
        found = scope.values(item.variable.tree)[chosen]
        chosen, found = self._defined(item, chosen, found)
        events = rows[scope.frame.events[chosen]]
        factor = self._factor(item, events)
        if item.counts_elements:
            factor = scope.values(item.looping[0].tree)[chosen]
        own = np.empty((len(chosen), len(weights)))
        for column, weight in enumerate(weights):
            own[:, column] = scope.values(weight.tree, loops=True)[chosen]
        return Entered(item.place, events, item.drawn.bins.find(found), factor), own

    def _factor(self, item: BoundItem, rows: Integers) -> Array | None:
        """What the selection multiplies the weight with, None for 1."""
        if item.factor is None:
            return None
        found = self.values.values(item.factor)[rows]
        return None if (found == 1).all() else found

    def _defined(self, item: BoundItem, rows: Integers, found: Array) -> tuple[Integers, Array]:
        """Entries whose variable is a number."""
        undefined = np.isnan(found)
        if not undefined.any():
            return rows, found
        self.sums.undefined[item.number] += np.count_nonzero(undefined)
        return rows[~undefined], found[~undefined]

    def _add_group(self, weighing: tuple[int, ...], entered: Sequence[Entered]) -> None:
        """Add entries of several variables that have the same weights."""
        used = np.zeros(self.values.rows, np.bool_)
        for item in entered:
            used[item.rows] = True
        rows = np.flatnonzero(used)
        row = np.cumsum(used) - 1
        together = max(1, MOST_WEIGHTS // max(1, len(rows)))
        for first in range(0, len(weighing), together):
            steps = weighing[first : first + together]
            moved = [
                replace(
                    item,
                    place=item.place.of_weights(first, first + len(steps)),
                    rows=row[item.rows],
                )
                for item in entered
            ]
            enter(self.sums, moved, self._weights(steps, rows))

    def _weights(self, steps: Sequence[int], rows: Integers) -> Array:
        """Weights of some events, with shape (events, weights)."""
        weights = np.empty((len(rows), len(steps)))
        for column, step in enumerate(steps):
            weights[:, column] = self.values.values(step)[rows]
            exists = self.values.exists(step)
            if exists is not None:
                weights[~exists[rows], column] = 0.0
        return weights
