"""Edges found from how much signal and background the fine bins hold.

The rules are those of TRExFitter's `Binning: "AutoBin"`: fine bins are joined from the right until
their bin is full, and what is left over at the left end may join its neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log1p, sqrt

import numpy as np

from quarkline.templates.histograms import Array, Histogram

BACKGROUND_ERROR = 0.10
"""Largest relative statistical error of the background of a bin of TransfoF."""
ROUNDING = 0.01
"""What the number of bins may exceed the sum of the parameters of TransfoD by."""
NEVER = 1e5
"""Background that ends a bin of TransfoJ before its second part has begun."""


@dataclass(frozen=True)
class _Joined:
    """Fine bins that have been joined.

    Attributes:
        signal: Their signal.
        background: Their background.
        separation: Sum over them of s ln(1 + s / b).
        variance: Of the background.
    """

    signal: float = 0.0
    background: float = 0.0
    separation: float = 0.0
    variance: float = 0.0

    def and_fine(self, signal: float, background: float, variance: float) -> _Joined:
        gain = signal * log1p(signal / background) if signal > 0 and background > 0 else 0.0
        return _Joined(
            self.signal + signal,
            self.background + background,
            self.separation + gain,
            self.variance + variance,
        )


Full = Callable[[_Joined, int], tuple[bool, float]]
"""Whether joined bins are full, from the number of fine bins left of them and the last of them
together; and how far they are from just full."""


def automatic_edges(
    rule: str, parameters: Sequence[float], signal: Histogram, background: Histogram
) -> Array:
    """Edges of merged bins.

    Args:
        rule: "TransfoD", "TransfoF" or "TransfoJ".
        parameters: Shares of signal and background of the first two, which sum to about the number
            of bins; the three numbers of TransfoJ.
        signal: Sum of all signal samples, in fine bins.
        background: Sum of all backgrounds, in the same bins.
    """
    full = RULES[rule](parameters, signal, background)
    columns = (signal.contents, background.contents, background.squares[1:-1])
    fine = list(zip(*(column.tolist() for column in columns), strict=True))
    starts: list[int] = []
    while (end := starts[-1] if starts else len(fine)) > 0:
        starts.append(_start(fine, end, full))
    if len(starts) > 1 and _joins_neighbour(rule, parameters, len(starts)):
        del starts[-2]
    edges = background.edges
    return np.asarray([*(edges[start] for start in reversed(starts)), edges[-1]])


def _joins_neighbour(rule: str, parameters: Sequence[float], bins: int) -> bool:
    """Whether the bin at the left end, which is often not full, joins the next one."""
    return rule == "TransfoF" or (rule == "TransfoD" and bins > sum(parameters[:2]) + ROUNDING)


def _start(fine: Sequence[tuple[float, float, float]], end: int, full: Full) -> int:
    """First fine bin of the bin that ends before `end`."""
    joined, before = _Joined(), inf
    for start in range(end - 1, -1, -1):
        joined = joined.and_fine(*fine[start])
        passed, distance = full(joined, start + 1)
        if passed:
            return start + 1 if distance > before else start
        before = distance
    return 0


def _transfo_d(parameters: Sequence[float], signal: Histogram, background: Histogram) -> Full:
    """Full where 1 / (z_b b / B + z_s s / S) falls below 1, at the edge where it is closer to 1."""
    of_signal, of_background = _fills(parameters, signal, background)

    def full(joined: _Joined, _: int) -> tuple[bool, float]:
        if joined.signal == 0 and joined.background == 0:
            return False, 0.0
        filled = joined.background * of_background + joined.signal * of_signal
        quotient = 1 / filled if filled else inf
        return 0 <= quotient < 1, abs(quotient - 1)

    return full


def _transfo_f(parameters: Sequence[float], signal: Histogram, background: Histogram) -> Full:
    """Full where sqrt(z_b b / B) + sqrt(z_s sum s ln(1 + s / b)) exceeds 1, and b is known well."""
    _, of_background = _fills(parameters, signal, background)

    def full(joined: _Joined, _: int) -> tuple[bool, float]:
        if joined.background <= 0:
            return False, inf
        part = max(joined.background * of_background, 0.0)
        filled = sqrt(part) + sqrt(joined.separation * parameters[0])
        error = sqrt(joined.variance) / joined.background
        return filled > 1 and error < BACKGROUND_ERROR, inf

    return full


def _transfo_j(parameters: Sequence[float], signal: Histogram, background: Histogram) -> Full:
    """Full from so much background on, then in equal parts of what is left.

    The first part ends at the bin whose s / b falls below `parameters[1]` times S / B; until then
    the background that is needed, `parameters[0]`, grows by 1 with each bin. The rest has about
    `parameters[2]` bins.
    """
    goal, enough, parts = parameters[:3]
    mean = signal.integral / background.integral if background.integral else 0.0
    left = NEVER
    first_part = True

    def full(joined: _Joined, remaining: int) -> tuple[bool, float]:
        nonlocal goal, left, first_part
        passed = joined.background > (goal if first_part else left)
        if passed and first_part:
            if joined.signal / joined.background < enough * mean:
                first_part = False
                left = float(background.sums[: remaining + 1].sum()) / parts
            else:
                goal += 1
        return passed, inf

    return full


def _fills(
    parameters: Sequence[float], signal: Histogram, background: Histogram
) -> tuple[float, float]:
    """What an event of signal, and one of background, adds to how full a bin is."""
    sums = (signal.integral, background.integral)
    shares = [
        share / total if total else 0.0 for share, total in zip(parameters, sums, strict=False)
    ]
    return shares[0], shares[1]


RULES: dict[str, Callable[[Sequence[float], Histogram, Histogram], Full]] = {
    "TransfoD": _transfo_d,
    "TransfoF": _transfo_f,
    "TransfoJ": _transfo_j,
}
