"""Look-elsewhere corrections: the best of many local significances, made global."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.significance import p_from_z, tail_fraction, z_from_p

SAME_Z = 1e-6


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
