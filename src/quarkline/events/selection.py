"""Selections as `TTree::Draw` makes them: instances with weights, events, and cut-flows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Rule
from quarkline.engine.core.results import Result
from quarkline.events.expressions.batch import EventTable, as_batch
from quarkline.events.expressions.compiled import Expression, compile_expression, joint_scope
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


def select_events(table: EventTable, *cuts: Expression) -> NDArray[np.bool_]:
    """Whether events have an instance that passes all cuts together, with shape (N,)."""
    scope = joint_scope(table, cuts)
    frame = scope.frame
    passed = np.ones(len(frame), dtype=np.bool_)
    for cut in cuts:
        passed &= scope.values(cut.tree) != 0
    return np.bincount(frame.events[passed], minlength=frame.rows) > 0


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
    """

    name: str
    expression: str
    alone: int
    events: int
    sum_weights: float
    sum_weights2: float


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

    events: int
    sum_weights: float
    sum_weights2: float
    nan_weights: int
    steps: tuple[CutStep, ...]
    weight: str = ""

    def __add__(self, other: CutFlow) -> CutFlow:
        cuts = [[(step.name, step.expression) for step in flow.steps] for flow in (self, other)]
        if cuts[0] != cuts[1] or self.weight != other.weight:
            msg = f"cut-flows of different cuts do not add up: {cuts[0]} and {cuts[1]}"
            raise ValueError(msg)
        pairs = zip(self.steps, other.steps, strict=True)
        return replace(
            self,
            events=self.events + other.events,
            sum_weights=self.sum_weights + other.sum_weights,
            sum_weights2=self.sum_weights2 + other.sum_weights2,
            nan_weights=self.nan_weights + other.nan_weights,
            steps=tuple(_added(first, second) for first, second in pairs),
        )


def _added(first: CutStep, second: CutStep) -> CutStep:
    return replace(
        first,
        alone=first.alone + second.alone,
        events=first.events + second.events,
        sum_weights=first.sum_weights + second.sum_weights,
        sum_weights2=first.sum_weights2 + second.sum_weights2,
    )


def cut_flow(
    table: EventTable, cuts: Mapping[str, Expression], *, weight: Expression | None = None
) -> CutFlow:
    """Count the events of a table that pass cuts one after the other.

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
    weights = np.ones(batch.rows) if weight is None else _event_weights(batch, weight)
    expressions = list(cuts.values())
    steps = []
    for number, (name, cut) in enumerate(cuts.items()):
        passed = select_events(batch, *expressions[: number + 1])
        alone = passed if number == 0 else select_events(batch, cut)
        sums = _sums(weights[passed])
        steps.append(CutStep(name, cut.text, int(alone.sum()), int(passed.sum()), *sums))
    nan = int(np.isnan(weights).sum())
    return CutFlow(batch.rows, *_sums(weights), nan, tuple(steps), weight.text if weight else "")


def _event_weights(table: EventTable, weight: Expression) -> NDArray[np.float64]:
    if weight.depth:
        raise InputError(
            WEIGHT_PER_EVENT.finding(
                f"the weight `{weight.text}` has several values an event",
                suggestion=f"take one element, such as `{_first(weight.columns)}[0]`",
            )
        )
    return np.asarray(weight.evaluate(table))


def _first(columns: Iterable[str]) -> str:
    return min(columns)


def _sums(weights: NDArray[np.float64]) -> tuple[float, float]:
    known = weights[~np.isnan(weights)]
    return float(np.sum(known)), float(np.sum(known * known))
