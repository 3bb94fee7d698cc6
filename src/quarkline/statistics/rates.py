"""The convex problem behind every fit: Poisson counts whose means are linear in coefficients.

Minimise sum_i (e_i l_i - n_i ln l_i) over the coefficients c, with rates l = A c >= 0. The n_i are
counts, the e_i exposures (one for plain counts, 1/s in a scaled Poisson likelihood).

Its dual is to maximise sum_i n_i ln u_i over u >= 0 with A^T u = A^T e, and at the optimum
u_i l_i = n_i in every bin. For any rates and duals that keep their constraints the distance to the
optimum is at most sum_i (v_i - n_i - n_i ln(v_i / n_i)) with v = u l: a certificate.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from quarkline.statistics.arrays import Bools, Floats, Indices
from quarkline.statistics.batched import (
    Triangle,
    factorise,
    multiply,
    pair_products,
    triangle,
)


@dataclass(frozen=True, eq=False)
class LinearRates:
    """Rates of m bins, linear in k coefficients.

    Attributes:
        matrix: Rates per unit coefficient, with shape (m, k) and orthogonal columns.
        flat: Coefficients whose rates are all positive, with shape (k,).
    """

    matrix: Floats
    flat: Floats

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return len(self.flat)

    @cached_property
    def _transposed(self) -> Floats:
        return np.ascontiguousarray(self.matrix.T)

    @cached_property
    def _pairs(self) -> Floats:
        return pair_products(self.matrix)

    def rates(self, coefficients: Floats) -> Floats:
        """Rates (m, N) of coefficients (k, N)."""
        return multiply(self.matrix, coefficients)

    def project(self, values: Floats) -> Floats:
        """A^T values for values (m, N), with shape (k, N)."""
        return multiply(self._transposed, values)

    def curvature(self, weights: Floats) -> Triangle:
        """A^T diag(weights) A for weights (m, N), factorised."""
        return factorise(triangle(multiply(self._pairs, weights), self.size))


@dataclass(frozen=True, eq=False)
class Counts:
    """What was seen in m bins of N spectra.

    Attributes:
        seen: Counts, or effective counts of a scaled Poisson, with shape (m, N).
        exposure: Weight of each rate in the likelihood, with shape (m, N), or (m, 1) for all.
    """

    seen: Floats
    exposure: Floats

    @cached_property
    def filled(self) -> Bools:
        """Bins with entries, with shape (m, N)."""
        return self.seen > 0.0

    @property
    def without_last(self) -> Counts:
        """All bins but the last: the sidebands without the window."""
        return Counts(self.seen[:-1], self.exposure[:-1])

    def take(self, columns: Indices | slice) -> Counts:
        """Some of the spectra."""
        shared = self.exposure.shape[1] == 1
        return Counts(self.seen[:, columns], self.exposure if shared else self.exposure[:, columns])


@dataclass(frozen=True, eq=False)
class RateFit:
    """Fitted rates of N spectra.

    Attributes:
        coefficients: With shape (k, N).
        rates: With shape (m, N).
        weights: Curvature of the likelihood in each rate, with shape (m, N); at a rate held at
            zero it is large, so that the covariance keeps to the directions left free.
        gap: Certified bound on the distance of the objective to its optimum, with shape (N,).
        certified: Whether the optimum was reached, with shape (N,).
        bound: Whether positivity of a rate binds, with shape (N,).
        unique: Whether the coefficients are unique, with shape (N,).
    """

    coefficients: Floats
    rates: Floats
    weights: Floats
    gap: Floats
    certified: Bools
    bound: Bools
    unique: Bools

    def put(self, columns: Indices, other: RateFit) -> None:
        """Replace some of the spectra by another fit of them."""
        for item in fields(self):
            getattr(self, item.name)[..., columns] = getattr(other, item.name)
