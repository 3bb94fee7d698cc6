"""How parameters turn variations at ±1 into factors and shifts, with two derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quarkline.statistics.arrays import Bools, Floats, Indices

# Where a code's power law begins: inside ±1 code 4 is a polynomial, code 1 has no inside.
BOUNDARY = {1: 0.0, 4: 1.0}
SHAPE_CODES = ("0", "2", "4p")


@dataclass(frozen=True)
class Curves:
    """Values of functions of one parameter each, with their first and second derivatives."""

    value: Floats
    slope: Floats
    bend: Floats


class NormFactors:
    """Factors up^a (a > 0) and down^-a (a < 0), made smooth inside ±1 by code 4.

    The polynomial 1 + sum_k c_k a^k, k = 1..6, agrees with the power law at ±1 in value, slope and
    second derivative (ROOT's `FlexibleInterpVar`; HistFactory, CERN-OPEN-2012-016).

    Args:
        parameters: Index of each factor's parameter, with shape (U,).
        up: Factors at +1; 0 is a factor that stays 0 beyond +1.
        down: Factors at -1.
        codes: Interpolation codes, 1 or 4.
    """

    def __init__(self, parameters: Indices, up: Floats, down: Floats, codes: Indices) -> None:
        self.parameters = parameters
        self._boundary = np.array([BOUNDARY[int(code)] for code in codes])
        self._up, self._down = up, down
        self._log_up, self._log_down = _safe_log(up), _safe_log(down)
        self._coefficients = _coefficients(up, down, self._log_up, self._log_down)

    def at(self, values: Floats) -> Floats:
        """The factors for parameters with shape (P,)."""
        shifts = values[self.parameters]
        factors = _horner(self._coefficients, shifts)
        outside = np.flatnonzero(np.abs(shifts) >= self._boundary)
        if outside.size:
            factors[outside] = self._powers(shifts, outside)
        return factors

    def curves(self, values: Floats) -> Curves:
        """The factors and their derivatives for parameters with shape (P,)."""
        shifts = values[self.parameters]
        rows = self._coefficients
        order = np.arange(len(rows))[:, None]
        slopes = (rows * order)[1:]
        value, slope = _horner(rows, shifts), _horner(slopes, shifts)
        bend = _horner((slopes * order[:-1])[1:], shifts)
        outside = np.flatnonzero(np.abs(shifts) >= self._boundary)
        if outside.size:
            power = self._powers(shifts, outside)
            above = shifts[outside] >= 0.0
            rate = np.where(above, self._log_up[outside], -self._log_down[outside])
            value[outside], slope[outside] = power, power * rate
            bend[outside] = power * rate**2
        return Curves(value, slope, bend)

    def _powers(self, shifts: Floats, at: Indices) -> Floats:
        above = shifts[at] >= 0.0
        base = np.where(above, self._up[at], self._down[at])
        return np.asarray(np.power(base, np.abs(shifts[at])))


def _safe_log(factors: Floats) -> Floats:
    """Ln of the factors; 0 for a factor of 0, as in `FlexibleInterpVar`."""
    return np.log(np.where(factors > 0.0, factors, 1.0))


def _coefficients(up: Floats, down: Floats, log_up: Floats, log_down: Floats) -> Floats:
    """Rows 1, c_1, ..., c_6 of the polynomials, with shape (7, U)."""
    k = np.arange(1.0, 7.0)
    sign = (-1.0) ** k
    conditions = np.stack([k**0, sign, k, -k * sign, k * (k - 1), k * (k - 1) * sign])
    wanted = np.stack(
        [up - 1, down - 1, up * log_up, -down * log_down, up * log_up**2, down * log_down**2]
    )
    return np.concatenate([np.ones((1, len(up))), np.linalg.solve(conditions, wanted)])


def _horner(rows: Floats, at: Floats) -> Floats:
    """Polynomials with coefficients `rows` (lowest power first), one for each column."""
    result = np.array(rows[-1])
    for row in rows[-2::-1]:
        result *= at
        result += row
    return result


class ShapeSteps:
    """Shifts of contents, as odd and even functions of the parameter.

    Every code adds a S + b(a) D with the odd part S = (up - down) / 2 and the even part
    D = (up + down) / 2 - nominal. With b(a) = |a| it is piecewise linear (code 0); code 2 has a^2
    within ±1, code 4p has (3 a^6 - 10 a^4 + 15 a^2) / 8, and beyond both go on straight.

    Args:
        parameters: Index of the parameter of each pair of columns, with shape (Q,).
        codes: Interpolation code of each, as an index into `SHAPE_CODES`.
    """

    def __init__(self, parameters: Indices, codes: Indices) -> None:
        self.parameters = parameters
        self._code2, self._code4p = (codes == SHAPE_CODES.index(code) for code in ("2", "4p"))

    def at(self, values: Floats) -> Floats:
        """Odd and even steps for parameters with shape (P,); with shape (2 Q,)."""
        return self.curves(values).value

    def curves(self, values: Floats) -> Curves:
        """The same with their derivatives."""
        shifts = values[self.parameters]
        size = np.abs(shifts)
        value, slope, bend = size.copy(), np.sign(shifts), np.zeros_like(shifts)
        inside = size < 1.0
        _put(value, slope, bend, self._code2 & inside, _square(shifts))
        _put(value, slope, bend, self._code2 & ~inside, (2 * size - 1, 2 * slope, bend))
        _put(value, slope, bend, self._code4p & inside, _sextic(shifts))
        ones = np.ones_like(shifts)
        return Curves(
            np.concatenate([shifts, value]),
            np.concatenate([ones, slope]),
            np.concatenate([np.zeros_like(shifts), bend]),
        )


def _put(
    value: Floats, slope: Floats, bend: Floats, where: Bools, rows: tuple[Floats, Floats, Floats]
) -> None:
    if where.any():
        for target, row in zip((value, slope, bend), rows, strict=True):
            target[where] = row[where]


def _square(a: Floats) -> tuple[Floats, Floats, Floats]:
    return a**2, 2 * a, np.full_like(a, 2.0)


def _sextic(a: Floats) -> tuple[Floats, Floats, Floats]:
    square = a * a
    return (
        square * (square * (3 * square - 10) + 15) / 8,
        a * (square * (9 * square - 20) + 15) / 4,
        (square * (45 * square - 60) + 15) / 4,
    )
