"""One feature as it fits a table: its values, and where they stand for none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quarkline.catalog.checks.texts import written_at
from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, InputError, Place
from quarkline.events.expressions import Batch, Expression, ResultKind, compile_expression, nodes
from quarkline.events.expressions.compiled import joint_scope
from quarkline.events.expressions.frame import Frame
from quarkline.events.expressions.nodes import Node
from quarkline.events.replaced import in_type
from quarkline.events.schema import Schema
from quarkline.learning.features.spec import Feature

ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^"})


@dataclass(frozen=True)
class Instances:
    """Values of a feature, one an event or one an object.

    Attributes:
        values: float64 of shape (n,), NaN where missing.
        frame: The event of each of them.
        absent: Value of an event without instance.
    """

    values: NDArray[np.float64]
    frame: Frame
    absent: float = np.nan

    def by_event(self) -> NDArray[np.float64]:
        """Values of a feature that does not loop, with shape (N,)."""
        if len(self.values) == self.frame.rows:
            return self.values
        found = np.full(self.frame.rows, self.absent)
        found[self.frame.events] = self.values
        return found


@dataclass(frozen=True)
class BoundFeature:
    """A feature whose expression fits a table.

    Attributes:
        name: The feature.
        expression: What it is made of.
        missing: Its values that stand for none.
        lacking: Whether a column that it is computed from stands for none; None if it is a column
            itself.
    """

    name: str
    expression: Expression
    missing: tuple[float, ...]
    lacking: Expression | None

    @property
    def place(self) -> Place:
        """Where its expression was written, as far as that is known."""
        text = self.expression.text
        known = text.place if isinstance(text, Written) else None
        return replace(known or Place(), label=_label(self.name))

    def instances(self, batch: Batch) -> Instances:
        """Its values in a batch."""
        told = [self.expression, *([self.lacking] if self.lacking else [])]
        scope = joint_scope(batch, told)
        values = scope.values(self.expression.tree)
        none = np.zeros(len(values), dtype=bool)
        for value in self.missing:
            none |= values == value
        if self.lacking:
            none |= scope.values(self.lacking.tree) != 0
        if none.any():
            values = np.where(none, np.nan, values)
        condition = self.expression.kind is ResultKind.BOOLEAN
        return Instances(values, scope.frame, 0.0 if condition else np.nan)


def bind(feature: Feature, schema: Schema, findings: list[Finding]) -> BoundFeature | None:
    """Fit a feature to a table; what is wrong joins the findings."""
    label = _label(feature.name)
    try:
        expression = compile_expression(feature.expression, schema, label=label)
    except InputError as error:
        text = feature.expression
        findings += (
            [written_at(item, text, label) for item in error.findings]
            if isinstance(text, Written)
            else error.findings
        )
        return None
    own = expression.leaves.get(expression.tree)
    if own is not None:
        missing = tuple(in_type(value, own.column) for value in feature.missing)
        return BoundFeature(feature.name, expression, missing, None)
    lacking = _lacking(expression, feature.missing, schema)
    return BoundFeature(feature.name, expression, feature.missing, lacking)


def _lacking(
    expression: Expression, missing: tuple[float, ...], schema: Schema
) -> Expression | None:
    """Whether a column that arithmetic takes for a measurement holds a missing value."""
    held = [
        f"{node} == {in_type(value, expression.leaves[node].column)!r}"
        for node in dict.fromkeys(_measured(expression.tree))
        if node in expression.leaves and not expression.leaves[node].whole
        for value in missing
    ]
    return compile_expression(" || ".join(held), schema) if held else None


def _measured(tree: Node) -> Iterator[Node]:
    """What arithmetic and functions of single values are applied to.

    Comparisons and conditions may ask for missing values on purpose, and `Sum$` and its like have
    many values.
    """
    pending = [tree]
    while pending:
        node = pending.pop()
        match node:
            case nodes.Binary(sign) | nodes.Chain(sign) | nodes.Unary(sign):
                pending.extend(node.children if sign in ARITHMETIC else ())
            case nodes.Call(function):
                pending.extend(() if function.endswith("$") else node.children)
            case nodes.Cast():
                pending.extend(node.children)
            case _:
                yield node


def _label(name: str) -> str:
    return f"feature `{name}`"
