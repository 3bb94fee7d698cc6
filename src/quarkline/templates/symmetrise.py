"""Up and down made from one side, or from what both sides say together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quarkline.templates.algebra import IN_BINS, added, ratio, with_contents
from quarkline.templates.histograms import Array, Histogram

Sides = tuple[Histogram, Histogram]
NOTABLE = 0.005
"""Relative change of the yield from which on two sides are looked at."""
ROUNDING = 1e-12
"""Relative difference of two shifts of one size."""


def symmetrised(rule: str | None, nominal: Histogram, up: Histogram, down: Histogram) -> Sides:
    """Both sides of a systematic after symmetrising; negative contents become 0.

    Args:
        rule: "one-sided", which mirrors the side that is further from the nominal histogram;
            "two-sided" shifts by half the difference of the sides; "absolute-mean" by the mean of
            their absolute shifts; "maximum" by the larger of both shifts; None changes nothing.
        nominal: Nominal histogram.
        up: Histogram at +1.
        down: Histogram at -1.
    """
    if rule is None:
        return up, down
    if rule == "one-sided":
        return _one_sided(nominal, up, down)
    shifts = (_shifts(nominal, up), _shifts(nominal, down))
    shift = {"two-sided": _half, "absolute-mean": _mean_size, "maximum": _larger}[rule](*shifts)
    contents = nominal.contents * (1 + shift)
    both = with_contents(up, np.maximum(contents, 0.0))
    return both, mirrored(nominal, both)


def _one_sided(nominal: Histogram, up: Histogram, down: Histogram) -> Sides:
    if distance(nominal, up) >= distance(nominal, down):
        return up, mirrored(nominal, up)
    return mirrored(nominal, down), down


def distance(first: Histogram, second: Histogram) -> float:
    """Sum of the absolute differences of all bins."""
    return float(np.abs(first.contents - second.contents).sum())


def mirrored(nominal: Histogram, side: Histogram) -> Histogram:
    """Twice the nominal histogram less a side, not below 0; with the errors of that side."""
    sums = 2 * nominal.sums - side.sums
    sums[IN_BINS] = np.maximum(sums[IN_BINS], 0.0)
    return replace(side, sums=sums)


def scaled_shift(nominal: Histogram, side: Histogram, factor: float) -> Histogram:
    """A side whose distance from the nominal histogram is multiplied; not below 0."""
    if factor == 1:
        return with_contents(side, np.maximum(side.contents, 0.0))
    shift = added(side, nominal, -1)
    sums = nominal.sums + factor * shift.sums
    sums[IN_BINS] = np.maximum(sums[IN_BINS], 0.0)
    return replace(side, sums=sums, squares=side.squares * (factor * factor))


def bins_on_one_side(nominal: Histogram, up: Histogram, down: Histogram) -> list[int]:
    """Bins, counted from 0, in which both sides shift the same way by more than their errors.

    None if neither side changes the yield by more than `NOTABLE`.
    """
    total = nominal.integral
    if not total or max(abs(up.integral / total - 1), abs(down.integral / total - 1)) <= NOTABLE:
        return []
    own = np.sqrt(2) * ratio(nominal.errors, np.abs(nominal.contents))
    shifts = [_shifts(nominal, side) for side in (up, down)]
    clear = [
        np.abs(shift) > np.hypot(_ratio_errors(nominal, side), own)
        for shift, side in zip(shifts, (up, down), strict=True)
    ]
    return np.flatnonzero(clear[0] & clear[1] & (shifts[0] * shifts[1] > 0)).tolist()


def _ratio_errors(nominal: Histogram, side: Histogram) -> Array:
    above = side.errors**2 * nominal.contents**2 + nominal.errors**2 * side.contents**2
    return np.sqrt(ratio(above, nominal.contents**4))


def _shifts(nominal: Histogram, side: Histogram) -> Array:
    """Relative shifts of the bins; -1 where the nominal histogram is empty."""
    return ratio(side.contents, nominal.contents) - 1


def _half(up: Array, down: Array) -> Array:
    return (up - down) / 2


def _mean_size(up: Array, down: Array) -> Array:
    return (np.abs(up) + np.abs(down)) / 2


def _larger(up: Array, down: Array) -> Array:
    """The larger shift of each bin; of sides that mirror one another the one up."""
    return np.where(np.abs(up) < np.abs(down) * (1 - ROUNDING), down, up)
