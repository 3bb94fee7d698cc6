"""Systematics that keep the yield or the shape, by order of the analysis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from quarkline.catalog.names import selects
from quarkline.templates.algebra import (
    divided,
    multiplied,
    positive_sum,
    with_contents,
)
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.histograms import Array, Histogram

NONE = 1e-6
"""Sums below this are none."""


def drops(patterns: list[str], region: str, sample: str) -> bool:
    """Whether a list of regions and samples means this one; `all` means every one."""
    return selects(patterns, region) or selects(patterns, sample)


def drop_norms(where: Where, drafts: Drafts) -> Drafts:
    """Variations scaled to the nominal yield where `drop_norm` says so."""
    return _changed(where, drafts, "drop_norm", without_norm)


def drop_shapes(where: Where, drafts: Drafts) -> Drafts:
    """Nominal shapes with the yields of the variations where `drop_shape` says so."""
    return _changed(where, drafts, "drop_shape", without_shape)


def without_norm(nominal: Histogram, side: Histogram) -> Histogram:
    """A variation with the nominal yield; negative bins do not count."""
    total = positive_sum(side)
    return side.scaled(positive_sum(nominal) / total) if total > NONE else side


def without_shape(nominal: Histogram, side: Histogram) -> Histogram:
    """The nominal shape with the yield of a variation; negative bins do not count."""
    total, own = positive_sum(nominal), positive_sum(side)
    return nominal.scaled(own / total) if total > NONE and own > NONE else side


def _changed(
    where: Where,
    drafts: Drafts,
    key: str,
    change: Callable[[Histogram, Histogram], Histogram],
) -> Drafts:
    def of(sample: str, draft: Draft) -> Draft:
        def pair_of(name: str, pair: Pair) -> Pair:
            systematic = where.varied(name)
            if systematic is None or not drops(getattr(systematic, key), where.name, sample):
                return pair
            return pair.apply(lambda side: change(draft.nominal, side))

        return draft.with_pairs(pair_of)

    return {sample: of(sample, draft) for sample, draft in drafts.items()}


def keep_norms(where: Where, drafts: Drafts) -> Drafts:
    """Variations whose yield stays in groups of samples, as `keep_norm_for` lists them.

    A group is `sample+sample`: its yield stays as a whole.
    """
    for name in where.catalog.systematics:
        systematic = where.varied(name)
        for group in systematic.keep_norm_for if systematic else ():
            members = [part.strip() for part in group.split("+")]
            drafts = _group_kept(drafts, name, members)
    return drafts


def _group_kept(drafts: Drafts, name: str, members: list[str]) -> Drafts:
    inside = {key: drafts[key] for key in members if key in drafts and name in drafts[key].pairs}
    nominal = sum(draft.nominal.integral for draft in inside.values())
    ups = sum(draft.pairs[name].up.integral for draft in inside.values())
    downs = sum(draft.pairs[name].down.integral for draft in inside.values())
    if not ups or not downs:
        return drafts
    changed = dict(drafts)
    for key, draft in inside.items():
        pair = draft.pairs[name]
        pair = replace(
            pair, up=pair.up.scaled(nominal / ups), down=pair.down.scaled(nominal / downs)
        )
        changed[key] = replace(draft, pairs={**draft.pairs, name: pair})
    return changed


def take_over(where: Where, drafts: Drafts) -> Drafts:
    """Samples with the relative variations of another one, as `systematics_from` says."""
    taken = dict(drafts)
    for sample, draft in drafts.items():
        source = taken.get(where.sample(sample).systematics_from or "")
        if source is None:
            continue
        pairs = dict(draft.pairs)
        for name, pair in source.pairs.items():
            sides = [
                multiplied(divided(side, source.nominal), draft.nominal)
                for side in (pair.up, pair.down)
            ]
            pairs[name] = Pair(sides[0], sides[1], sides[0], sides[1], pair.stated)
        taken[sample] = replace(draft, pairs=pairs)
    return taken


def force_shapes(where: Where, drafts: Drafts) -> Drafts:
    """Variations whose shift has a slope by order, mirrored for the other side."""

    def of(draft: Draft) -> Draft:
        def pair_of(name: str, pair: Pair) -> Pair:
            systematic = where.varied(name)
            if systematic is None or systematic.force_shape == "none":
                return pair
            factors = forced_slope(systematic.force_shape, len(draft.nominal.contents))
            shift = (pair.up.contents - draft.nominal.contents) * factors
            up = with_contents(pair.up, draft.nominal.contents + shift)
            return replace(
                pair, up=up, down=with_contents(pair.down, draft.nominal.contents - shift)
            )

        return draft.with_pairs(pair_of)

    return {sample: of(draft) for sample, draft in drafts.items()}


def forced_slope(kind: str, bins: int) -> Array:
    """Factors of the shift of each bin.

    Args:
        kind: "linear" falls from 1 to -1; "triangular" rises from 0 in the first bin and falls to 0
            in the last one. In an odd number of bins it is 1 in the middle and falls by one step
            more on the right, below 0, as it does in TRExFitter.
        bins: Number of bins.
    """
    at = np.arange(bins, dtype=float)
    if kind == "linear":
        return 1 - 2 * at / (bins - 1) if bins > 1 else np.ones(bins)
    half = bins // 2
    if bins <= 2:
        return np.ones(bins)
    falling = 1 - (at + 1 - half) / half
    factors = np.where(at < half, at / half, falling)
    if bins % 2:
        factors[half] = 1.0
    return np.asarray(factors)
