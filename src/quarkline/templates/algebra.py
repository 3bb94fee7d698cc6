"""Sums, products and quotients of histograms, bin by bin, what lies outside the bins included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quarkline.templates.histograms import Array, Histogram

IN_BINS = slice(1, -1)
"""The bins among sums that have underflow and overflow at their ends."""


def added(first: Histogram, second: Histogram, factor: float = 1.0) -> Histogram:
    """The first histogram and `factor` times the second; their errors are independent."""
    return replace(
        first,
        sums=first.sums + factor * second.sums,
        squares=first.squares + factor * factor * second.squares,
    )


def multiplied(first: Histogram, second: Histogram) -> Histogram:
    """The product of two histograms; their errors are independent."""
    squares = first.squares * second.sums**2 + second.squares * first.sums**2
    return replace(first, sums=first.sums * second.sums, squares=squares)


def divided(first: Histogram, second: Histogram) -> Histogram:
    """The quotient of two histograms, 0 where the second is 0; their errors are independent."""
    above = first.squares * second.sums**2 + second.squares * first.sums**2
    return replace(
        first,
        sums=ratio(first.sums, second.sums),
        squares=ratio(above, second.sums**4),
    )


def ratio(above: Array, below: Array) -> Array:
    """A quotient that is 0 where one would divide by 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def exact(histogram: Histogram) -> Histogram:
    """A histogram without statistical errors."""
    return replace(histogram, squares=np.zeros_like(histogram.squares))


def with_contents(histogram: Histogram, contents: Array) -> Histogram:
    """A histogram with other contents of its bins, shape (n,), and the same errors."""
    sums = histogram.sums.copy()
    sums[IN_BINS] = contents
    return replace(histogram, sums=sums)


def with_errors(histogram: Histogram, errors: Array) -> Histogram:
    """A histogram with other errors of its bins, shape (n,)."""
    squares = histogram.squares.copy()
    squares[IN_BINS] = np.square(errors)
    return replace(histogram, squares=squares)


def positive_sum(histogram: Histogram) -> float:
    """Sum of the bins that are not negative."""
    contents = histogram.contents
    return float(contents[contents > 0].sum())
