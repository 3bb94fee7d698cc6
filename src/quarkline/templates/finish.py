"""The last steps before pruning: bins left out, and shifts as changes of yield and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from quarkline.catalog import Independent
from quarkline.templates.algebra import with_contents
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.hiding import bins_above
from quarkline.templates.histograms import Array, Histogram
from quarkline.templates.prune import nominal_scale
from quarkline.templates.sets import Shift
from quarkline.templates.split import norm_of, shape_of

PART_OF = "part of "
"""How the reason begins why a systematic is without effect that another one holds, too."""


def dropped_bins(where: Where, drafts: Drafts) -> tuple[int, ...]:
    """Bins, counted from 0, that the region leaves out, by their numbers or for their signal."""
    if not where.region.drop_hidden_bins:
        return tuple(sorted({number - 1 for number in where.region.drop_bins}))
    sums: dict[str, Array] = {}
    for name, draft in drafts.items():
        role = where.sample(name).role
        contents = draft.nominal.contents * nominal_scale(where.catalog, name)
        sums[role] = sums.get(role, np.zeros_like(contents)) + contents
    if "signal" not in sums:
        return ()
    return bins_above(where.catalog.hide, sums["signal"], sums.get("background"))


def drop_bins(drafts: Drafts, dropped: Sequence[int]) -> Drafts:
    """Histograms that are 0 in some bins, counted from 0."""
    if not dropped:
        return drafts
    return {name: _without_bins(draft, dropped) for name, draft in drafts.items()}


def _without_bins(draft: Draft, dropped: Sequence[int]) -> Draft:
    def pair_of(_: str, pair: Pair) -> Pair:
        done = pair.apply(lambda side: emptied(side, dropped))
        if pair.shapes is None:
            return done
        up, down = (emptied(shape, dropped) for shape in pair.shapes)
        return replace(done, shapes=(up, down))

    return replace(draft, nominal=emptied(draft.nominal, dropped)).with_pairs(pair_of)


def emptied(histogram: Histogram, bins: Sequence[int]) -> Histogram:
    """A histogram that is 0 in some bins, counted from 0."""
    inside = [at + 1 for at in bins]
    sums, squares = histogram.sums.copy(), histogram.squares.copy()
    sums[inside] = squares[inside] = 0.0
    return replace(histogram, sums=sums, squares=squares)


def shifts_of(where: Where, sample: str, draft: Draft) -> dict[str, Shift]:
    """What each systematic does to a sample."""
    shifts = {}
    for name, systematic in where.catalog.systematics.items():
        if name in draft.pairs:
            shifts[name] = _shift(draft, draft.pairs[name])
        elif isinstance(systematic, Independent) and name in where.systematics_of(sample):
            shifts[name] = _independent(systematic, draft.nominal)
    return shifts


def _shift(draft: Draft, pair: Pair) -> Shift:
    nominal = draft.nominal
    if pair.stated:
        up, down = pair.stated
        sides = (nominal.scaled(1 + up), nominal.scaled(1 + down))
        return Shift(*sides, None, None, up, down, None, None, shape_kept=False)
    shapes = shape_of(nominal, pair.up), shape_of(nominal, pair.down)
    if pair.shapes and shapes[0] is not None:
        shapes = pair.shapes[0].contents, pair.shapes[1].contents
    return Shift(
        pair.up,
        pair.down,
        pair.filled_up,
        pair.filled_down,
        norm_of(nominal, pair.up),
        norm_of(nominal, pair.down),
        shapes[0],
        shapes[1],
        reason=f"{PART_OF}`{pair.merged}`" if pair.merged else "",
    )


def _independent(systematic: Independent, nominal: Histogram) -> Shift:
    """An error of each bin, or the statistical error of the sample."""
    contents = nominal.contents
    if systematic.statistical:
        ups, downs = contents + nominal.errors, contents - nominal.errors
    else:
        ups, downs = contents * (1 + systematic.up), contents * (1 + systematic.down)
    up, down = with_contents(nominal, ups), with_contents(nominal, downs)
    return Shift(up, down, None, None, 0.0, 0.0, ups, downs)
