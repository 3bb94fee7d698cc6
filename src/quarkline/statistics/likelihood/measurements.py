"""The auxiliary measurements of a likelihood: their terms, expectations and draws."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood import poisson
from quarkline.statistics.likelihood.spec import Constraint, Gaussian, Parameter, Poisson
from quarkline.statistics.likelihood.sums import summed


class Measurements:
    """One auxiliary measurement for each parameter with a constraint, in the parameters' order."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        held = [(at, item.constraint) for at, item in enumerate(parameters) if item.constraint]
        self.parameters = np.array([at for at, _ in held], dtype=np.intp)
        self.nominal = np.array([_came_out(kind) for _, kind in held], dtype=np.float64)
        normal = [(row, kind) for row, (_, kind) in enumerate(held) if isinstance(kind, Gaussian)]
        counted = [(row, kind) for row, (_, kind) in enumerate(held) if isinstance(kind, Poisson)]
        self._normal = np.array([row for row, _ in normal], dtype=np.intp)
        self._counted = np.array([row for row, _ in counted], dtype=np.intp)
        self._width = np.array([kind.width for _, kind in normal])
        self._tau = np.array([kind.tau for _, kind in counted])
        self._constant = float(np.log(self._width * math.sqrt(2 * math.pi)).sum())

    def expected(self, values: Floats) -> Floats:
        """What the measurements give on average, with shape (auxiliary,)."""
        means = values[self.parameters].astype(np.float64)
        means[self._counted] *= self._tau
        return means

    def draw(self, values: Floats, rng: np.random.Generator) -> Floats:
        """Measurements drawn at these parameters."""
        means = self.expected(values)
        means[self._normal] = rng.normal(means[self._normal], self._width)
        means[self._counted] = rng.poisson(np.maximum(means[self._counted], 0.0))
        return means

    def nll(self, values: Floats, measured: Floats) -> float:
        """Minus the logarithm of their likelihood, with all constants."""
        pulls, rates, counts = self._parts(values, measured)
        count_terms = poisson.terms(rates, counts) + gammaln(counts + 1.0)
        return float(self._constant + pulls @ pulls / 2 + count_terms.sum())

    def gradient(self, values: Floats, measured: Floats) -> Floats:
        """Gradient of `nll`, with shape (P,)."""
        pulls, rates, counts = self._parts(values, measured)
        slopes = np.empty(len(self.parameters))
        slopes[self._normal] = pulls / self._width
        slopes[self._counted] = self._tau * poisson.slopes(rates, counts)
        return summed(self.parameters, slopes, len(values))

    def curvature(self, values: Floats, measured: Floats) -> Floats:
        """Diagonal of the Hessian of `nll`, which has nothing beside it, with shape (P,)."""
        _, rates, counts = self._parts(values, measured)
        bends = np.empty(len(self.parameters))
        bends[self._normal] = self._width**-2.0
        bends[self._counted] = self._tau**2 * poisson.bends(rates, counts)
        return summed(self.parameters, bends, len(values))

    def _parts(self, values: Floats, measured: Floats) -> tuple[Floats, Floats, Floats]:
        means = values[self.parameters]
        pulls = (means[self._normal] - measured[self._normal]) / self._width
        return pulls, means[self._counted] * self._tau, measured[self._counted]


def _came_out(constraint: Constraint) -> float:
    if isinstance(constraint, Gaussian):
        return constraint.centre
    return constraint.tau if constraint.counted is None else constraint.counted
