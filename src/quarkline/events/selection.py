"""Selections as `TTree::Draw` makes them: instances with weights, events, and cut-flows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Rule
from quarkline.engine.core.results import Quantity, Result
from quarkline.events.expressions.batch import Batch, EventTable, as_batch
from quarkline.events.expressions.compiled import Expression, compile_expression, joint_scope
from quarkline.events.passing import Passing, passing
from quarkline.events.schema import Schema

WEIGHT_PER_EVENT = Rule(
    "QL-EXPR-016",
    "the weight of an event is one number",
    "A cut-flow counts events, so its weight has one value an event. A weight that loops over an "
    "array, such as `Jet_sf`, has several; take one element (`Jet_sf[0]`) or combine them first.",
)


@dataclass(frozen=True)
class Query:
    """What to evaluate, for which instances, with which weight, on one table.

    Attributes:
        value: What to evaluate.
        select: Which instances to keep; None keeps all.
        weight: Their weight; None is 1.
    """

    value: Expression
    select: Expression | None = None
    weight: Expression | None = None

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Those of the three that are given."""
        return tuple(item for item in (self.value, self.select, self.weight) if item is not None)

    @property
    def columns(self) -> list[str]:
        """Names of the columns to read."""
        return sorted({name for item in self.expressions for name in item.columns})

    @property
    def names(self) -> frozenset[str]:
        """Names in the expressions, of columns and others."""
        return frozenset(name for item in self.expressions for name in item.names)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is suspicious about the expressions."""
        return tuple(finding for item in self.expressions for finding in item.warnings)

    @property
    def unit(self) -> str:
        """Unit of the values, if they are a column as it is; else ""."""
        leaf = self.value.leaves.get(self.value.tree)
        return leaf.column.unit if leaf and not leaf.whole else ""

    def instances(self, table: EventTable) -> Instances:
        """Evaluate the query on events of the table."""
        return select_instances(table, self.value, select=self.select, weight=self.weight)


def compile_query(
    schema: Schema,
    value: str,
    *,
    select: str | None = None,
    weight: str | None = None,
    label: str = "expression",
    numbered: bool = False,
) -> Query:
    """Fit the three expressions of a query to a table.

    Args:
        schema: The table's columns.
        value: What to evaluate.
        select: Which instances to keep.
        weight: Their weight.
        label: What findings call `value`.
        numbered: Whether the batches will have entry numbers, for `Entry$` and its like.

    Raises:
        InputError: With all that is wrong with any of them.
    """
    bound: dict[str, Expression] = {}
    findings: list[Finding] = []
    for name, text in ((label, value), ("selection", select), ("weight", weight)):
        try:
            if text is not None:
                bound[name] = compile_expression(text, schema, label=name, numbered=numbered)
        except InputError as error:
            findings += error.findings
    if findings:
        raise InputError(*findings)
    return Query(bound[label], bound.get("selection"), bound.get("weight"))


@dataclass(frozen=True)
class Instances:
    """What a selection gives: one entry an instance, in the order of the events.

    Attributes:
        values: Of the drawn expression, with shape (n,).
        weights: Selection times weight, with shape (n,), never 0.
        events: Row of the table, with shape (n,).
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    events: NDArray[np.int64]


def select_instances(
    table: EventTable,
    value: Expression,
    *,
    select: Expression | None = None,
    weight: Expression | None = None,
) -> Instances:
    """Evaluate an expression for the instances a selection keeps.

    As in `TTree::Draw(value, "(select)*(weight)")` the selection is itself a weight: 0 or 1 for a
    condition, its value for a number. Instances of weight 0 are left out, NaN is not 0. All three
    share their instances: a jagged selection keeps elements, and an event without an element
    that one of them asks for by index gives nothing.

    Args:
        table: Columns by name, of N events.
        value: What to evaluate.
        select: Which instances to keep; None keeps all.
        weight: Their weight; None is 1.
    """
    factors = [factor for factor in (select, weight) if factor is not None]
    scope = joint_scope(table, [value, *factors])
    weights = np.ones(len(scope.frame))
    for factor in factors:
        weights = weights * scope.values(factor.tree)
    kept = weights != 0
    return Instances(scope.values(value.tree)[kept], weights[kept], scope.frame.events[kept])


@dataclass(frozen=True)
class CutStep:
    """One step of a cut-flow.

    Attributes:
        name: Its name.
        expression: The cut.
        alone: Events that pass this cut, whatever the others say.
        events: Events that pass this cut and all before it.
        sum_weights: Sum of the weights of `events`.
        sum_weights2: Sum of their squares.
        events_without: Events that pass all cuts but this one (N-1).
        sum_weights_without: Sum of the weights of `events_without`.
        sum_weights2_without: Sum of their squares.
    """

    name: str
    expression: str
    alone: int
    events: int
    sum_weights: float
    sum_weights2: float
    events_without: int
    sum_weights_without: float
    sum_weights2_without: float

    @property
    def error(self) -> float:
        """Statistical error of `sum_weights`."""
        return math.sqrt(self.sum_weights2)

    @property
    def error_without(self) -> float:
        """Statistical error of `sum_weights_without`."""
        return math.sqrt(self.sum_weights2_without)


