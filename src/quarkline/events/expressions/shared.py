"""Many expressions on one batch, what they have in common computed once.

Expressions with one value an event are taken apart into steps. Equal parts are one step, whichever
expressions they stand in, and its values are kept for the batch where more than one step needs
them. The values are those of `Expression.evaluate`, to the last bit.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions import nodes
from quarkline.events.expressions.batch import Batch
from quarkline.events.expressions.compiled import Expression
from quarkline.events.expressions.evaluate import Scope
from quarkline.events.expressions.functions import FUNCTIONS
from quarkline.events.expressions.kinds import ResultKind
from quarkline.events.expressions.leaves import counts_instances
from quarkline.events.expressions.nodes import Node
from quarkline.events.expressions.operators import (
    FROM_RIGHT,
    apply_binary,
    apply_chain,
    apply_unary,
    real,
)
from quarkline.events.expressions.reduce import REDUCERS

Mask = NDArray[np.bool_]
COMPUTED = (nodes.Unary, nodes.Binary, nodes.Chain, nodes.Conditional, nodes.Cast, nodes.Call)


def is_shared(expression: Expression) -> bool:
    """Whether an expression has one value an event that depends on no other expression."""
    return expression.depth == 0 and not counts_instances(expression.tree)


@dataclass(frozen=True)
class _Step:
    """One step: a constant, what is read of a batch, or what is made of other steps.

    Attributes:
        node: The part of an expression that it computes.
        expression: The expression of a part that is read of a batch, None for others.
        batch: Number of the batch that it is read of.
        operands: Steps whose values it takes, in the order in which they are combined.
    """

    node: Node
    expression: Expression | None
    batch: int
    operands: tuple[int, ...]


class SharedSteps:
    """The steps of many expressions."""

    def __init__(self) -> None:
        self.steps: list[_Step] = []
        self.uses: list[int] = []
        self._known: dict[Hashable, int] = {}

    def add(
        self, expression: Expression, *, batch: int = 0, own: frozenset[str] | None = None
    ) -> int:
        """Take an expression apart.

        Args:
            expression: The expression; `is_shared`.
            batch: Number of the batch that it is evaluated on.
            own: Columns in which that batch differs from batch 0; None for all.

        Returns:
            The number of the step with its values.
        """
        return self.again(self._add(expression, expression.tree, batch, own))

    def again(self, number: int) -> int:
        """Use a step that is there once more."""
        self.uses[number] += 1
        return number

    def _add(
        self, expression: Expression, node: Node, batch: int, own: frozenset[str] | None
    ) -> int:
        if _is_constant(node):
            return self._step((str(node),), _Step(node, None, 0, ()))
        if not _is_computed(expression, node):
            part = expression.part(node)
            where = batch if own is None or part.columns & own else 0
            return self._step((node, where), _Step(node, part, where, ()))
        from_right = isinstance(node, nodes.Chain) and node.operator in FROM_RIGHT
        children = reversed(node.children) if from_right else node.children
        operands = tuple(self._add(expression, child, batch, own) for child in children)
        known = len(self.steps)
        number = self._step((_sign(node), operands), _Step(node, None, 0, operands))
        if number == known:
            for operand in operands:
                self.uses[operand] += 1
        return number

    def _step(self, key: Hashable, step: _Step) -> int:
        if key not in self._known:
            self._known[key] = len(self.steps)
            self.steps.append(step)
            self.uses.append(0)
        return self._known[key]


class SharedValues:
    """Values of steps on the batches of the same events.

    Args:
        steps: The steps.
        batches: The batches by number.
    """

    def __init__(self, steps: SharedSteps, batches: Mapping[int, Batch]) -> None:
        self._steps, self._batches = steps, batches
        self._known: dict[int, Any] = {}
        self._exists: dict[int, Mask | None] = {}
        self.rows = next(iter(batches.values())).rows

    def values(self, number: int) -> NDArray[np.float64]:
        """The values of a step by event, shape (N,); those of absent elements mean nothing."""
        with np.errstate(all="ignore"):
            found = real(self._of(number))
        return np.broadcast_to(found, (self.rows,))

    def true(self, number: int) -> Mask:
        """Where a step is not 0 and its elements exist, shape (N,)."""
        with np.errstate(all="ignore"):
            found = np.not_equal(self._of(number), 0)
        exists = self.exists(number)
        return np.broadcast_to(found if exists is None else found & exists, (self.rows,))

    def exists(self, number: int) -> Mask | None:
        """Where every element that a step asks for exists, shape (N,); None: everywhere."""
        if number not in self._exists:
            step = self._steps.steps[number]
            if step.expression is not None:
                self._of(number)
            else:
                found = [self.exists(operand) for operand in step.operands]
                masks = [mask for mask in found if mask is not None]
                self._exists[number] = np.logical_and.reduce(masks) if masks else None
        return self._exists[number]

    def _of(self, number: int) -> Any:
        if number in self._known:
            return self._known[number]
        step = self._steps.steps[number]
        if step.expression is not None:
            found = self._read(number, step.expression, self._batches[step.batch])
        else:
            found = _combined(step.node, [self._of(operand) for operand in step.operands])
        if self._steps.uses[number] > 1 or step.expression is not None:
            self._known[number] = found
        return found

    def _read(self, number: int, part: Expression, batch: Batch) -> Any:
        scope = Scope(batch, [part.tree], part.leaves)
        values = scope.values(part.tree)
        if len(values) == batch.rows:
            self._exists[number] = None
            return values
        found = np.zeros(batch.rows)
        found[scope.frame.events] = values
        exists = np.zeros(batch.rows, np.bool_)
        exists[scope.frame.events] = True
        self._exists[number] = exists
        return found


def _is_constant(node: Node) -> bool:
    return isinstance(node, nodes.Number | nodes.Boolean)


def _is_computed(expression: Expression, node: Node) -> bool:
    """Whether the values of a node are made of those of its operands, event by event."""
    if node in expression.leaves or not isinstance(node, COMPUTED):
        return False
    if isinstance(node, nodes.Call) and (node.function in REDUCERS or "$" in node.function):
        return False
    texts = (expression.kinds.get(child) is ResultKind.TEXT for child in node.children)
    return not any(texts)


def _sign(node: Node) -> Hashable:
    match node:
        case nodes.Unary(sign) | nodes.Binary(sign) | nodes.Chain(sign):
            return type(node), sign
        case nodes.Call(function):
            return type(node), function
    return (type(node),)


def _combined(node: Node, values: Sequence[Any]) -> Any:
    match node:
        case nodes.Number(value) | nodes.Boolean(value):
            return np.float64(value)
        case nodes.Unary(sign):
            return apply_unary(sign, *values)
        case nodes.Binary(sign):
            return apply_binary(sign, *values)
        case nodes.Chain(sign):
            return apply_chain(sign, values)
        case nodes.Conditional():
            condition, yes, no = values
            return np.where(np.not_equal(condition, 0), real(yes), real(no))
        case nodes.Cast():
            return values[0]
        case nodes.Call(function):
            return FUNCTIONS[function].compute(*map(real, values))
    msg = f"`{node}` is read of a batch"
    raise ValueError(msg)
