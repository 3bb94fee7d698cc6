"""Polynomials, in Legendre's basis on the mass range."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre

from quarkline.statistics.arrays import Floats


class Polynomial:
    """lambda(m) = sum_k c_k P_k(x) with Legendre's P_k and x running from -1 to 1 over the range.

    Args:
        mass_range: Lowest and highest mass.
        degree: Degree of the polynomial.
    """

    def __init__(self, mass_range: tuple[float, float], degree: int) -> None:
        self._middle = (mass_range[0] + mass_range[1]) / 2
        self._half = (mass_range[1] - mass_range[0]) / 2
        self.size = degree + 1
        self.flat = np.eye(self.size)[0]

    def values(self, mass: Floats) -> Floats:
        """Legendre polynomials at masses of shape (N,), with shape (N, size)."""
        return legendre.legvander(self._unit(mass), self.size - 1)

    def integrals(self, low: Floats, high: Floats) -> Floats:
        """Integrals over [low, high], by (2k + 1) integral P_k = P_{k+1} - P_{k-1}."""
        above, below = (
            legendre.legvander(self._unit(np.asarray(edge)), self.size) for edge in (high, low)
        )
        step = above - below
        lower = np.concatenate([np.zeros_like(step[:, :1]), step[:, :-2]], axis=1)
        widths = self._half / (2.0 * np.arange(self.size) + 1.0)
        integrals: Floats = (step[:, 1:] - lower) * widths
        return integrals

    def _unit(self, mass: Floats) -> Floats:
        return (np.asarray(mass, dtype=np.float64) - self._middle) / self._half
