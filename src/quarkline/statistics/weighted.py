"""Weighted least squares for many spectra: fast, or careful where weights are far apart."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from quarkline.statistics.arrays import Floats
from quarkline.statistics.batched import solve
from quarkline.statistics.rates import LinearRates


class WeightedSystem(Protocol):
    """A^T W A with one weight a bin and spectrum, of shape (m, N)."""

    def __init__(self, model: LinearRates, weights: Floats) -> None: ...

    def project_solve(self, values: Floats) -> Floats:
        """Solve A^T W A x = A^T values for values (m, N), with shape (k, N)."""

    def solve(self, right: Floats) -> Floats:
        """Solve A^T W A x = right for right (k, N), with shape (k, N)."""


class NormalEquations:
    """By L D L^T of A^T W A, all spectra at once."""

    def __init__(self, model: LinearRates, weights: Floats) -> None:
        self._model = model
        self._factors = model.curvature(weights)

    def project_solve(self, values: Floats) -> Floats:
        """Solve for projected values."""
        return solve(self._factors, self._model.project(values))

    def solve(self, right: Floats) -> Floats:
        """Solve for a right hand side."""
        return solve(self._factors, right.copy())


class SortedQR:
    """By Householder's QR of sqrt(W) A with rows sorted by weight.

    Stable row by row (Cox and Higham, in Numerical Analysis 1997, Longman (1998) 57), where
    A^T W A loses the light rows in the rounding of the heavy ones.
    """

    def __init__(self, model: LinearRates, weights: Floats) -> None:
        self._order = np.argsort(-weights, axis=0, kind="stable")
        self._root = np.sqrt(np.take_along_axis(weights, self._order, axis=0))
        rows = self._root[..., None] * model.matrix[self._order]
        self._q, self._r = np.linalg.qr(rows.transpose(1, 0, 2))

    def project_solve(self, values: Floats) -> Floats:
        """Solve for projected values, without forming A^T W A."""
        sought = np.take_along_axis(values, self._order, axis=0) / self._root
        return self._backward(np.einsum("nmk,mn->kn", self._q, sought))

    def solve(self, right: Floats) -> Floats:
        """Solve for a right hand side."""
        found = right.copy()
        for j in range(len(found)):
            found[j] -= np.einsum("nk,kn->n", self._r[:, :j, j], found[:j])
            found[j] /= self._r[:, j, j]
        return self._backward(found)

    def _backward(self, found: Floats) -> Floats:
        for j in reversed(range(len(found))):
            found[j] -= np.einsum("nk,kn->n", self._r[:, j, j + 1 :], found[j + 1 :])
            found[j] /= self._r[:, j, j]
        return found
