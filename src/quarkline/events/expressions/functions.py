"""The functions of the language: one line each, with ROOT's values where a function is undefined.

A bare name is `TTreeFormula`'s own function or the C library's; `TMath::` names keep the values of
ROOT's namespace, which differ outside the domain: `sqrt(-4)` is 2, `TMath::Sqrt(-4)` is NaN.
Each is compared with ROOT 6.40 in `tests/events/expressions/root_values.json`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]

EXP_LIMIT = 700.0


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
        arity: Number of arguments.
        compute: From float64 arrays of one shape to a float64 array of that shape.
        result: Kind of its values; None if that of its arguments.
    """

    arity: int
    compute: Callable[..., Values]
    result: ResultKind | None = ResultKind.REAL


def divide(numerator: Values, denominator: Values) -> Values:
    """The quotient; 0 where the denominator is 0."""
    safe = np.where(denominator == 0, 1.0, denominator)
    return np.where(denominator == 0, 0.0, numerator / safe)


def remainder(left: Values, right: Values) -> Values:
    """C's `%` of the operands cut to whole numbers; 0 where the right one is 0.

    NaN where an operand is NaN or beyond 2^63: there C++ leaves the value open.
    """
    dividend, first = _whole(left)
    divisor, second = _whole(right)
    # A divisor of -1 overflows for -2^63; the remainder is 0 as for 1.
    usable = np.where((divisor == 0) | (divisor == -1), 1, divisor)
    return np.where(first & second, np.fmod(dividend, usable).astype(np.float64), np.nan)


def bitwise(operation: Callable[[Values, Values], Values]) -> Callable[[Values, Values], Values]:
    """A bit operation on operands cut to unsigned 64-bit numbers, negative ones wrapping.

    NaN where an operand is NaN or outside [-2^63, 2^64): there C++ leaves the value open.
    """

    def compute(left: Values, right: Values) -> Values:
        first, is_first = _unsigned(left)
        second, is_second = _unsigned(right)
        return np.where(is_first & is_second, operation(first, second).astype(np.float64), np.nan)

    return compute


def power(base: Values, exponent: Values) -> Values:
    """The power as C's `pow`; a square is a product, as in ROOT."""
    if np.ndim(exponent) == 0 and exponent == 2:
        return base * base
    return np.power(base, exponent)


def _whole(values: Values) -> tuple[NDArray[np.int64], Values]:
    fits = (values >= -(2.0**63)) & (values < 2.0**63)
    return np.where(fits, values, 0.0).astype(np.int64), fits


def _unsigned(values: Values) -> tuple[NDArray[np.uint64], Values]:
    fits = (values >= -(2.0**63)) & (values < 2.0**64)
    high = fits & (values >= 2.0**63)
    low = np.where(fits & ~high, values, 0.0).astype(np.int64).astype(np.uint64)
    return np.where(high, np.where(high, values, 0.0).astype(np.uint64), low), fits


def _truncated(values: Values) -> Values:
    whole, fits = _whole(values)
    return np.where(fits, whole.astype(np.float64), np.nan)


def _inside(
    domain: Callable[[Values], Values], function: Callable[[Values], Values]
) -> Callable[[Values], Values]:
    """A function with ROOT's 0 outside its domain."""
    return lambda values: np.where(domain(values), function(values), 0.0)


def _within_one(values: Values) -> Values:
    return ~(np.abs(values) > 1)


def _positive(values: Values) -> Values:
    return values > 0


def _exp(values: Values) -> Values:
    return np.where(values < -EXP_LIMIT, 0.0, np.exp(np.minimum(values, EXP_LIMIT)))


def _round_half_away(values: Values) -> Values:
    cut = np.trunc(values)
    rounded: Values = cut + np.copysign(np.abs(values - cut) >= 0.5, values)
    return rounded


def _atan2(y: Values, x: Values) -> Values:
    """The angle of (x, y); 0 at the origin, whatever the signs of its zeros."""
    return np.where((x == 0) & (y == 0), 0.0, np.arctan2(y, x))


