"""What a value is, and what a function of the language is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from quarkline.events.expressions.arithmetic import Values


class ResultKind(StrEnum):
    """What the values of an expression are."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    REAL = "real"
    TEXT = "text"


@dataclass(frozen=True)
class Function:
    """One function.

    Attributes:
        arity: Number of arguments it needs.
        compute: From float64 arrays of one shape to a float64 array of that shape.
        result: Kind of its values; None if that of its arguments.
        optional: Number of arguments that may follow.
    """

    arity: int
    compute: Callable[..., Values]
    result: ResultKind | None = ResultKind.REAL
    optional: int = 0
