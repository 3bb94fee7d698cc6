"""What a background shape provides."""

from __future__ import annotations

from typing import Protocol

from quarkline.statistics.arrays import Floats


class BackgroundShape(Protocol):
    """A family of smooth densities lambda(m) = sum_k c_k f_k(m) on a mass range.

    Attributes:
        size: Number of coefficients.
        flat: Coefficients of lambda = 1, with shape (size,).
    """

    size: int
    flat: Floats

    def __init__(self, mass_range: tuple[float, float], degree: int) -> None: ...

    def values(self, mass: Floats) -> Floats:
        """The functions f_k at masses of shape (N,), with shape (N, size)."""

    def integrals(self, low: Floats, high: Floats) -> Floats:
        """Integrals of f_k from `low` to `high`, both of shape (N,), with shape (N, size)."""
