"""What is drawn of a tree, as it fits the tree's columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Self

from quarkline.engine.core.findings import Finding, InputError
from quarkline.events.expressions import (
    Batch,
    Expression,
    ResultKind,
    compile_expression,
    nodes,
)
from quarkline.events.expressions.leaves import ALTERNATIVE, looped_leaves
from quarkline.events.expressions.shared import SharedSteps, SharedValues, is_shared
from quarkline.events.replaced import Replacements
from quarkline.events.schema import Schema
from quarkline.templates.fill.sums import Place, places_of
from quarkline.templates.fill.tables import Columns, Drawn, Table


@dataclass(frozen=True)
class BoundItem:
    """What is drawn of some events with several weights.

    Attributes:
        number: Number of what is drawn, in its table.
        drawn: What is drawn.
        place: Where its histograms stand in the sums of the table.
        batch: Number of the batch that it is drawn of.
        conditions: Steps that must all be true.
        factor: Step whose value multiplies the weight; None for none.
        looping: Conditions on single elements of lists.
        variable: The variable.
        value: Step of the variable; None if it has several values an event.
        weights: The weights.
        weighing: Their steps; None if one of them has several values an event.
    """

    number: int
    drawn: Drawn
    place: Place
    batch: int
    conditions: tuple[int, ...]
    factor: int | None
    looping: tuple[Expression, ...]
    variable: Expression
    value: int | None
    weights: tuple[Expression, ...]
    weighing: tuple[int, ...] | None

    @property
    def counts_elements(self) -> bool:
        """Whether the selection is a number of each element, which multiplies the weight."""
        alone = not self.conditions and len(self.looping) == 1
        return alone and self.looping[0].kind is not ResultKind.BOOLEAN

    @property
    def loops(self) -> bool:
        """Whether an event may have several entries."""
        return bool(self.looping) or self.value is None or self.weighing is None


@dataclass(frozen=True)
class BoundTable:
    """A table that fits the columns of its tree.

    Attributes:
        items: What is drawn.
        steps: All expressions with one value an event.
        shifts: Columns with other values, by number of the batch.
        deciding: Columns that say which events count.
        others: Further columns of events that count.
    """

    items: tuple[BoundItem, ...]
    steps: SharedSteps
    shifts: Mapping[int, Replacements]
    deciding: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, schema: Schema) -> Self:
        """Fit a table to its columns.

        Raises:
            InputError: If an expression does not fit them.
        """
        binder = _Binder(table, schema)
        pairs = zip(table.drawn, places_of(table), strict=True)
        items = tuple(
            item
            for number, (drawn, place) in enumerate(pairs)
            for item in binder.items(number, drawn, place)
        )
        if binder.findings:
            raise InputError(*binder.findings)
        shifted = {
            name for shift in binder.shifts.values() for name in (*shift.columns, *shift.by_column)
        }
        deciding = sorted(binder.deciding | shifted)
        others = sorted(binder.others - set(deciding))
        return cls(items, binder.steps, binder.shifts, tuple(deciding), tuple(others))

    def values(self, batch: Batch) -> SharedValues:
        """What the steps give for a batch as it is in the file."""
        return SharedValues(self.steps, self.batches(batch))

    def batches(self, batch: Batch) -> dict[int, Batch]:
        """A batch as it is in the file, with each of the shifts."""
        return {number: shift.applied(batch) for number, shift in self.shifts.items()}


class _Binder:
    """Fits the expressions of a table, each text once."""

    def __init__(self, table: Table, schema: Schema) -> None:
        self.findings: list[Finding] = []
        self.steps = SharedSteps()
        self.deciding: set[str] = set()
        self.others: set[str] = set()
        self.numbers: dict[Columns, int] = {(): 0}
        for item in table.drawn:
            self.numbers.setdefault(item.columns, len(self.numbers))
        self.shifts = {
            number: Replacements.of(schema, dict(columns), self.findings)
            for columns, number in self.numbers.items()
        }
        self._known: dict[tuple[int, str], Expression] = {}
        self._numbers: dict[tuple[int, str], int] = {}

    def items(self, number: int, drawn: Drawn, place: Place) -> Iterator[BoundItem]:
        """What is drawn, with weights of events together and each weight of elements alone.

        A weight with several values an event makes as many entries, of its own histogram only.
        """
        batch = self.numbers[drawn.columns]
        weights = [self._bound(batch, text, "weight") for text in drawn.weights]
        selection = self._bound(batch, drawn.selection, "selection")
        variable = self._bound(batch, drawn.variable, "variable")
        loops = [_repeats((*selection.clauses, weight), variable) for weight in weights]

        def run_of(at: int) -> tuple[bool, int]:
            return loops[at], -1 if _is_apart(weights[at], loops[at]) else at

        for _, run in groupby(range(len(weights)), key=run_of):
            first, *rest = run
            last = (rest or [first])[-1] + 1
            own = tuple(weights[first:last])
            yield self._item(number, drawn, place.of_weights(first, last), own)

    def _item(
        self, number: int, drawn: Drawn, place: Place, weights: tuple[Expression, ...]
    ) -> BoundItem:
        batch = self.numbers[drawn.columns]
        selection = self._bound(batch, drawn.selection, "selection")
        variable = self._bound(batch, drawn.variable, "variable")
        clauses = selection.clauses
        loops = _repeats((*clauses, *weights), variable)
        flat = [clause for clause in clauses if _is_apart(clause, loops)]
        looping = tuple(clause for clause in clauses if clause not in flat)
        conditions = tuple(self._step(batch, clause) for clause in flat)
        counts = len(clauses) == 1 and selection.kind is not ResultKind.BOOLEAN
        for clause in flat:
            self.deciding |= clause.columns
        for expression in (variable, *looping, *weights):
            self.others |= expression.columns
        each = all(_is_apart(weight, loops) for weight in weights)
        return BoundItem(
            number,
            drawn,
            place,
            batch,
            conditions,
            conditions[0] if counts and flat else None,
            looping,
            variable,
            self._step(batch, variable) if is_shared(variable) else None,
            weights,
            tuple(self._step(batch, weight) for weight in weights) if each else None,
        )

    def _step(self, batch: int, expression: Expression) -> int:
        key = (batch, str(expression.text))
        if key in self._numbers:
            return self.steps.again(self._numbers[key])
        own = frozenset(self.shifts[batch].by_column)
        self._numbers[key] = self.steps.add(expression, batch=batch, own=own)
        return self._numbers[key]

    def _bound(self, batch: int, text: str, label: str) -> Expression:
        key = (batch, text)
        if key not in self._known:
            schema = self.shifts[batch].schema
            try:
                self._known[key] = compile_expression(text, schema, label=label, numbered=True)
            except InputError as error:
                self.findings += error.findings
                self._known[key] = compile_expression("0", schema)
        return self._known[key]


def _repeats(parts: Iterable[Expression], variable: Expression) -> bool:
    """Whether weight and selection, one expression in ROOT, may have several values an event.

    An element of a list is enough beside a variable with several values.
    """
    several = not is_shared(variable)
    return any(
        not is_shared(part)
        or (several and any(leaf.steps for leaf in looped_leaves(part.tree, part.leaves)))
        for part in parts
    )


def _is_apart(part: Expression, loops: bool) -> bool:
    """Whether a part of weight and selection has one value an event, whatever the others have.

    Beside a loop, the one value of `Alt$` is that of the first entry only.
    """
    names = {node.function for node in nodes.walk(part.tree) if isinstance(node, nodes.Call)}
    return is_shared(part) and not (loops and ALTERNATIVE in names)
