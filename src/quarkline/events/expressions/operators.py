"""The operators of the language on arrays, in the order in which ROOT combines operands."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

import numpy as np

from quarkline.events.expressions.arithmetic import (
    Values,
    bitwise,
    divide,
    power,
    remainder,
    shift,
)
from quarkline.events.expressions.grammar import COMPARISONS

_BINARY: dict[str, Callable[[Any, Any], Values]] = {
    "-": operator.sub,
    "/": divide,
    "%": remainder,
    "^": power,
    "<<": shift(np.left_shift),
    ">>": shift(np.right_shift),
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
FROM_RIGHT = frozenset(_FROM_RIGHT)
"""Chains that ROOT combines from the right: a * b * c is a * (b * c), to the last bit."""


def apply_unary(sign: str, values: Any) -> Values:
    """`-` or `!` of an array."""
    return np.logical_not(values) if sign == "!" else -real(values)


def apply_binary(sign: str, left: Any, right: Any) -> Values:
    """A comparison, which may be of text, or an operation on numbers."""
    if sign in COMPARISONS:
        return np.asarray(_BINARY[sign](left, right))
    return _BINARY[sign](real(left), real(right))


def apply_chain(sign: str, operands: Iterable[Any]) -> Values:
    """Combine operands one after the other, so that few of them are in memory.

    Args:
        sign: The operator.
        operands: In the order of combination: the last first if `sign` is in `FROM_RIGHT`.
    """
    if sign in _LOGICAL:
        return reduce(_LOGICAL[sign], operands)
    values = (real(operand) for operand in operands)
    if sign == "+":
        return reduce(operator.add, values)
    return reduce(lambda right, left: _FROM_RIGHT[sign](left, right), values)


def real(values: Any) -> Values:
    """The values in double precision."""
    return np.asarray(values, dtype=np.float64)
