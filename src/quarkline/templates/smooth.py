"""Variations without the fluctuations of few simulated events, relative to the nominal histogram.

The rules are those that TRExFitter's `SmoothingOption` names. All but those with a kernel keep the
sum of the variation, and none of them changes a histogram of one bin.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import inf, sqrt

import numpy as np

from quarkline.templates.algebra import exact, ratio, with_contents
from quarkline.templates.grouping import (
    group_ratios,
    grouped_by_extrema,
    grouped_by_significance,
)
from quarkline.templates.histograms import Array, Histogram
from quarkline.templates.kernel import Kernel, kernel_smoothed
from quarkline.templates.tukey import smooth_353qh

TOLERANCE = 0.08
"""Relative statistical error of the nominal histogram below which bins form a group."""
EQUAL = 1e-7
"""Ratios closer than this are no change of slope."""
LEVEL = 1e-5
"""Ratios closer than this are one flat piece."""
LONGEST = 4
"""Longest flat piece that asks for more smoothing."""
OFFSET = 100.0
"""Added to relative shifts, which the smoother is to see as positive numbers."""
LEAST = 10
"""Level below which TTBARRESONANCE does nothing."""
INDEPENDENT = 100
"""Level from which on a variation is statistically independent of the nominal histogram."""

Rule = Callable[[int, Histogram, Histogram], Array]


def smoothed(rule: str, level: int, nominal: Histogram, variation: Histogram) -> Histogram:
    """A variation with its relative shift smoothed.

    Args:
        rule: One of `RULES`, in capital letters or not.
        level: For MAXVARIATION ten times the largest number of changes of slope; for
            TTBARRESONANCE below 100 if both histograms hold the same events; 0 changes nothing.
        nominal: Nominal histogram, whose errors decide.
        variation: The same with the systematic at +1 or -1; what comes out has no errors.
    """
    rule = rule.upper()
    if level == 0 or len(nominal.contents) == 1 or (rule == "TTBARRESONANCE" and level < LEAST):
        return variation
    return exact(with_contents(variation, RULES[rule](level, nominal, variation)))


def _max_variation(level: int, nominal: Histogram, variation: Histogram) -> Array:
    """Ratios of groups of bins that change their slope few times, and 353QH over the steps."""
    tolerance = TOLERANCE
    contents, slopes = _in_groups(nominal, variation.contents, tolerance)
    while slopes > level // 10:
        tolerance /= 2
        contents, slopes = _in_groups(nominal, contents, tolerance)
    ratios = ratio(contents, nominal.contents)
    width = min(shortest_piece(ratios), LONGEST)
    contents = _shift_smoothed(nominal.contents, contents, 2 * width, needed=2 * width)
    return _with_sum_of(variation, contents)


def _ttbar_resonance(level: int, nominal: Histogram, variation: Histogram) -> Array:
    """Bins joined until their shifts differ by more than their errors, and 353QH."""
    independent = level >= INDEPENDENT
    starts = grouped_by_significance(nominal, variation, independent=independent)
    contents = nominal.contents * group_ratios(nominal.contents, variation.contents, starts)
    times = 4 if independent else 1
    contents = _shift_smoothed(nominal.contents, contents, times, needed=1)
    return _with_sum_of(variation, contents)


def _few_extrema(most: int) -> Rule:
    def rule(_: int, nominal: Histogram, variation: Histogram) -> Array:
        """Ratios of groups with few extrema, averaged with their neighbours as 1, 2, 1."""
        starts = grouped_by_extrema(nominal, variation, most)
        ratios = group_ratios(nominal.contents, variation.contents, starts)
        means = ratios.copy()
        means[1:-1] = (ratios[:-2] + 2 * ratios[1:-1] + ratios[2:]) / 4
        return _with_sum_of(variation, means * nominal.contents)

    return rule


def _kernel(kernel: Kernel, *, of_ratio: bool) -> Rule:
    def rule(_: int, nominal: Histogram, variation: Histogram) -> Array:
        return kernel_smoothed(kernel, nominal, variation, of_ratio=of_ratio)

    return rule


def _with_sum_of(variation: Histogram, contents: Array) -> Array:
    """Contents scaled to the sum of the variation, negative ones set to 0 after that."""
    total = contents.sum()
    factor = variation.integral / total if total != 0 else 1.0
    return np.maximum(contents * factor, 0.0)


RULES: dict[str, Rule] = {
    "MAXVARIATION": _max_variation,
    "TTBARRESONANCE": _ttbar_resonance,
    "COMMONTOOLSMOOTHMONOTONIC": _few_extrema(0),
    "COMMONTOOLSMOOTHPARABOLIC": _few_extrema(1),
    "KERNELRATIOUNIFORM": _kernel("box", of_ratio=True),
    "KERNELRATIOGAUSS": _kernel("normal", of_ratio=True),
    "KERNELDELTAGAUSS": _kernel("normal", of_ratio=False),
}


def _in_groups(nominal: Histogram, variation: Array, tolerance: float) -> tuple[Array, int]:
    """A variation with the ratio of its group in each bin, and how often the ratio turns."""
    starts = well_known_groups(nominal, variation, tolerance)
    ratios = group_ratios(nominal.contents, variation, starts)
    return ratios * nominal.contents, turns(ratios[starts])


def well_known_groups(nominal: Histogram, variation: Array, tolerance: float) -> list[int]:
    """First bins of groups, formed from the left, with a small relative error of the nominal.

    Bins at the right end whose error stays too large belong to the last group.
    """
    contents = np.abs(nominal.contents).tolist()
    squares = nominal.squares[1:-1].tolist()
    starts, start, seen = [0], 0, 0.0
    total = square = 0.0
    error = inf
    for at, (content, its_square) in enumerate(zip(contents, squares, strict=True)):
        total, square, seen = total + content, square + its_square, seen + variation[at]
        if total != 0 and seen != 0:
            error = sqrt(square) / total or inf
        if error > tolerance:
            continue
        if start and error < tolerance:
            starts.append(start)
        total, square, error, start = 0.0, 0.0, inf, at + 1
    return starts


def turns(ratios: Array) -> int:
    """How often a sequence changes between rising and falling; twice for two in a row."""
    values = ratios[ratios != 0]
    steps = np.diff(values)
    rising = steps[np.abs(steps) >= EQUAL] > 0
    turning = (rising[1:] != rising[:-1]).tolist()
    again = sum(before and now for before, now in pairwise(turning))
    return int(sum(turning) + again)


def shortest_piece(ratios: Array) -> int:
    """Length in bins of the shortest flat piece of what is not 0."""
    values = ratios[ratios != 0]
    ends = np.flatnonzero(np.abs(np.diff(values)) >= LEVEL) + 1
    return int(np.diff([0, *ends, len(values)]).min())


def _shift_smoothed(nominal: Array, variation: Array, times: int, *, needed: int) -> Array:
    """Apply 353QH to relative shifts from the first to the last bin that is not empty."""
    ratios = ratio(variation, nominal)
    filled = np.flatnonzero(ratios)
    if not filled.size or needed >= filled[-1] - filled[0]:
        return variation
    inside = slice(filled[0], filled[-1] + 1)
    shifts = ratio(variation - nominal, nominal)
    shifts[inside] = smooth_353qh(shifts[inside] + OFFSET, times) - OFFSET
    return np.asarray(nominal + nominal * shifts)
