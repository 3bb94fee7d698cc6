"""What a fit tries, one after the other, until a minimum is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import InputError
from quarkline.statistics.arrays import Bools, Floats
from quarkline.statistics.likelihood.minimum import Minimum, minimum
from quarkline.statistics.likelihood.model import Data, Model

LONGEST = 20_000  # evaluations of one attempt


@dataclass(frozen=True, eq=False)
class Attempts:
    """How a minimum was found.

    Attributes:
        best: The minimum, or the best point if none was found.
        names: What was tried, in order.
        calls: Steps of Newton's method and evaluations by other minimisers.
    """

    best: Minimum
    names: tuple[str, ...]
    calls: int


def attempts(model: Model, data: Data, start: Floats, free: Bools, strategy: int) -> Attempts:
    """Try Newton's method, then Minuit, then scipy, from the start and from elsewhere.

    What another minimiser finds is where Newton's method begins again, since only that gives exact
    second derivatives; where it does not converge, as at the kink of a piecewise linear shape,
    the other's word counts.

    Args:
        model: The likelihood.
        data: What to fit.
        start: Where to begin; parameters that are not free stay there.
        free: Which parameters are fitted, with shape (P,).
        strategy: Minuit's strategy in its first attempt.
    """
    best, names, calls = None, [], 0
    for name, found in _tried(model, data, start, free, strategy):
        names.append(name)
        calls += found.steps
        if best is None or found.converged or (found.nll < best.nll):
            best = found
        if found.converged and np.isfinite(found.nll):
            break
    if best is None:
        msg = "nothing was tried"
        raise AssertionError(msg)
    return Attempts(best, tuple(names), calls)


def _tried(
    model: Model, data: Data, start: Floats, free: Bools, strategy: int
) -> Iterator[tuple[str, Minimum]]:
    usual = np.where(free, model.initial, start)
    yield "Newton", minimum(model, data, start=start, free=free)
    yield f"Minuit, strategy {strategy}", _polished(model, data, start, free, _minuit(strategy))
    if not np.array_equal(usual, start):
        yield "Newton from the initial values", minimum(model, data, start=usual, free=free)
    yield (
        "Minuit from the initial values, strategy 2",
        _polished(model, data, usual, free, _minuit(2)),
    )
    near = _polished(model, data, usual, free, _bounded)
    yield "L-BFGS-B", near
    yield "Minuit from there, strategy 2", _polished(model, data, near.values, free, _minuit(2))


_Minimiser = Callable[[Model, Data, Floats, Bools], Minimum]


def _polished(
    model: Model, data: Data, start: Floats, free: Bools, minimiser: _Minimiser
) -> Minimum:
    """Run another minimiser, then Newton's method from where it ends."""
    rough = minimiser(model, data, start, free)
    fine = minimum(model, data, start=rough.values, free=free)
    chosen = fine if fine.converged or not rough.converged else rough
    return replace(chosen, steps=rough.steps + fine.steps)


def _minuit(strategy: int) -> _Minimiser:
    def run(model: Model, data: Data, start: Floats, free: Bools) -> Minimum:
        if findings := missing_extra("fit"):
            raise InputError(*findings)
        from iminuit import Minuit

        def nll(values: Floats) -> float:
            return model.nll(values, data)

        def gradient(values: Floats) -> Floats:
            return model.nll_gradient(values, data)[1]

        minuit = Minuit(nll, start, grad=gradient, name=model.names)
        minuit.errordef = Minuit.LIKELIHOOD
        minuit.strategy = strategy
        minuit.limits = list(zip(model.low, model.high, strict=True))
        minuit.fixed = list(~free)
        minuit.migrad(ncall=LONGEST)
        values = np.array(minuit.values)
        distance = float(minuit.fmin.edm) if minuit.fmin else np.inf
        return Minimum(
            values,
            model.nll(values, data),
            bool(minuit.valid),
            distance,
            int(minuit.nfcn),
            free,
            model.hessian(values, data),
        )

    return run


def _bounded(model: Model, data: Data, start: Floats, free: Bools) -> Minimum:
    from scipy.optimize import minimize

    def objective(part: Floats) -> tuple[float, Floats]:
        values = start.copy()
        values[free] = part
        nll, gradient = model.nll_gradient(values, data)
        return nll, gradient[free]

    bounds = list(zip(model.low[free], model.high[free], strict=True))
    options = {"maxfun": LONGEST}
    ended = minimize(
        objective, start[free], jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    values = start.copy()
    values[free] = ended.x
    # It stops at a relative change of the likelihood, which proves no minimum.
    return Minimum(values, float(ended.fun), False, np.inf, int(ended.nfev), free, np.empty((0, 0)))
