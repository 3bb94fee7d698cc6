"""The arithmetic of `TTreeFormula` where it is not that of NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]


def divide(numerator: Values, denominator: Values) -> Values:
    """The quotient; 0 where the denominator is 0."""
    safe = np.where(denominator == 0, 1.0, denominator)
    return np.where(denominator == 0, 0.0, numerator / safe)


def remainder(left: Values, right: Values) -> Values:
    """C's `%` of the operands cut to whole numbers; 0 where the right one is 0.

    NaN where an operand is NaN or beyond 2^63: there C++ leaves the value open.
    """
    dividend, first = whole(left)
    divisor, second = whole(right)
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


def shift(operation: Callable[[Values, Values], Values]) -> Callable[[Values, Values], Values]:
    """A shift of an unsigned 64-bit number; NaN by a negative count or by 64 and more."""
    combined = bitwise(operation)

    def compute(left: Values, right: Values) -> Values:
        usable = (right > -1) & (right < 64)
        return np.where(usable, combined(left, np.where(usable, right, 0.0)), np.nan)

    return compute


def whole(values: Values) -> tuple[NDArray[np.int64], Values]:
    """Values cut to whole numbers, and which of them fit into 64 bits; the others are 0."""
    fits = (values >= -(2.0**63)) & (values < 2.0**63)
    return np.where(fits, values, 0.0).astype(np.int64), fits


def _unsigned(values: Values) -> tuple[NDArray[np.uint64], Values]:
    fits = (values >= -(2.0**63)) & (values < 2.0**64)
    high = fits & (values >= 2.0**63)
    low = np.where(fits & ~high, values, 0.0).astype(np.int64).astype(np.uint64)
    return np.where(high, np.where(high, values, 0.0).astype(np.uint64), low), fits


def angle(y: Values, x: Values) -> Values:
    """The angle of (x, y); 0 at the origin, whatever the signs of its zeros."""
    return np.where((x == 0) & (y == 0), 0.0, np.arctan2(y, x))
