"""The hunt done slowly and obviously: one spectrum, primal log-barrier, SciPy's general solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from scipy import integrate, optimize


@dataclass
class Reference:
    """Background in the window from the sidebands, the statistic, and how well it is known."""

    background: float
    q0: float
    slack: float


def bin_centres(mass_range, window, bins):
    """Centres of complete bins tiled outward from the window, by repeated subtraction."""
    width = (window[1] - window[0]) / bins
    low, high = [], []
    while window[0] - (len(low) + 1) * width >= mass_range[0] - 1e-9 * width:
        low.append(window[0] - (len(low) + 0.5) * width)
    while window[1] + (len(high) + 1) * width <= mass_range[1] + 1e-9 * width:
        high.append(window[1] + (len(high) + 0.5) * width)
    return np.array(low[::-1] + high)


def basis(mass_range, degree, mass):
    """Legendre polynomials on the range."""
    unit = (2 * np.asarray(mass) - mass_range[0] - mass_range[1]) / (mass_range[1] - mass_range[0])
    return legendre.legvander(unit, degree)


def window_row(mass_range, window, bins, degree):
    """Integral over the window, in bins, by numerical quadrature."""
    width = (window[1] - window[0]) / bins
    return np.array(
        [
            integrate.quad(
                lambda mass, k=k: basis(mass_range, degree, [mass])[0, k], *window, epsabs=1e-13
            )[0]
            / width
            for k in range(degree + 1)
        ]
    )


def poisson_loss(rows, counts, exposure):
    """Minus the log-likelihood as a function of the coefficients."""

    def loss(coefficients):
        rates = rows @ coefficients
        if (rates[counts > 0] <= 0).any():
            return np.inf
        return (exposure * rates).sum() - (counts * np.log(np.where(counts > 0, rates, 1))).sum()

    return loss


def barrier_fit(rows, counts, exposure):
    """Minimise with rates >= 0 by damped Newton steps on a falling logarithmic barrier.

    The barrier ends well above rounding of the largest rate; it leaves the objective within
    (number of empty bins) times its strength of the optimum.
    """
    point = np.zeros(rows.shape[1])
    point[0] = counts.sum() / (exposure * rows[:, 0]).sum()
    lowest = 1e-9 * max(1.0, counts.max() / 10)
    strength = max(1.0, counts.max()) if (counts == 0).any() else lowest
    while True:
        target = np.where(counts > 0, counts, strength)
        for _ in range(200):
            rates = rows @ point
            root = np.sqrt(target) / rates
            wanted = (target / rates - exposure) / root
            step = np.linalg.lstsq(root[:, None] * rows, wanted, rcond=None)[0]
            change = rows @ step / rates
            decrement = (target * change**2).sum()
            point = point + step_length(change, target, decrement) * step
            if decrement < 1e-3 * max(strength, lowest):
                break
        if strength <= lowest:
            return point, poisson_loss(rows, counts, exposure)(point), lowest
        strength *= 0.2


def step_length(change, target, decrement):
    """The longest of halved steps that stays inside and decreases the objective."""
    length = min(1.0, 0.9 / max(-change.min(), 0.9))
    while decrement > 0.01 * target.min():
        moved = length * change
        rise = -length * decrement + (target * (moved - np.log1p(moved))).sum()
        if rise <= -0.1 * length * decrement:
            break
        length *= 0.5
    return length


def slsqp_fit(rows, counts, exposure, start):
    """The same problem for SciPy's sequential quadratic programming."""
    outcome = optimize.minimize(
        poisson_loss(rows, counts, exposure),
        start,
        jac=lambda c: rows.T @ (exposure - counts / np.maximum(rows @ c, 1e-12)),
        constraints={"type": "ineq", "fun": lambda c: rows @ c, "jac": lambda c: rows},
        method="SLSQP",
        options={"maxiter": 2000, "ftol": 1e-13},
    )
    return outcome.x


def reference_hunt(mass_range, window, bins, degree, sidebands, in_window, w2=None, window_w2=None):
    """The statistic of section 4.6 and 4.7 of its description, for one spectrum."""
    rows = basis(mass_range, degree, bin_centres(mass_range, window, bins))
    last = window_row(mass_range, window, bins, degree)
    contents = np.append(sidebands, in_window)
    if w2 is None:
        exposure = np.ones(contents.size)
    else:
        squares = np.append(w2, window_w2)
        exposure = np.where(squares > 0, contents / np.where(squares > 0, squares, 1), 1.0)
    counts = contents * exposure
    free = null = background = slack = 0.0
    if counts[:-1].sum() > 0:
        point, free, lowest = barrier_fit(rows, counts[:-1], exposure[:-1])
        background = float(last @ point)
        slack += 2 * lowest * (counts == 0).sum()
    if counts.sum() > 0:
        _, null, lowest = barrier_fit(np.vstack([rows, last]), counts, exposure)
        slack += 2 * lowest * (counts == 0).sum()
    seen = counts[-1]
    saturated = seen - seen * np.log(in_window) if seen > 0 else 0.0
    q0 = max(2 * (null - free - saturated), 0.0) if in_window >= background else 0.0
    return Reference(background, q0, slack)
