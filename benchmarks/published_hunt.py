"""The published bump hunt, written plainly from its description: least squares, then Nelder-Mead.

A polynomial in powers of the mass, seeded by a least-squares fit to the sideband bins with errors
sqrt(n + 1), then minimised by SciPy's simplex search with up to 15,090 iterations: first the null
fit from the seed, then the sideband fit from the null fit. NaN where the polynomial is negative.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Floats = NDArray[np.float64]
MOST_ITERATIONS = 15_090


def hunt(
    centres: Floats, window: tuple[float, float], bins: int, degree: int, cells: Floats
) -> float:
    """The local significance of one spectrum.

    Args:
        centres: Centres of the sideband bins.
        window: Lower and upper edge of the window.
        bins: Bins across the window.
        degree: Degree of the polynomial.
        cells: Contents of the sideband bins and, last, of the window.
    """
    powers = centres[:, None] ** np.arange(degree + 1)
    orders = np.arange(1, degree + 2)
    area = (window[1] ** orders - window[0] ** orders) / orders / ((window[1] - window[0]) / bins)
    counts, seen = cells[:-1], cells[-1]

    def loss(rates: Floats, contents: Floats) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return float((rates - contents * np.log(rates)).sum())

    def null_loss(coefficients: Floats) -> float:
        background = np.array([area @ coefficients])
        return loss(powers @ coefficients, counts) + loss(background, cells[-1:])

    def free_loss(coefficients: Floats) -> float:
        return loss(powers @ coefficients, counts)

    flat = np.eye(degree + 1)[0]
    seed, _ = optimize.curve_fit(
        lambda _, *coefficients: powers @ np.array(coefficients),
        centres,
        counts,
        p0=flat,
        sigma=np.sqrt(counts + 1.0),
    )
    null = _simplex(null_loss, seed)
    free = _simplex(free_loss, null.x)
    saturated = seen - seen * np.log(seen) if seen > 0 else 0.0
    q0 = 2.0 * (null.fun - free.fun - saturated)
    return float(np.sqrt(max(q0, 0.0))) if seen >= area @ free.x else 0.0


def _simplex(loss: object, start: Floats) -> optimize.OptimizeResult:
    return optimize.minimize(
        loss, start, method="Nelder-Mead", options={"maxiter": MOST_ITERATIONS}
    )
