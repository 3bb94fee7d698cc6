"""A primal-dual interior point method: fits with rates held at zero, from any spectrum.

Rates l and duals u stay positive and A^T u = A^T e holds at every step; the start is a flat rate
with u = e. The products v = u l are steered to the counts in filled bins and to zero in empty
ones by Mehrotra's predictor and corrector (SIAM J. Optim. 2 (1992) 575), every step shortened until
the barrier functions of both problems decrease.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from quarkline.statistics.arrays import Bools, Floats, Indices, largest, total
from quarkline.statistics.rates import Counts, LinearRates, RateFit
from quarkline.statistics.weighted import NormalEquations, SortedQR, WeightedSystem

FAST_ITERATIONS = 25
CAREFUL_ITERATIONS = 60
TOLERANCE = 1e-9  # of the objective -ln L
ROUNDING = 1e-14  # of the largest terms of the objective: what double precision cannot certify
TO_BOUNDARY = 0.99
SHORTER = 0.6
MOST_SHORTENINGS = 30
SUFFICIENT = 0.1  # of the decrease that the slope promises
TINY_STEP = 1e-4  # relative change below which no test is needed
HELD = 1e6  # curvature of a rate at zero, relative to the sharpest of the filled bins


@dataclass(frozen=True, eq=False)
class _Point:
    """Coefficients (k, N) with their rates, and duals, both (m, N)."""

    coefficients: Floats
    rates: Floats
    duals: Floats

    @classmethod
    def start(cls, model: LinearRates, counts: Counts) -> Self:
        """A flat rate with the observed number of events, and duals that keep their constraint."""
        flat = model.matrix @ model.flat
        level = total(counts.seen) / total(counts.exposure * flat[:, None])
        duals = np.broadcast_to(counts.exposure, counts.seen.shape).copy()
        return cls(model.flat[:, None] * level, flat[:, None] * level, duals)

    @property
    def products(self) -> Floats:
        """Rates times duals: the counts, once at the optimum."""
        return self.rates * self.duals

    def moved(self, step: _Step, primal: Floats, dual: Floats) -> _Point:
        """The point after a step of these two lengths."""
        return _Point(
            self.coefficients + primal * step.coefficients,
            self.rates + primal * step.rates,
            self.duals + dual * step.duals,
        )

    def take(self, columns: Indices) -> _Point:
        """Some of the spectra."""
        return _Point(self.coefficients[:, columns], self.rates[:, columns], self.duals[:, columns])


@dataclass(frozen=True, eq=False)
class _Step:
    """A direction: changes of coefficients (k, N), and of rates and duals, both (m, N)."""

    coefficients: Floats
    rates: Floats
    duals: Floats


def interior(model: LinearRates, counts: Counts) -> RateFit:
    """Fit every spectrum with rates >= 0.

    The normal equations serve almost all spectra. Those they leave without certificate, where
    weights of the bins lie many orders of magnitude apart, start again with careful arithmetic.

    Args:
        model: The rates.
        counts: The counts of N spectra, each with at least one entry.
    """
    fit = _fit(model, counts, _Point.start(model, counts))
    for careful in (False, True):
        if (places := np.flatnonzero(~fit.certified)).size:
            _iterate(model, counts, fit, places, careful=careful)
    return fit


def _iterate(
    model: LinearRates, counts: Counts, fit: RateFit, places: Indices, *, careful: bool
) -> None:
    """Work on some spectra from the start until each has its certificate; updates `fit`."""
    left = counts.take(places)
    point = _Point.start(model, left)
    for _ in range(CAREFUL_ITERATIONS if careful else FAST_ITERATIONS):
        point = _advance(model, left, point, SortedQR if careful else NormalEquations)
        if careful:
            point = _restored(model, left, point)
        fit.put(places, _fit(model, left, point))
        going = np.flatnonzero(~fit.certified[places])
        if not going.size:
            break
        if going.size < places.size:
            left, point, places = left.take(going), point.take(going), places[going]


def _advance(
    model: LinearRates, counts: Counts, point: _Point, system_type: type[WeightedSystem]
) -> _Point:
    """One predictor and corrector step."""
    system = system_type(model, point.duals / point.rates)
    predicted = _towards(counts.seen, model, counts, system, point)
    target = counts.seen + _barrier(counts, point, predicted) * ~counts.filled
    most = (point.products + target) / 2
    bend = np.clip(predicted.rates * predicted.duals, -most, most)
    step = _towards(target - bend, model, counts, system, point)
    slopes = _slopes(counts, point, step, target)
    uphill = np.flatnonzero(np.maximum(*slopes) >= 0.0)
    if uphill.size:
        bend[:, uphill] = 0.0
        step = _towards(target - bend, model, counts, system, point)
        slopes = _slopes(counts, point, step, target)
    primal = _length(step.rates / point.rates, target, slopes[0])
    dual = _length(step.duals / point.duals, target, slopes[1])
    return point.moved(step, primal, dual)


def _towards(
    target: Floats, model: LinearRates, counts: Counts, system: WeightedSystem, point: _Point
) -> _Step:
    """The Newton step to products of rates and duals equal to `target`."""
    coefficients = system.project_solve(target / point.rates - counts.exposure)
    rates = model.rates(coefficients)
    return _Step(coefficients, rates, (target - point.duals * rates) / point.rates - point.duals)


def _barrier(counts: Counts, point: _Point, predicted: _Step) -> Floats:
    """Where to steer the products of empty bins: lower the further the predictor could go."""
    falls = np.maximum(
        largest(-predicted.rates / point.rates), largest(-predicted.duals / point.duals)
    )
    blocked = 1.0 - 1.0 / np.maximum(falls, 1.0)
    level = np.maximum(_excess(counts, point) * blocked**2, _resolution(counts, point) / 4)
    return level / len(counts.seen)


def _slopes(counts: Counts, point: _Point, step: _Step, target: Floats) -> tuple[Floats, Floats]:
    """Slopes along the step of both barrier functions, each -sum_i target_i ln(...) + linear."""
    primal = total(counts.exposure * step.rates - target * step.rates / point.rates)
    dual = total(point.rates * step.duals - target * step.duals / point.duals)
    return primal, dual


def _length(change: Floats, target: Floats, slope: Floats) -> Floats:
    """Length of a step with relative changes (m, N) that decreases its barrier function."""
    length = np.minimum(1.0, TO_BOUNDARY / np.maximum(largest(-change), TO_BOUNDARY))
    biggest = largest(np.abs(change))
    for _ in range(MOST_SHORTENINGS):
        moved = length * change
        rise = length * slope + total(target * (moved - np.log1p(moved)))
        too_far = (rise > SUFFICIENT * length * slope) & (length * biggest > TINY_STEP)
        if not too_far.any():
            break
        length = np.where(too_far, SHORTER * length, length)
    return length


def _restored(model: LinearRates, counts: Counts, point: _Point) -> _Point:
    """The point after the smallest relative change of duals that restores A^T u = A^T e."""
    system = SortedQR(model, point.duals**2)
    shares = system.solve(model.project(counts.exposure - point.duals))
    return replace(point, duals=point.duals * (1.0 + point.duals * model.rates(shares)))


def _fit(model: LinearRates, counts: Counts, point: _Point) -> RateFit:
    """The point as a fit, with its certificate."""
    broken = model.project(counts.exposure - point.duals)
    gap = _excess(counts, point) + total(np.abs(broken * point.coefficients))
    at_zero = _at_zero(counts, point)
    return RateFit(
        coefficients=point.coefficients,
        rates=point.rates,
        weights=_weights(counts, point),
        gap=gap,
        certified=gap <= _resolution(counts, point),
        bound=np.asarray(at_zero.any(axis=0)),
        unique=(at_zero | counts.filled).sum(axis=0) >= model.size,
    )


def _excess(counts: Counts, point: _Point) -> Floats:
    """Distance to the optimum that products unlike the counts allow, with shape (N,)."""
    scale = np.where(counts.filled, counts.seen, 1.0)
    off = np.where(counts.filled, point.products / scale - 1.0, 0.0)
    terms = np.where(counts.filled, counts.seen * (off - np.log1p(off)), point.products)
    return total(terms)


def _resolution(counts: Counts, point: _Point) -> Floats:
    """How close to its optimum the objective need and can be known, with shape (N,).

    Every rate is known to rounding of the largest one.
    """
    scale = total(counts.exposure) * largest(point.rates)
    return TOLERANCE + ROUNDING * scale


def _weights(counts: Counts, point: _Point) -> Floats:
    """Curvature in each rate, cut where it only says that a rate stays at zero."""
    weights = point.duals / point.rates
    sharpest = largest(np.where(counts.filled, weights, 0.0))
    return np.where(weights < HELD * sharpest, weights, HELD * sharpest)


def _at_zero(counts: Counts, point: _Point) -> Bools:
    """Empty bins whose rate is held at zero: there the dual, not the rate, stays finite."""
    near = point.rates * total(counts.exposure) < point.duals * total(point.rates)
    return ~counts.filled & near