def _sign(values: Values) -> Values:
    return np.where(values < 0, -1.0, 1.0)


def _smaller(left: Values, right: Values) -> Values:
    return np.where(right < left, right, left)


def _larger(left: Values, right: Values) -> Values:
    return np.where(left < right, right, left)


def _not_larger(left: Values, right: Values) -> Values:
    return np.where(left <= right, left, right)


def _not_smaller(left: Values, right: Values) -> Values:
    return np.where(left >= right, left, right)


_INTEGER = ResultKind.INTEGER

FUNCTIONS: dict[str, Function] = {
    "abs": Function(1, np.abs, None),
    "fabs": Function(1, np.abs, None),
    "min": Function(2, _smaller, None),
    "max": Function(2, _larger, None),
    "sqrt": Function(1, lambda values: np.sqrt(np.abs(values))),
    "sq": Function(1, lambda values: values * values, None),
    "pow": Function(2, power),
    "exp": Function(1, _exp),
    "log": Function(1, _inside(_positive, np.log)),
    "log10": Function(1, _inside(_positive, np.log10)),
    "log2": Function(1, np.log2),
    "sin": Function(1, np.sin),
    "cos": Function(1, np.cos),
    "tan": Function(1, _inside(lambda values: np.cos(values) != 0, np.tan)),
    "asin": Function(1, _inside(_within_one, np.arcsin)),
    "acos": Function(1, _inside(_within_one, np.arccos)),
    "atan": Function(1, np.arctan),
    "atan2": Function(2, _atan2),
    "sinh": Function(1, np.sinh),
    "cosh": Function(1, np.cosh),
    "tanh": Function(1, np.tanh),
    "asinh": Function(1, np.arcsinh),
    "acosh": Function(1, _inside(lambda values: ~(values < 1), np.arccosh)),
    "atanh": Function(1, _inside(_within_one, np.arctanh)),
    "hypot": Function(2, np.hypot),
    "cbrt": Function(1, np.cbrt),
    "fmod": Function(2, np.fmod),
    "floor": Function(1, np.floor, _INTEGER),
    "ceil": Function(1, np.ceil, _INTEGER),
    "round": Function(1, _round_half_away, _INTEGER),
    "trunc": Function(1, np.trunc, _INTEGER),
    "int": Function(1, _truncated, _INTEGER),
    "sign": Function(1, _sign, _INTEGER),
    "TMath::Abs": Function(1, np.abs, None),
    "TMath::Min": Function(2, _not_larger, None),
    "TMath::Max": Function(2, _not_smaller, None),
    "TMath::Sqrt": Function(1, np.sqrt),
    "TMath::Power": Function(2, np.power),
    "TMath::Exp": Function(1, np.exp),
    "TMath::Log": Function(1, np.log),
    "TMath::Log2": Function(1, np.log2),
    "TMath::Log10": Function(1, np.log10),
    "TMath::Sin": Function(1, np.sin),
    "TMath::Cos": Function(1, np.cos),
    "TMath::Tan": Function(1, np.tan),
    "TMath::ASin": Function(1, np.arcsin),
    "TMath::ACos": Function(1, np.arccos),
    "TMath::ATan": Function(1, np.arctan),
    "TMath::ATan2": Function(2, _atan2),
    "TMath::SinH": Function(1, np.sinh),
    "TMath::CosH": Function(1, np.cosh),
    "TMath::TanH": Function(1, np.tanh),
    "TMath::Hypot": Function(2, np.hypot),
    "TMath::Floor": Function(1, np.floor, _INTEGER),
    "TMath::Ceil": Function(1, np.ceil, _INTEGER),
    "TMath::Pi": Function(0, lambda: np.array(math.pi)),
    "TMath::TwoPi": Function(0, lambda: np.array(2 * math.pi)),
    "TMath::E": Function(0, lambda: np.array(math.e)),
}

CONSTANTS = {"pi": math.pi}
