"""Errors by resampling groups of events, with factors that depend on the group alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from quarkline.engine.core.results import Quantity
from quarkline.engine.core.rng import mix64, seed_bits
from quarkline.statistics.arrays import Floats
from quarkline.statistics.evaluation.events import Groups
from quarkline.statistics.significance import ONE_SIGMA

LANES = 4  # 16-bit numbers in one hash


@dataclass(frozen=True)
class Bootstrap:
    """Poisson bootstrap: each group counts k times, k from a Poisson distribution of mean 1.

    A factor is a pure function of seed, replica and group, so it does not depend on the order of
    the events, on how they are divided, or on which other events there are (Chamandy et al.,
    "Estimating uncertainty for massive data streams" (2012); Efron, Ann. Statist. 7 (1979) 1).

    Attributes:
        replicas: Number of replicas; 0 leaves errors out.
        seed: Seed of the factors.
    """

    replicas: int = 100
    seed: int = 1

    def factors(self, group: Groups) -> Iterator[Floats]:
        """Factors of the events in each replica, each with shape (N,)."""
        groups, place = np.unique(group, return_inverse=True)
        base = mix64(groups)
        for replica in range(0, self.replicas, LANES):
            key = np.uint64(seed_bits(self.seed, "bootstrap", replica, bits=64))
            bits = mix64(base ^ key)
            for lane in range(min(LANES, self.replicas - replica)):
                drawn = (bits >> np.uint64(16 * lane)) & np.uint64(0xFFFF)
                yield _poisson()[drawn.astype(np.intp)][place]


@cache
def _poisson() -> Floats:
    """Poisson numbers of mean 1 by 16-bit uniform numbers."""
    uniform = (np.arange(2**16) + 0.5) / 2**16
    return np.searchsorted(special.gammaincc(np.arange(1, 12), 1.0), uniform).astype(np.float64)


HUNDRED = Bootstrap()
"""Enough for an error to 7 %."""


def with_error(value: float, replicas: ArrayLike, unit: str = "") -> Quantity:
    """A value with the standard deviation of its replicas; without two of them it has no error."""
    known = np.asarray(replicas, dtype=np.float64).ravel()
    known = known[np.isfinite(known)]
    error = float(known.std(ddof=1)) if known.size > 1 and np.isfinite(value) else None
    return Quantity(value, error, error, unit)


def band(replicas: Floats, level: float = ONE_SIGMA) -> tuple[Floats, Floats]:
    """Central interval of replicas (R, ...) at each place; NaN where fewer than two are known."""
    few = np.isfinite(replicas).sum(axis=0) < 2
    tails = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
    filled = np.where(few, 0.0, replicas)
    low, high = (
        np.nanquantile(filled, tails, axis=0) if len(filled) else np.full((2, *few.shape), 0)
    )
    return np.where(few, np.nan, low), np.where(few, np.nan, high)
