"""Groups of neighbouring bins over which a variation is averaged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from quarkline.templates.algebra import ratio
from quarkline.templates.histograms import Array, Histogram

KNOWN = 0.05
"""Relative statistical error of the nominal histogram that a group may have."""
STEP = 1e-6
"""Ratios closer than this are level."""
TINY = 1e-16
"""In place of an empty nominal bin in a quotient."""


def grouped_by_significance(
    nominal: Histogram, variation: Histogram, *, independent: bool
) -> list[int]:
    """First bins of groups whose relative shifts differ by more than their errors.

    Args:
        nominal: Nominal histogram.
        variation: The same with the systematic at +1 or -1.
        independent: Whether they hold other events; else the larger of their errors counts.
    """
    bins = np.stack(
        [nominal.contents, variation.contents, nominal.squares[1:-1], variation.squares[1:-1]]
    )
    starts = list(range(bins.shape[1]))
    while bins.shape[1] > 1:
        shifts, errors = _shifts(bins, independent=independent)
        differences = np.abs(np.diff(shifts))
        sums = np.hypot(errors[1:], errors[:-1])
        if not (differences < sums).any():
            break
        large = np.flatnonzero(np.abs(bins[1] - bins[0]) >= bins[0])
        if large.size:
            at = _with_neighbour(int(large[0]), errors)
        else:
            at = int(np.argmax(_quotients(sums, differences)))
        bins = np.add.reduceat(bins, np.delete(np.arange(bins.shape[1]), at + 1), axis=1)
        del starts[at + 1]
    return starts


def _quotients(above: Array, below: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(above / below, nan=-np.inf, posinf=np.inf, neginf=-np.inf)


def _shifts(bins: Array, *, independent: bool) -> tuple[Array, Array]:
    """Relative shifts and their errors."""
    nominal = np.where(bins[0] == 0, TINY, bins[0])
    variance = bins[2] + bins[3] if independent else np.maximum(bins[2], bins[3])
    return (bins[1] - nominal) / nominal, np.abs(np.sqrt(variance) / nominal)


def _with_neighbour(at: int, errors: Array) -> int:
    """The left one of a bin and the neighbour with the larger error."""
    if at == len(errors) - 1:
        return at - 1
    return at - 1 if at > 0 and errors[at - 1] > errors[at + 1] else at


def grouped_by_extrema(nominal: Histogram, variation: Histogram, most: int) -> list[int]:
    """First bins of groups whose ratios have at most so many extrema, the ends not counted.

    The pieces between two extrema that are most like one value are joined first. Then groups with
    a large statistical error join their neighbours, from the right.
    """
    count = len(nominal.contents)
    error = np.sqrt(nominal.squares.sum())
    total = nominal.sums.sum()
    if total > 0 and error / total > KNOWN:
        return [0]
    starts = list(range(count))
    while True:
        ratios = group_ratios(nominal.contents, variation.contents, starts)
        found = extrema(ratios)
        if len(found) <= most + 2:
            break
        pieces = list(pairwise(found))
        distances = [_distance(nominal, variation, *piece) for piece in pieces]
        first, last = pieces[int(np.argmin(distances))]
        starts = [start for start in starts if not first < start <= last]
    return _well_known(nominal, starts)


def group_ratios(nominal: Array, variation: Array, starts: Sequence[int]) -> Array:
    """Ratio of the sums of each group, in all of its bins; 0 where the nominal sum is 0."""
    values = ratio(np.add.reduceat(variation, starts), np.add.reduceat(nominal, starts))
    return np.repeat(values, np.diff([*starts, len(nominal)]))


def extrema(ratios: Array) -> list[int]:
    """The first and last bin, and those in which the ratio turns; empty bins are passed over."""
    found, direction, last = [0], 0, 0
    for at in range(1, len(ratios)):
        if ratios[at] < STEP:
            continue
        step = ratios[at] - ratios[last]
        now = 0 if abs(step) <= STEP else (1 if step > 0 else -1)
        if now and direction and now != direction:
            found.append(at - 1)
        direction = now or direction
        last = at
    return [*found, len(ratios) - 1]


def _distance(nominal: Histogram, variation: Histogram, first: int, last: int) -> float:
    """Chi2 of the ratios of bins, both ends included, to their mean."""
    inside = slice(first, last + 1)
    below, above = nominal.contents[inside], variation.contents[inside]
    errors = nominal.errors[inside]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = above.sum() / below.sum()
        pulls = (above / below - mean) / (errors / below)
    chi2 = float(np.square(pulls[below != 0]).sum())
    return np.inf if np.isnan(chi2) else chi2


def _well_known(nominal: Histogram, starts: Sequence[int]) -> list[int]:
    """Groups that joined the next one on their right until their error is small enough."""
    kept, end = [], len(nominal.contents)
    for start in reversed(starts):
        inside = slice(start, end)
        total = nominal.contents[inside].sum()
        error = np.sqrt(nominal.squares[1:-1][inside].sum())
        if total != 0 and abs(error / total) <= KNOWN:
            kept.append(start)
            end = start
    return sorted({0, *kept}) if kept else [0]
