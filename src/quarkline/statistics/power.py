"""How often a search of pseudo-experiments reaches a significance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity
from quarkline.statistics.significance import binomial_interval

EVIDENCE, DISCOVERY = 3.0, 5.0


@dataclass(frozen=True)
class Power:
    """Significances of pseudo-experiments with one mean number of signal events.

    Attributes:
        injected: Mean number of signal events in the window.
        experiments: Pseudo-experiments used.
        failed: Pseudo-experiments left out because a fit failed.
        z_mean: Mean local significance, with the error of that mean.
        z_median: Median local significance.
        evidence: Fraction with Z of at least 3, with its binomial error.
        discovery: Fraction with Z of at least 5, with its binomial error.
    """

    injected: float
    experiments: int
    failed: int
    z_mean: Quantity
    z_median: float
    evidence: Quantity
    discovery: Quantity


def power(injected: float, z: ArrayLike) -> Power:
    """The power at one strength.

    Args:
        injected: Mean number of signal events in the window.
        z: Local significance of each pseudo-experiment, with shape (N,); NaN where a fit failed.
    """
    found = np.asarray(z, dtype=np.float64).ravel()
    known = found[~np.isnan(found)]
    return Power(
        injected=float(injected),
        experiments=known.size,
        failed=found.size - known.size,
        z_mean=mean(known),
        z_median=float(np.median(known)) if known.size else float("nan"),
        evidence=fraction(int((known >= EVIDENCE).sum()), known.size),
        discovery=fraction(int((known >= DISCOVERY).sum()), known.size),
    )


def mean(values: ArrayLike, unit: str = "") -> Quantity:
    """The mean of independent values with its standard error, which takes two of them."""
    known = np.asarray(values, dtype=np.float64)
    if not known.size:
        return Quantity(float("nan"), unit=unit)
    error = float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else None
    return Quantity(float(known.mean()), error, error, unit)


def fraction(passed: int, trials: int) -> Quantity:
    """A fraction with the distances to its Clopper-Pearson interval; NaN if nothing was tried."""
    if not trials:
        return Quantity(float("nan"))
    low, high = binomial_interval(passed, trials)
    value = passed / trials
    return Quantity(value, up=float(high) - value, down=value - float(low))
