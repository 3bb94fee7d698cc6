"""What a cut keeps of one sample where it keeps a given share of another, with errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity
from quarkline.statistics.arrays import Floats
from quarkline.statistics.ks import effective_size
from quarkline.statistics.roc import sorted_sample
from quarkline.statistics.significance import binomial_interval

Sample = tuple[Floats, Floats]


def efficiency_at(
    wanted: ArrayLike,
    reference: ArrayLike,
    efficiency: float,
    *,
    wanted_weight: ArrayLike | None = None,
    reference_weight: ArrayLike | None = None,
) -> Quantity:
    """Efficiency of one sample for the cut score >= t with a given efficiency of another.

    Between two scores of the reference its efficiency is a straight line. The error joins the
    Clopper-Pearson interval of the efficiency, with the effective number of events, and how far
    the cut moves when the reference's efficiency changes by its own standard deviation.

    Args:
        wanted: Scores of the sample whose efficiency is asked for, with shape (N,).
        reference: Scores of the sample that sets the cut, with shape (M,).
        efficiency: Of the reference, within (0, 1).
        wanted_weight: Weights; None for one each.
        reference_weight: Weights; None for one each.

    Returns:
        The efficiency; NaN if a sample has no events or no positive sum of weights.

    Raises:
        ValueError: If `efficiency` is not within (0, 1).
    """
    if not 0.0 < efficiency < 1.0:
        msg = f"an efficiency within (0, 1) is needed, not {efficiency}"
        raise ValueError(msg)
    sample, other = (
        sorted_sample(wanted, wanted_weight),
        sorted_sample(reference, reference_weight),
    )
    if not (sample[1].sum() > 0.0 and other[1].sum() > 0.0):
        return Quantity(np.nan)
    number = effective_size(sample[1])
    spread = np.sqrt(efficiency * (1.0 - efficiency) / effective_size(other[1]))
    points = np.clip([efficiency, efficiency - spread, efficiency + spread], 0.0, 1.0)
    value, low, high = (_above(sample, _cut(other, float(point))) for point in points)
    ends = binomial_interval(np.clip(value, 0.0, 1.0) * number, number)
    return Quantity(
        value,
        up=float(np.hypot(float(ends[1]) - value, max(high - value, 0.0))),
        down=float(np.hypot(value - float(ends[0]), max(value - low, 0.0))),
    )


def rejection_at(
    signal: ArrayLike,
    background: ArrayLike,
    efficiency: float,
    *,
    signal_weight: ArrayLike | None = None,
    background_weight: ArrayLike | None = None,
) -> Quantity:
    """One over the background's efficiency for the cut with a given signal efficiency.

    Args:
        signal: Scores of the signal, with shape (N,).
        background: Scores of the background, with shape (M,).
        efficiency: Of the signal, within (0, 1).
        signal_weight: Weights; None for one each.
        background_weight: Weights; None for one each.

    Returns:
        The rejection. Infinite if no background is left; `down` is then missing, and the error
        of the efficiency says what can be excluded.
    """
    mistaken = efficiency_at(
        background,
        signal,
        efficiency,
        wanted_weight=background_weight,
        reference_weight=signal_weight,
    )
    if mistaken.up is None or mistaken.down is None:
        return mistaken
    if mistaken.value <= 0.0:
        return replace(mistaken, value=np.inf, up=None, down=None)
    value, lowest = 1.0 / mistaken.value, mistaken.value - mistaken.down
    return Quantity(
        value,
        up=1.0 / lowest - value if lowest > 0.0 else None,
        down=value - 1.0 / (mistaken.value + mistaken.up),
    )


def _cut(sample: Sample, efficiency: float) -> float:
    """The score above which a share of a sample lies."""
    scores, weight = sample
    above = 1.0 - (np.cumsum(weight) - weight / 2.0) / weight.sum()
    return float(np.interp(efficiency, above[::-1], scores[::-1]))


def _above(sample: Sample, cut: float) -> float:
    scores, weight = sample
    return float(weight[np.searchsorted(scores, cut, side="left") :].sum() / weight.sum())
