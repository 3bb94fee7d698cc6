"""Expected discovery significances of counting experiments, for numbers or whole arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from quarkline.statistics.arrays import Floats

Significance = Callable[[Floats, Floats, Floats], Floats]
"""Of signal, background and the background's standard deviation."""


def s_over_sqrt_sb(signal: ArrayLike, background: ArrayLike) -> Floats:
    """S / sqrt(s + b): one over the relative statistical error of a measured signal.

    Args:
        signal: Expected signal events, of any shape.
        background: Expected background events.

    Returns:
        NaN where s + b is not positive, 0 where the signal is not.
    """
    s, b = _arrays(signal, background)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(s + b > 0.0, np.maximum(s, 0.0) / np.sqrt(np.maximum(s + b, 0.0)), np.nan)


def s_over_sqrt_b(signal: ArrayLike, background: ArrayLike) -> Floats:
    """S / sqrt(b), which holds for s much smaller than b only.

    Args:
        signal: Expected signal events, of any shape.
        background: Expected background events.

    Returns:
        NaN where the background is not positive, 0 where the signal is not.
    """
    s, b = _arrays(signal, background)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b > 0.0, np.maximum(s, 0.0) / np.sqrt(np.maximum(b, 0.0)), np.nan)


def asimov_significance(
    signal: ArrayLike, background: ArrayLike, background_error: ArrayLike = 0.0
) -> Floats:
    """Median discovery significance, of the likelihood ratio on the Asimov data set.

    Without an error it is sqrt(2 [(s + b) ln(1 + s / b) - s]) (Cowan, Cranmer, Gross and Vitells,
    EPJ C 71 (2011) 1554, eq. 97); with an error the background is constrained by a count in a
    control region (G. Cowan, "Discovery sensitivity for a counting experiment with background
    uncertainty" (2012), eq. 20; Li and Ma, ApJ 272 (1983) 317).

    Args:
        signal: Expected signal events, of any shape.
        background: Expected background events.
        background_error: Standard deviation of the background.

    Returns:
        NaN where the background is not positive, 0 where the signal is not.
    """
    s, b, error = _arrays(signal, background, background_error)
    known = b > 0.0
    s, b = np.maximum(s, 0.0), np.where(known, b, 1.0)
    variance = error**2
    certain = variance * (s + b) <= 1e-13 * b**2
    guard = np.where(certain, 1.0, variance)
    gain = (s + b) * np.log1p(s * b / (b**2 + (s + b) * variance))
    cost = np.where(certain, s, b**2 / guard * np.log1p(guard * s / (b * (b + guard))))
    small = s < 1e-5 * b  # there the difference loses its digits, and its first term is enough
    halved = np.where(small, s**2 / (b + variance) / 2.0, gain - cost)
    return np.where(known, np.sqrt(2.0 * np.maximum(halved, 0.0)), np.nan)


SIGNIFICANCES: Mapping[str, Significance] = MappingProxyType(
    {
        "s/sqrt(s+b)": lambda s, b, _: s_over_sqrt_sb(s, b),
        "s/sqrt(b)": lambda s, b, _: s_over_sqrt_b(s, b),
        "Asimov": lambda s, b, _: asimov_significance(s, b),
        "Asimov, background uncertain": asimov_significance,
    }
)
"""Figures of merit by name."""


def _arrays(*values: ArrayLike) -> tuple[Floats, ...]:
    return np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in values))
