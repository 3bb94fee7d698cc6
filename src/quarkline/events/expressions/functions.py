"""The functions of the language: one line each, with ROOT's values where a function is undefined.

A bare name is `TTreeFormula`'s own function or the C library's; `TMath::` names keep the values of
ROOT's namespace, which differ outside the domain: `sqrt(-4)` is 2, `TMath::Sqrt(-4)` is NaN.
Each is compared with ROOT 6.40 in `tests/events/expressions/root_values.json`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from quarkline.events.expressions.arithmetic import Values, angle, power, whole
from quarkline.events.expressions.kinds import Function, ResultKind
from quarkline.events.expressions.special import special
from quarkline.events.expressions.tmath import NAMESPACES

EXP_LIMIT = 700.0
INTEGER, BOOLEAN = ResultKind.INTEGER, ResultKind.BOOLEAN


def _truncated(values: Values) -> Values:
    cut, fits = whole(values)
    return np.where(fits, cut.astype(np.float64), np.nan)


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


def _sign(values: Values) -> Values:
    return np.where(values < 0, -1.0, 1.0)


def _smaller(left: Values, right: Values) -> Values:
    return np.where(right < left, right, left)


def _larger(left: Values, right: Values) -> Values:
    return np.where(left < right, right, left)


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
    "atan2": Function(2, angle),
    "sinh": Function(1, np.sinh),
    "cosh": Function(1, np.cosh),
    "tanh": Function(1, np.tanh),
    "asinh": Function(1, np.arcsinh),
    "acosh": Function(1, _inside(lambda values: ~(values < 1), np.arccosh)),
    "atanh": Function(1, _inside(_within_one, np.arctanh)),
    "hypot": Function(2, np.hypot),
    "cbrt": Function(1, np.cbrt),
    "fmod": Function(2, np.fmod),
    "floor": Function(1, np.floor, INTEGER),
    "ceil": Function(1, np.ceil, INTEGER),
    "round": Function(1, _round_half_away, INTEGER),
    "trunc": Function(1, np.trunc, INTEGER),
    "int": Function(1, _truncated, INTEGER),
    "sign": Function(1, _sign, INTEGER),
    "fmin": Function(2, np.fmin, None),
    "fmax": Function(2, np.fmax, None),
    "copysign": Function(2, np.copysign),
    "expm1": Function(1, np.expm1),
    "exp2": Function(1, np.exp2),
    "log1p": Function(1, np.log1p),
    "rint": Function(1, np.rint, INTEGER),
    "nearbyint": Function(1, np.rint, INTEGER),
    "erf": Function(1, special("erf")),
    "erfc": Function(1, special("erfc")),
    "tgamma": Function(1, special("gamma")),
    "lgamma": Function(1, special("gammaln")),
    "isnan": Function(1, np.isnan, BOOLEAN),
    "isinf": Function(1, np.isinf, BOOLEAN),
    "isfinite": Function(1, np.isfinite, BOOLEAN),
    **NAMESPACES,
}

CONSTANTS = {"pi": math.pi}
