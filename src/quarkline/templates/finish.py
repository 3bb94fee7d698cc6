"""The last steps before pruning: bins left out, and shifts as changes of yield and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from quarkline.catalog import Independent
from quarkline.templates.algebra import with_contents
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.histograms import Histogram
from quarkline.templates.sets import Shift
from quarkline.templates.split import norm_of, shape_of

PART_OF = "part of "
"""How the reason begins why a systematic is without effect that another one holds, too."""


def drop_bins(where: Where, drafts: Drafts) -> Drafts:
    """Histograms that are 0 in the bins that the region leaves out."""
    if not where.region.drop_bins:
        return drafts
    dropped = [number - 1 for number in where.region.drop_bins]
    return {
        name: replace(draft, nominal=emptied(draft.nominal, dropped)).with_pairs(
            lambda _, pair: pair.apply(lambda side: emptied(side, dropped))
        )
        for name, draft in drafts.items()
    }


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
    return Shift(
        pair.up,
        pair.down,
        pair.filled_up,
        pair.filled_down,
        norm_of(nominal, pair.up),
        norm_of(nominal, pair.down),
        shape_of(nominal, pair.up),
        shape_of(nominal, pair.down),
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
