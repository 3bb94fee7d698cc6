"""A binning and a background shape made into the two fit problems of a hunt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.statistics.arrays import Floats
from quarkline.statistics.backgrounds import BACKGROUNDS, BackgroundShape
from quarkline.statistics.binning import HuntBinning
from quarkline.statistics.rates import LinearRates

TOO_FLEXIBLE = Rule(
    "QL-STAT-005",
    "there are more sideband bins than coefficients",
    "A polynomial of degree d has d + 1 coefficients; at least d + 2 sideband bins are needed to "
    "fit it with something left to judge it by. Use a lower degree, more bins in the window "
    "(narrower sideband bins), or a wider range.",
)
UNKNOWN_SHAPE = Rule(
    "QL-STAT-006",
    "background shapes go by a known name",
    "The shapes are listed in `quarkline.statistics.backgrounds`.",
)


@dataclass(frozen=True, eq=False)
class HuntRates:
    """The two fit problems of a hunt, linear in coefficients of an orthonormal basis.

    Attributes:
        shape: The family of backgrounds.
        sidebands: Expected contents of the sideband bins.
        null: The same and, last, the window.
        to_shape: Turns fitted coefficients into the shape's own, with shape (k, k).
    """

    shape: BackgroundShape
    sidebands: LinearRates
    null: LinearRates
    to_shape: Floats

    @property
    def window_row(self) -> Floats:
        """Expected contents of the window per unit coefficient, with shape (k,)."""
        return self.null.matrix[-1, :]


@dataclass(frozen=True, eq=False)
class HuntModel(HuntRates):
    """The background of one binning.

    Sideband bins expect the density at their centres, the window its integral, in bins.

    Attributes:
        binning: The binning.
    """

    binning: HuntBinning

    def basis(self, mass: Floats) -> Floats:
        """The orthonormal functions at masses (N,), with shape (N, k), in events a bin."""
        return self.shape.values(mass) @ self.to_shape

    def basis_integrals(self, low: Floats, high: Floats) -> Floats:
        """Events per unit coefficient between `low` and `high` (N,), with shape (N, k)."""
        return self.shape.integrals(low, high) @ self.to_shape / self.binning.width


@lru_cache(maxsize=256)
def hunt_model(binning: HuntBinning, degree: int, background: str = "polynomial") -> HuntModel:
    """Build the fit problems of a binning, or take them from the cache.

    Args:
        binning: The binning.
        degree: Degree of the background shape.
        background: Name of the shape.

    Raises:
        InputError: If the sidebands have too few bins for the degree, or the shape is unknown.
    """
    if background not in BACKGROUNDS:
        message = f"no background shape is called `{background}`"
        hint = did_you_mean(background, BACKGROUNDS, what="shapes")
        raise InputError(UNKNOWN_SHAPE.finding(message, suggestion=hint))
    bins = binning.n_sidebands
    if not 0 <= degree <= bins - 2:
        highest = f"use a degree from 0 to {bins - 2}, " if bins >= 2 else "use "
        raise InputError(
            TOO_FLEXIBLE.finding(
                f"degree {degree} does not suit {bins} sideband bins",
                suggestion=f"{highest}more bins in the window or a wider range",
                evidence={"degree": degree, "sideband_bins": bins},
            )
        )
    shape = BACKGROUNDS[background](binning.range, degree)
    orthonormal, to_basis = np.linalg.qr(shape.values(binning.centres))
    to_shape = np.linalg.inv(to_basis)
    low, high = (np.array([edge]) for edge in binning.window)
    window = shape.integrals(low, high) @ to_shape / binning.width
    flat = to_basis @ shape.flat
    return HuntModel(
        binning=binning,
        shape=shape,
        sidebands=LinearRates(orthonormal, flat),
        null=LinearRates(np.concatenate([orthonormal, window]), flat),
        to_shape=to_shape,
    )