@dataclass(frozen=True)
class CutFlow(Result, kind="cut-flow"):
    """How many events pass cuts applied one after the other.

    Flows of the same cuts on other events add up: `first + second`.

    Attributes:
        events: Events before the first cut.
        sum_weights: Sum of their weights.
        sum_weights2: Sum of the squares.
        nan_weights: Events whose weight is NaN; they are in the counts and in no sum.
        steps: The cuts in order.
        weight: The weight's text, "" if every event counts 1.
    """

    version: ClassVar[int] = 2

    events: int
    sum_weights: float
    sum_weights2: float
    nan_weights: int
    steps: tuple[CutStep, ...]
    weight: str = ""

    @property
    def error(self) -> float:
        """Statistical error of `sum_weights`."""
        return math.sqrt(self.sum_weights2)

    @property
    def efficiencies(self) -> tuple[Quantity, ...]:
        """Of each step with all before it, the weighted fraction of the events of the flow."""
        whole = (self.sum_weights, self.sum_weights2)
        return tuple(_efficiency((s.sum_weights, s.sum_weights2), whole) for s in self.steps)

    @property
    def step_efficiencies(self) -> tuple[Quantity, ...]:
        """Of each step, the weighted fraction of what the step before it has left."""
        sums = [(self.sum_weights, self.sum_weights2)]
        sums += [(s.sum_weights, s.sum_weights2) for s in self.steps]
        return tuple(_efficiency(passed, before) for before, passed in pairwise(sums))

    @property
    def last_efficiencies(self) -> tuple[Quantity, ...]:
        """Of each cut, the weighted fraction it passes of what passes all others (N-1)."""
        if not self.steps:
            return ()
        passed = (self.steps[-1].sum_weights, self.steps[-1].sum_weights2)
        return tuple(
            _efficiency(passed, (s.sum_weights_without, s.sum_weights2_without)) for s in self.steps
        )

    def __add__(self, other: CutFlow) -> CutFlow:
        cuts = [[(step.name, step.expression) for step in flow.steps] for flow in (self, other)]
        if cuts[0] != cuts[1] or self.weight != other.weight:
            msg = f"cut-flows of different cuts do not add up: {cuts[0]} and {cuts[1]}"
            raise ValueError(msg)
        pairs = zip(self.steps, other.steps, strict=True)
        steps = tuple(_added(first, second, SUMS_OF_A_STEP) for first, second in pairs)
        return replace(_added(self, other, SUMS_OF_A_FLOW), steps=steps)


SUMS_OF_A_FLOW = ("events", "sum_weights", "sum_weights2", "nan_weights")
SUMS_OF_A_STEP = tuple(field.name for field in fields(CutStep)[2:])

Summed = TypeVar("Summed", CutStep, CutFlow)


def _added(first: Summed, second: Summed, names: Iterable[str]) -> Summed:
    sums = {name: getattr(first, name) + getattr(second, name) for name in names}
    return replace(first, **sums)


def _efficiency(passed: tuple[float, float], whole: tuple[float, float]) -> Quantity:
    """A fraction of sums of weights, from (sum, sum of squares) of a part and of the whole.

    The error is that of the ratio of the part to the sum of two independent ones, part and rest;
    for weights of 1 it is the binomial one.
    """
    if whole[0] == 0:
        return Quantity(math.nan)
    share = passed[0] / whole[0]
    rest = max(whole[1] - passed[1], 0.0)
    error = math.sqrt((1 - share) ** 2 * passed[1] + share**2 * rest) / abs(whole[0])
    return Quantity(share, error, error)


def cut_flow(
    table: EventTable, cuts: Mapping[str, Expression], *, weight: Expression | None = None
) -> CutFlow:
    """Count the events of a table that pass cuts one after the other, and all but one of them.

    An event passes several cuts if one of its instances passes them together, as in
    `TTree::Draw`.

    Args:
        table: Columns by name, of N events.
        cuts: Cut by name, in order.
        weight: Weight of an event; None is 1.

    Raises:
        InputError: If the weight has several values an event.
    """
    batch = as_batch(table)
    return count_passing(batch, cuts, passing(batch, list(cuts.values())), weight=weight)


def count_passing(
    batch: Batch,
    cuts: Mapping[str, Expression],
    passed: Passing,
    *,
    weight: Expression | None = None,
) -> CutFlow:
    """The cut-flow of a batch whose cuts are evaluated.

    Args:
        batch: N events.
        cuts: Cut by name, in order.
        passed: Which events pass them.
        weight: Weight of an event; None is 1.

    Raises:
        InputError: If the weight has several values an event.
    """
    weights = None if weight is None else event_weights(batch, weight)
    steps = [
        CutStep(
            name,
            cut.text,
            int(passed.alone[row].sum()),
            *_counted(passed.so_far[row], weights),
            *_counted(passed.without[row], weights),
        )
        for row, (name, cut) in enumerate(cuts.items())
    ]
    every = _counted(np.ones(batch.rows, np.bool_), weights)
    nan = 0 if weights is None else int(np.isnan(weights).sum())
    return CutFlow(*every, nan, tuple(steps), weight.text if weight else "")


def check_weight(weight: Expression) -> None:
    """Refuse a weight that is not one number an event.

    Raises:
        InputError: If it has several values an event.
    """
    if weight.depth:
        raise InputError(
            WEIGHT_PER_EVENT.finding(
                f"the weight `{weight.text}` has several values an event",
                suggestion=f"take one element, such as `{min(weight.columns)}[0]`",
            )
        )


def event_weights(table: EventTable, weight: Expression) -> NDArray[np.float64]:
    """The weight of each event, with shape (N,).

    Raises:
        InputError: If the weight has several values an event.
    """
    check_weight(weight)
    return np.asarray(weight.evaluate(table))


def _counted(
    passed: NDArray[np.bool_], weights: NDArray[np.float64] | None
) -> tuple[int, float, float]:
    """Number of events that pass, the sum of their weights, and of the weights' squares."""
    number = int(passed.sum())
    if weights is None:
        return number, float(number), float(number)
    known = weights[passed & ~np.isnan(weights)]
    return number, float(np.sum(known)), float(np.sum(known * known))
