"""What is drawn of a tree, as it fits the tree's columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from quarkline.engine.core.findings import Finding, InputError
from quarkline.events.expressions import Batch, Expression, compile_expression
from quarkline.events.expressions.compiled import joint_scope
from quarkline.events.replaced import Replacements
from quarkline.events.schema import Schema
from quarkline.templates.fill.tables import Columns, Drawn, Table

if TYPE_CHECKING:
    from quarkline.templates.fill.task import Sums


@dataclass(frozen=True)
class _Bound:
    drawn: Drawn
    variable: Expression
    selection: Expression
    weights: tuple[Expression, ...]


@dataclass(frozen=True)
class BoundTable:
    """What is drawn of a tree, as it fits the tree's columns.

    Attributes:
        table: The table.
        shifts: Columns with other values.
        items: What is drawn.
    """

    table: Table
    shifts: dict[Columns, Replacements]
    items: tuple[_Bound, ...]

    @classmethod
    def of(cls, table: Table, schema: Schema) -> Self:
        """Fit a table to its columns.

        Raises:
            InputError: If an expression does not fit them.
        """
        shifts = {}
        findings: list[Finding] = []
        for columns in dict.fromkeys(item.columns for item in table.drawn):
            shifts[columns] = Replacements.of(schema, dict(columns), findings)
        if findings:
            raise InputError(*findings)
        items = []
        for item in table.drawn:
            own = shifts[item.columns].schema

            def bound(text: str, own: Schema = own) -> Expression:
                return compile_expression(text, own, numbered=True)

            weights = tuple(map(bound, item.weights))
            items.append(_Bound(item, bound(item.variable), bound(item.selection), weights))
        return cls(table, shifts, tuple(items))

    @property
    def columns(self) -> list[str]:
        """Names of the columns that are read."""
        found = {name for shift in self.shifts.values() for name in shift.columns}
        found |= {name for shift in self.shifts.values() for name in shift.by_column}
        for item in self.items:
            for expression in (item.variable, item.selection, *item.weights):
                found |= expression.columns
        return sorted(found)

    def add(self, batch: Batch, sums: Sums) -> None:
        """Add the events of a batch to the sums of the table."""
        batches = {columns: shift.applied(batch) for columns, shift in self.shifts.items()}
        first = 0
        for number, (item, place) in enumerate(zip(self.items, self.table.places, strict=True)):
            _add(item, batches[item.drawn.columns], sums, number, place, first)
            first += len(item.weights)


def _add(item: _Bound, batch: Batch, sums: Sums, number: int, place: slice, first: int) -> None:
    scope = joint_scope(batch, [item.variable, item.selection, *item.weights])
    factor = scope.values(item.selection.tree)
    values = scope.values(item.variable.tree)
    passed = (factor != 0) & ~np.isnan(values)
    sums.undefined[number] += np.count_nonzero((factor != 0) & np.isnan(values))
    cells = item.drawn.bins.cells
    found = item.drawn.bins.find(values[passed])
    for index, weight in enumerate(item.weights):
        weights = scope.values(weight.tree)[passed] * factor[passed]
        own = slice(place.start + index * cells, place.start + (index + 1) * cells)
        sums.sums[own] += np.bincount(found, weights, minlength=cells)
        sums.squares[own] += np.bincount(found, weights * weights, minlength=cells)
        sums.entries[first + index] += np.count_nonzero(weights)
        sums.broken[first + index] += np.count_nonzero(~np.isfinite(weights))
