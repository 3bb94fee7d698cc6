"""From a tree and its leaves' values to the values of the expression, as `TTreeFormula` has them.

Everything is computed in float64, integers and 64-bit integers included; comparisons and logic
give 0 or 1. A comparison with NaN is false, except `!=`; NaN counts as true, being not 0.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from quarkline.events.expressions import nodes
from quarkline.events.expressions.functions import (
    CONSTANTS,
    FUNCTIONS,
    Values,
    bitwise,
    divide,
    power,
    remainder,
)
from quarkline.events.expressions.grammar import COMPARISONS
from quarkline.events.expressions.nodes import Node

_BINARY: dict[str, Callable[[Any, Any], Values]] = {
    "-": operator.sub,
    "/": divide,
    "%": remainder,
    "^": power,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_LOGICAL: dict[str, Callable[[Values, Values], Values]] = {
    "&&": np.logical_and,
    "||": np.logical_or,
}
_FROM_RIGHT: dict[str, Callable[[Values, Values], Values]] = {
    "*": operator.mul,
    "&": bitwise(np.bitwise_and),
    "|": bitwise(np.bitwise_or),
}


def evaluate(tree: Node, leaves: Mapping[Node, Any]) -> Values:
    """The values of a tree.

    Args:
        tree: A checked tree.
        leaves: By node that stands for a column, its values by instance, with shape (n,):
            float64, or awkward strings.

    Returns:
        float64 or bool, with shape (n,), or () if the tree has no columns.
    """
    with np.errstate(all="ignore"):
        return np.asarray(_Evaluation(leaves).of(tree))


class _Evaluation:
    def __init__(self, leaves: Mapping[Node, Any]) -> None:
        self.leaves = leaves

    def of(self, node: Node) -> Any:
        match node:
            case nodes.Number(value) | nodes.Boolean(value):
                return np.float64(value)
            case nodes.Text(value):
                return value
            case nodes.Unary(sign, operand):
                values = self.of(operand)
                return np.logical_not(values) if sign == "!" else -_real(values)
            case nodes.Binary(sign, left, right):
                return self._binary(sign, self.of(left), self.of(right))
            case nodes.Chain(sign, operands):
                return self._chain(sign, operands)
            case nodes.Conditional(condition, yes, no):
                chosen = np.not_equal(self.of(condition), 0)
                return np.where(chosen, _real(self.of(yes)), _real(self.of(no)))
            case nodes.Call(name, arguments):
                computed = [_real(self.of(argument)) for argument in arguments]
                return FUNCTIONS[name].compute(*computed)
        if node in self.leaves:
            return self.leaves[node]
        return np.float64(CONSTANTS[str(node)])

    def _binary(self, sign: str, left: Any, right: Any) -> Any:
        if sign in COMPARISONS:
            return np.asarray(_BINARY[sign](left, right))
        return _BINARY[sign](_real(left), _real(right))

    def _chain(self, sign: str, operands: Sequence[Node]) -> Any:
        """Combine operands one after the other, so that few of them are in memory."""
        if sign in _LOGICAL:
            return reduce(_LOGICAL[sign], (self.of(operand) for operand in operands))
        if sign == "+":
            return reduce(operator.add, (_real(self.of(operand)) for operand in operands))
        # ROOT combines the others from the right: a * b * c is a * (b * c), to the last bit.
        values = (_real(self.of(operand)) for operand in reversed(operands))
        return reduce(lambda right, left: _FROM_RIGHT[sign](left, right), values)


def _real(values: Any) -> Values:
    return np.asarray(values, dtype=np.float64)
