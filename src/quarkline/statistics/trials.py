"""Look-elsewhere corrections: the best of many local significances, made global."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats
from quarkline.statistics.power import fraction
from quarkline.statistics.significance import p_from_z, tail_fraction, z_from_p

SAME_Z = 1e-6
ALMOST_ONE = 1.0 - 1e-12
UPCROSSING_LEVEL = 1.0  # significance at which upcrossings are counted


@dataclass(frozen=True)
class GlobalSignificance(Result, kind="global-significance"):
    """The largest of several local significances, corrected for their number.

    Attributes:
        best: Index of the largest one.
        z_local: The largest local significance.
        p_local: Its p-value.
        p_global: Fraction of toys whose largest significance is at least that, with its error.
        z_global: The same in standard deviations, not below 0.
        n_exceeding: Toys whose largest significance is at least that.
        n_toys: Toys used.
        n_failed: Toys left out because a fit failed.
    """

    best: int
    z_local: float
    p_local: float
    p_global: Quantity
    z_global: float
    n_exceeding: int
    n_toys: int
    n_failed: int


def global_significance(z: ArrayLike, z_toys: ArrayLike) -> GlobalSignificance:
    """Correct the best of several hunts, such as those behind nested cuts, for having looked often.

    The toys must have gone through the same hunts together, so that their correlation is kept.

    Args:
        z: Local significances of the data, with shape (hunts,); NaN where a fit failed.
        z_toys: Those of background-only toys, with shape (toys, hunts); a toy with a NaN is left
            out and counted.
    """
    seen = np.asarray(z, dtype=np.float64)
    toys = np.asarray(z_toys, dtype=np.float64).reshape(-1, seen.size)
    known = ~np.isnan(toys).any(axis=1)
    best = int(np.nanargmax(seen))
    z_local = float(seen[best])
    p_local = float(p_from_z(z_local))
    maxima = toys[known].max(axis=1)
    exceeding = int((maxima >= z_local - SAME_Z).sum())
    p_global = tail_fraction(exceeding, maxima.size)
    return GlobalSignificance(
        best=best,
        z_local=z_local,
        p_local=p_local,
        p_global=p_global,
        z_global=max(float(z_from_p(p_global.value)), 0.0),
        n_exceeding=exceeding,
        n_toys=maxima.size,
        n_failed=int((~known).sum()),
    )


@dataclass(frozen=True)
class PValueRow:
    """One significance, and how often toys reach it.

    Attributes:
        z: The significance.
        p_asymptotic: Its one-sided p-value, 1 - Phi(z).
        p_toys: Fraction of toys at or above it, with its binomial error.
    """

    z: float
    p_asymptotic: float
    p_toys: Quantity


def p_value_rows(z_toys: ArrayLike, at: Sequence[float]) -> tuple[PValueRow, ...]:
    """Toy p-values beside asymptotic ones.

    Args:
        z_toys: Significance of each toy, with shape (N,); NaN is left out.
        at: Significances to compare at.
    """
    toys = np.asarray(z_toys, dtype=np.float64).ravel()
    known = toys[~np.isnan(toys)]
    return tuple(
        PValueRow(
            z=float(z),
            p_asymptotic=float(p_from_z(z)),
            p_toys=fraction(int((known >= z - SAME_Z).sum()), known.size),
        )
        for z in at
    )


@dataclass(frozen=True)
class TrialsRow:
    """One local significance.

    Attributes:
        z: The local significance.
        p_local: Its p-value.
        p_global: Fraction of toys whose largest significance is at least that.
        factor: p_global / p_local.
        effective: The number of independent hunts with that p_global.
    """

    z: float
    p_local: float
    p_global: Quantity
    factor: Quantity
    effective: Quantity


@dataclass(frozen=True)
class TrialsFactor(Result, kind="trials-factor"):
    """What looking often costs, as a function of the largest local significance.

    Attributes:
        hunts: Number of hunts of a toy.
        n_toys: Toys used.
        rows: Rising in significance.
    """

    hunts: int
    n_toys: int
    rows: tuple[TrialsRow, ...]


def trials_factor(z_toys: ArrayLike, at: Sequence[float]) -> TrialsFactor:
    """The trials factor from toys that went through all hunts together.

    n independent hunts have p_global = 1 - (1 - p_local)^n, which gives the effective number
    n = ln(1 - p_global) / ln(1 - p_local); it exceeds the number of hunts where the asymptotic
    p_local is too small.

    Args:
        z_toys: Local significances with shape (toys, hunts); a toy with a NaN is left out.
        at: Local significances above 0.
    """
    toys = np.asarray(z_toys, dtype=np.float64)
    known = toys[~np.isnan(toys).any(axis=1)]
    rows = p_value_rows(known.max(axis=1, initial=0.0), at)
    return TrialsFactor(toys.shape[1], len(known), tuple(_trials_row(row) for row in rows))


def _trials_row(row: PValueRow) -> TrialsRow:
    return TrialsRow(
        z=row.z,
        p_local=row.p_asymptotic,
        p_global=row.p_toys,
        factor=_transformed(row.p_toys, lambda p: p / row.p_asymptotic),
        effective=_transformed(
            row.p_toys,
            lambda p: float(np.log1p(-min(p, ALMOST_ONE)) / np.log1p(-row.p_asymptotic)),
        ),
    )


def _transformed(quantity: Quantity, function: Callable[[float], float]) -> Quantity:
    """A rising function of a quantity, with the images of its ends as errors."""
    value = function(quantity.value)
    return Quantity(
        value,
        up=function(quantity.value + (quantity.up or 0.0)) - value,
        down=value - function(quantity.value - (quantity.down or 0.0)),
    )


def upcrossing_bound(
    z_local: float, z_toys: Floats, breaks: ArrayLike = ()
) -> tuple[Quantity, float]:
    """Bound the global p-value of the best hunt along a range by upcrossings.

    p <= sum over stretches of p_local + <N(u)> exp(-(q0 - u) / 2), with the mean number <N(u)> of
    times that q0 rises through the low level u = UPCROSSING_LEVEL^2 along a toy (Gross and Vitells,
    EPJ C 70 (2010) 525).

    Args:
        z_local: The largest local significance.
        z_toys: Local significances of background-only toys, with shape (toys, hunts), in the order
            of the range; toys with a NaN are left out.
        breaks: Indices of hunts, beyond the first, that begin a stretch of their own.

    Returns:
        Mean number of upcrossings with its error, and the bound.
    """
    known = z_toys[~np.isnan(z_toys).any(axis=1)]
    rises = (known[:, :-1] <= UPCROSSING_LEVEL) & (known[:, 1:] > UPCROSSING_LEVEL)
    starts = np.asarray(breaks, dtype=np.intp)
    rises[:, starts - 1] = False
    crossed = rises.sum(axis=1)
    mean, error = float(crossed.mean()), float(crossed.std() / np.sqrt(crossed.size))
    falling = float(np.exp((UPCROSSING_LEVEL**2 - z_local**2) / 2.0))
    bound = (1 + starts.size) * float(p_from_z(z_local)) + mean * falling
    return Quantity(mean, error, error), min(bound, 1.0)
