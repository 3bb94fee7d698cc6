"""The minimum of a likelihood by Newton's method with bounds: fast enough for thousands of fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from quarkline.statistics.arrays import Bools, Floats
from quarkline.statistics.likelihood.model import Data, Expansion, Model

MOST_STEPS = 100
# Estimated vertical distance at which one last step is taken; that step about squares it.
CLOSE = 1e-6
SHORTEST = 1e-10  # of a step, before the search along it is given up
DESCENT = 1e-4  # part of the linear descent that a step must reach (Armijo)
FLAT = 1e-9  # curvature that is added where a direction changes nothing
DAMPING = 1e-3  # part of the curvature that is added to Gauss and Newton's


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a likelihood is largest.

    Attributes:
        values: Parameters, with shape (P,).
        nll: Minus the logarithm of the likelihood there.
        converged: Whether it is a minimum within the bounds.
        distance: Estimated vertical distance to the minimum, before the last step.
        steps: Steps taken.
        free: Which parameters were fitted, with shape (P,).
        hessian: Second derivatives of the nll at the last step, with shape (P, P).
    """

    values: Floats
    nll: float
    converged: bool
    distance: float
    steps: int
    free: Bools
    hessian: Floats

    def covariance(self) -> Floats:
        """Inverse of the second derivatives by the fitted parameters, in their order.

        NaN if these are not positive definite.
        """
        part = self.hessian[np.ix_(self.free, self.free)]
        if not part.size:
            return part
        if not np.isfinite(part).all():
            return np.full_like(part, np.nan)
        try:
            return np.asarray(cho_solve(cho_factor(part), np.eye(len(part))))
        except np.linalg.LinAlgError:
            return np.full_like(part, np.nan)

    def errors(self) -> Floats:
        """Symmetric errors of all parameters, 0 for those that were fixed, with shape (P,)."""
        errors = np.zeros(len(self.values))
        errors[self.free] = np.sqrt(np.diag(self.covariance()))
        return errors


def minimum(
    model: Model,
    data: Data,
    *,
    start: Floats | None = None,
    fixed: Mapping[str, float] | None = None,
    free: Bools | None = None,
) -> Minimum:
    """Maximise a likelihood within the bounds of its parameters.

    Every step solves the quadratic model with exact second derivatives, parameters that it drives
    out of bounds being held there, and is shortened until the likelihood rises enough. Where the
    second derivatives are not positive definite, Gauss and Newton's part of them takes their place.

    Args:
        model: The likelihood.
        data: What to fit.
        start: Where to begin, with shape (P,); the model's initial values if None.
        fixed: Parameters to hold, and where.
        free: Which parameters are free before `fixed` is looked at, with shape (P,); those that
            the model does not fix if None.
    """
    values = np.array(model.initial if start is None else start, dtype=np.float64)
    fitted = ~model.fixed if free is None else free.copy()
    for name, value in (fixed or {}).items():
        at = model.index(name)
        values[at], fitted[at] = value, False
    values[fitted] = np.clip(values, model.low, model.high)[fitted]
    return _descend(model, data, values, fitted)


def _descend(model: Model, data: Data, values: Floats, free: Bools) -> Minimum:
    here = model.expansion(values, data)
    distance, steps = np.inf, 0
    while steps < MOST_STEPS and _finite(here):
        step, positive = _step(model, here, values, free)
        slope = float(here.gradient @ step)
        distance = -slope / 2
        close = positive and distance < CLOSE
        length, nll = _along(model, data, values, step, here.nll, slope)
        steps += 1
        values = values + length * step
        values[free] = np.clip(values, model.low, model.high)[free]
        if close or length == 0.0:
            return Minimum(values, nll, close, distance, steps, free, here.hessian)
        here = model.expansion(values, data)
    return Minimum(values, here.nll, False, distance, steps, free, here.hessian)


def _finite(here: Expansion) -> bool:
    return bool(np.isfinite([here.nll, here.gradient.sum(), here.hessian.sum()]).all())


def _step(model: Model, here: Expansion, values: Floats, free: Bools) -> tuple[Floats, bool]:
    """The step to the minimum of the quadratic model, and whether that has one."""
    gradient = here.gradient
    moving = free & ~((values <= model.low) & (gradient > 0.0))
    moving &= ~((values >= model.high) & (gradient < 0.0))
    step = np.zeros_like(values)
    positive = True
    while moving.any():
        pull = gradient + here.hessian @ np.where(moving, 0.0, step)
        step[moving], sure = _solved(here, pull, moving)
        positive &= sure
        ends = values + step
        out = moving & ((ends < model.low) | (ends > model.high))
        if not out.any():
            break
        step[out] = np.clip(ends, model.low, model.high)[out] - values[out]
        moving &= ~out
    if gradient @ step > 0.0:  # the others have followed those at their bounds uphill
        return _step_to_bound(model, here, values, free), False
    return step, positive


def _step_to_bound(model: Model, here: Expansion, values: Floats, free: Bools) -> Floats:
    """Newton's step as far as the first bound, which always descends."""
    moving = free.copy()
    step = np.zeros_like(values)
    while moving.any():
        step[:] = 0.0
        step[moving], _ = _solved(here, here.gradient, moving)
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(step > 0.0, model.high - values, model.low - values) / step
        room[~(moving & (step != 0.0))] = np.inf
        if (share := min(room.min(), 1.0)) > SHORTEST:
            return np.asarray(share * step)
        moving &= room > SHORTEST
    return step


def _solved(here: Expansion, pull: Floats, moving: Bools) -> tuple[Floats, bool]:
    """Newton's step, or one that descends where there is none, and which of the two it is."""
    part = np.ix_(moving, moving)
    scale = np.maximum(np.diag(here.squares)[moving], 1.0)
    for matrix, added, newton in (
        (here.hessian, 0.0, True),
        (here.hessian, FLAT, True),
        (here.squares, DAMPING, False),
    ):
        damped = matrix[part]
        damped[np.diag_indices(len(scale))] += added * scale
        try:
            return -cho_solve(cho_factor(damped, overwrite_a=True), pull[moving]), newton
        except np.linalg.LinAlgError:
            continue
    return -pull[moving] / scale, False


def _along(
    model: Model, data: Data, values: Floats, step: Floats, nll: float, slope: float
) -> tuple[float, float]:
    """How far to go along a step, and the nll there; 0 if nothing on the way is better."""
    length = 1.0
    while length > SHORTEST:
        there = model.nll(values + length * step, data)
        if there <= nll + DESCENT * length * slope:
            return length, there
        length /= 2
    return 0.0, nll
