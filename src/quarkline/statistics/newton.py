"""Newton's method without constraints: enough for spectra in which positivity does not bind."""

from __future__ import annotations

import numpy as np

from quarkline.statistics.arrays import Floats, total
from quarkline.statistics.batched import solve
from quarkline.statistics.rates import Counts, LinearRates

MOST_ITERATIONS = 8
CLOSE = 1e-6  # squared Newton decrement before the last step; the last step squares it


def newton(model: LinearRates, counts: Counts, start: Floats) -> tuple[Floats, Floats]:
    """Fit every spectrum from a good start by full Newton steps, ignoring positivity.

    -ln is self-concordant, so a squared decrement d2 <= CLOSE before a step leaves the objective
    within d2^2 of its optimum after it (Nesterov and Nemirovskii, Interior-Point Polynomial
    Algorithms in Convex Programming (1994), theorem 2.2.2). A spectrum whose steps leave the domain
    is given up.

    Args:
        model: The rates.
        counts: The counts of N spectra.
        start: Coefficients, with shape (k, N).

    Returns:
        Coefficients with shape (k, N), and the bound on the distance of the objective to its
        unconstrained optimum with shape (N,), infinite where the spectrum was given up.
    """
    found, gap = start.copy(), np.full(start.shape[1], np.inf)
    places = np.flatnonzero(counts.filled.sum(axis=0) >= model.size)
    left, coefficients = counts.take(places), start[:, places]
    for _ in range(MOST_ITERATIONS):
        if not places.size:
            break
        rates = model.rates(coefficients)
        ratio = left.seen / rates
        downhill = model.project(ratio) - model.project(left.exposure)
        step = solve(model.curvature(ratio / rates), downhill.copy())
        decrement = total(step * downhill)
        inside = ((rates > 0.0) | ~left.filled).all(axis=0) & (decrement >= 0.0)
        coefficients = coefficients + step
        scale = np.minimum(np.where(left.filled, left.seen, 1.0).min(axis=0), 1.0)
        done = inside & (decrement <= CLOSE * scale)
        found[:, places[done]], gap[places[done]] = coefficients[:, done], decrement[done] ** 2
        going = inside & ~done
        if not going.all():
            kept = np.flatnonzero(going)
            left, places, coefficients = left.take(kept), places[kept], coefficients[:, kept]
    return found, gap
