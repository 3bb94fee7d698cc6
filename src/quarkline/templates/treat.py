"""Smoothing of nominal histograms, and smoothing and symmetrising of variations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from quarkline.catalog import Varied
from quarkline.engine.core.findings import Rule, Severity
from quarkline.templates.algebra import ratio, with_contents, with_errors
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.empty import checked
from quarkline.templates.histograms import Array, Histogram
from quarkline.templates.smooth import smoothed
from quarkline.templates.symmetrise import Sides, bins_on_one_side, scaled_shift, symmetrised
from quarkline.templates.tukey import smooth_353qh

ONE_SIDE = Rule(
    "QL-TEMPLATE-005",
    "up and down lie on opposite sides",
    "Both sides of a systematic that is symmetrised shift the same bin the same way by more than "
    "its statistical error. Half of their difference is not half of their distance: look at the "
    "control figure, and use one side if the other one is not to be trusted.",
    Severity.WARNING,
)

PASSES = 5
"""Most times a nominal histogram is smoothed."""
SIGMAS = 2.0
"""Largest change of a bin of a nominal histogram, in its errors."""
LEAST = 1e-6
"""Least content of a bin of a smoothed nominal histogram."""
LARGEST = 0.99
"""Relative shift to which variations of a smoothed nominal histogram are cut from 1 on."""
OFFSET = 100.0
"""Added to relative shifts before they are smoothed."""


def smooth_nominal(where: Where, name: str, draft: Draft) -> Draft:
    """A sample with its nominal histogram smoothed, if it and the region ask for that."""
    if not where.sample(name).smooth or not where.region.smooth:
        return draft
    if where.catalog.templates.smoothing_rule.upper() == "TTBARRESONANCE":
        contents = smooth_353qh(draft.nominal.contents, 2)
        factor = draft.nominal.integral / contents.sum() if contents.sum() else 1.0
        nominal = with_contents(draft.nominal, contents * factor)
    else:
        nominal = smoothed_nominal(draft.nominal)
    smooth = replace(draft, nominal=nominal)
    return smooth.with_pairs(lambda _, pair: pair.apply(_above_nothing))


def _above_nothing(side: Histogram) -> Histogram:
    """A variation without empty bins; it is not smoothed with the nominal histogram."""
    contents = np.maximum(side.contents, LEAST)
    return with_contents(side, contents * (side.integral / contents.sum()))


def smoothed_nominal(nominal: Histogram) -> Histogram:
    """A histogram after up to five passes of 353QH that move no bin by more than two errors.

    The sum stays, and so does its error, which is shared out as the roots of the contents.
    """
    contents, errors = nominal.contents, nominal.errors
    for _ in range(PASSES):
        moved = smooth_353qh(contents)
        allowed = np.abs(moved - contents) <= SIGMAS * errors
        contents = np.maximum(np.where(allowed, moved, contents), LEAST)
        if not allowed.any():
            break
    total = nominal.integral
    if contents.sum() > 0:
        contents = contents * (total / contents.sum())
    error = np.sqrt(nominal.squares[1:-1].sum())
    shared = error * np.sqrt(np.maximum(contents, 0) / total) if total > 0 else errors
    return with_errors(with_contents(nominal, contents), shared)


def treat_variations(where: Where, drafts: Drafts) -> Drafts:
    """All variations smoothed and symmetrised, or after those of a reference sample."""

    def of(sample: str, draft: Draft) -> Draft:
        return draft.with_pairs(lambda name, pair: _treated(where, sample, name, draft, pair))

    treated = {sample: of(sample, draft) for sample, draft in drafts.items()}
    return {
        sample: _as_references(where, sample, draft, treated) for sample, draft in treated.items()
    }


def _treated(where: Where, sample: str, name: str, draft: Draft, pair: Pair) -> Pair:
    systematic = where.varied(name)
    if systematic is None:
        return pair
    nominal = draft.nominal
    factors = [factor_of(systematic, side, where.name, sample) for side in ("up", "down")]
    smoothed_here = systematic.smoothing and where.region.smooth
    if not smoothed_here and systematic.symmetrise is None:
        up, down = (
            scaled_shift(nominal, side, factor)
            for side, factor in zip((pair.up, pair.down), factors, strict=True)
        )
        return replace(pair, up=up, down=down)
    if systematic.symmetrise == "two-sided":
        _say_one_side(where, sample, name, nominal, pair)
    up, down = _smooth_and_symmetric(where, systematic, nominal, (pair.up, pair.down), factors)
    done = replace(pair, up=up, down=down)
    if systematic.smooth_before and systematic.symmetrise == "two-sided":
        done = done.apply(lambda side: _shift_smoothed(nominal, side))
    if where.sample(sample).smooth:
        done = done.apply(lambda side: _below_nominal(nominal, side))
    if where.catalog.templates.symmetric_shapes:
        sides = (scaled_to(nominal, pair.up), scaled_to(nominal, pair.down))
        shapes = _smooth_and_symmetric(where, systematic, nominal, sides, (1.0, 1.0))
        done = replace(done, shapes=shapes)
    return checked(where, sample, name, nominal, done)


def _smooth_and_symmetric(
    where: Where,
    systematic: Varied,
    nominal: Histogram,
    sides: Sides,
    factors: Sequence[float],
) -> Sides:
    """Both sides smoothed and symmetrised, with their shifts multiplied."""
    smoothing = (systematic.smoothing or 0) if where.region.smooth else 0
    rule = systematic.smoothing_rule or where.catalog.templates.smoothing_rule
    if systematic.symmetrise == "one-sided":
        up, down = (smoothed(rule, smoothing, nominal, side) for side in sides)
        up, down = scaled_shift(nominal, up, factors[0]), scaled_shift(nominal, down, factors[1])
        return symmetrised("one-sided", nominal, up, down)
    up, down = (
        scaled_shift(nominal, side, factor) for side, factor in zip(sides, factors, strict=True)
    )
    up, down = symmetrised(systematic.symmetrise, nominal, up, down)
    return smoothed(rule, smoothing, nominal, up), smoothed(rule, smoothing, nominal, down)


def scaled_to(nominal: Histogram, side: Histogram) -> Histogram:
    """A side with the sum of the nominal histogram, if it has one."""
    total = side.integral
    return side.scaled(nominal.integral / total) if abs(total) > LEAST else side


def factor_of(systematic: Varied, side: str, region: str, sample: str) -> float:
    """What the shift of a side is multiplied with in a region, for a sample."""
    variation = systematic.sides.get(side)
    factor = 1.0
    for scale in variation.scales if variation else ():
        what, colon, number = scale.rpartition(":")
        if not colon or what.strip() in {region, sample}:
            factor *= float(number)
    return factor


def _say_one_side(where: Where, sample: str, name: str, nominal: Histogram, pair: Pair) -> None:
    bins = [at + 1 for at in bins_on_one_side(nominal, pair.up, pair.down)]
    if bins:
        what = f"`{name}` shifts `{sample}` in `{where.name}` the same way up and down"
        message = f"{what} in bin{'s' * (len(bins) > 1)} {', '.join(map(str, bins))}"
        evidence = {"sample": sample, "region": where.name, "systematic": name, "bins": bins}
        where.found.append(ONE_SIDE.finding(message, evidence=evidence))


def _shift_smoothed(nominal: Histogram, side: Histogram) -> Histogram:
    """A side whose relative shift went through 353QH once; its sum stays."""
    shifts = smooth_353qh(ratio(side.contents - nominal.contents, nominal.contents) + OFFSET)
    contents = nominal.contents * (1 + shifts - OFFSET)
    total = contents.sum()
    return with_contents(side, contents * (side.integral / total) if total else contents)


def _below_nominal(nominal: Histogram, side: Histogram) -> Histogram:
    """A side whose relative shifts are all below 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shifts: Array = side.contents / nominal.contents - 1
    cut = np.where(shifts >= 1, 1 + LARGEST, np.where(shifts <= -1, 1 - LARGEST, np.nan))
    return with_contents(side, np.where(np.isnan(cut), side.contents, cut * nominal.contents))


def _as_references(where: Where, sample: str, draft: Draft, treated: Drafts) -> Draft:
    """A sample with the relative variations of the sample that `reference_smoothing` names."""

    def pair_of(name: str, pair: Pair) -> Pair:
        systematic = where.varied(name)
        chosen = systematic.reference_smoothing if systematic else None
        reference = treated.get(chosen or "")
        if chosen == sample or reference is None or name not in reference.pairs:
            return pair
        theirs = reference.pairs[name]
        up, down = (
            _with_ratio(draft.nominal, side, reference.nominal) for side in (theirs.up, theirs.down)
        )
        return replace(pair, up=up, down=down)

    return draft.with_pairs(pair_of)


def _with_ratio(nominal: Histogram, side: Histogram, reference: Histogram) -> Histogram:
    """A nominal histogram with the relative shift of a reference; none where that is empty."""
    known = reference.contents != 0
    factors = np.where(known, ratio(side.contents, reference.contents), 1.0)
    return with_contents(nominal, nominal.contents * factors)
