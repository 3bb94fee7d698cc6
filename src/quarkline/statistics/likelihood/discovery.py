"""The significance of a signal: how unlikely the data are without it."""

from __future__ import annotations

import math

import numpy as np

from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.minimum import Minimum, minimum
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.profiles import profiled
from quarkline.statistics.likelihood.results import DiscoverySignificance
from quarkline.statistics.likelihood.signal import Signal
from quarkline.statistics.likelihood.uppertest import other_starts
from quarkline.statistics.significance import p_from_z


def discovery(
    model: Model,
    data: Data | None,
    *,
    poi: str | None = None,
    expected_with: float = 1.0,
    observed: bool = True,
) -> DiscoverySignificance:
    """q0 and its significance, observed and expected, by the formulae of large samples.

    q0 = -2 ln(L(0) / L(best)) for a best value above 0, else 0 (eq. 12 of arXiv:1007.1727);
    Z = sqrt(q0) and p = 1 - Phi(Z) (eqs. 52 and 53). Half of the data without signal have q0 = 0
    exactly: there Z is 0 and p, which says that q0 is at least that large, is given as 1/2, the
    limit from above. The expected Z is that of Asimov data with signal (section 4.1), with the
    other parameters at their best values for the data with a signal of that strength, or at their
    nominal values without data.

    Args:
        model: The likelihood.
        data: What is tested; None if data are not looked at.
        poi: Parameter of the signal; None for the model's.
        expected_with: Strength of the signal with which it is expected.
        observed: Whether the data are tested; if not, they only give the other parameters for the
            expected significance.
    """
    signal = Signal.of(model, poi)
    q0 = None if data is None or not observed else discovery_statistic(signal, data)
    values = signal.given(expected_with, data)
    asimov = signal.model.asimov(values, shift_measurements=True)
    null = _null(signal, asimov, values)
    if not null.converged:
        signal.notes.append("the fit of the expected data without signal did not converge")
    expected = 2.0 * max(null.nll - signal.model.nll(values, asimov), 0.0)
    if not expected:
        signal.notes.append(
            f"`{signal.poi}` = {expected_with:g} changes nothing: data without it are as likely"
        )
    z = None if q0 is None else math.sqrt(q0)
    return DiscoverySignificance(
        poi=signal.poi,
        q0=q0,
        p=None if z is None else float(p_from_z(z)),
        z=z,
        z_expected=math.sqrt(expected),
        expected_with=expected_with,
        note="; ".join(dict.fromkeys(signal.notes)),
    )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def discovery_statistic(signal: Signal, data: Data) -> float:
    """q0 of some data (eq. 12 of arXiv:1007.1727), of the lowest fits from several starts."""
    best = signal.best(data)
    null = _null(signal, data, best.values)
    if not null.converged:
        signal.notes.append("the fit without signal did not converge")
    for start in (null.values, *other_starts(signal.model)):
        found = minimum(signal.model, data, start=start)
        best = min(best, found, key=_order)
    return 2.0 * max(null.nll - best.nll, 0.0)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _null(signal: Signal, data: Data, start: Floats) -> Minimum:
    """The lowest fit without signal, since one in another minimum would be called evidence."""
    held = {signal.poi: 0.0}
    rows = [profiled(signal.model, data, start, held)]
    rows += [minimum(signal.model, data, start=x, fixed=held) for x in other_starts(signal.model)]
    return min(rows, key=_order)


def _order(found: Minimum) -> tuple[bool, float]:
    return not found.converged, found.nll
