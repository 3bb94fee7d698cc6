"""Variations that other samples give: relative to a reference sample, or as samples themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quarkline.catalog import Varied
from quarkline.catalog.names import selects
from quarkline.templates.algebra import added, divided, exact, multiplied
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.histograms import Histogram

TINY = 1e-6
"""What bins are raised to before they are divided."""
NOTABLE = 1e-4
"""Relative change of a yield from which on it is kept."""


def relative_to_reference(
    side: Histogram, nominal: Histogram, reference: Histogram, *, keep_norm: bool
) -> Histogram:
    """A variation of the reference sample as one of another sample.

    Args:
        side: The variation, of the events of the reference sample.
        nominal: Nominal histogram of the other sample.
        reference: Nominal histogram of the reference sample.
        keep_norm: Whether the yield changes by the same factor, too, and not only each bin.
    """
    reference, side = _raised(reference), _raised(side)
    sums = np.where(reference.sums <= TINY, TINY, side.sums)  # no bin becomes a million times more
    side = replace(side, sums=sums)
    change = float(side.sums.sum() / reference.sums.sum())
    taken = multiplied(divided(side, exact(reference)), exact(nominal))
    total = float(nominal.sums.sum())
    now = float(taken.sums.sum()) / total if total else 1.0
    if keep_norm and abs(change - 1) > NOTABLE and abs(now - 1) > NOTABLE:
        return taken.scaled(change / now)
    return taken


def less_reference(
    side: Histogram, nominal: Histogram, reference: Histogram, reference_side: Histogram
) -> Histogram:
    """A variation less the relative shift of the reference sample: v + n - n r' / r."""
    reference, side = _raised(reference), _raised(side)
    side = replace(side, sums=np.where(reference.sums <= TINY, TINY, side.sums))
    shift = multiplied(divided(exact(reference_side), exact(reference)), exact(nominal))
    return added(added(side, exact(nominal)), shift, -1)


def _raised(histogram: Histogram) -> Histogram:
    return replace(histogram, sums=np.maximum(histogram.sums, TINY))


def take_samples_as_sides(where: Where, name: str, draft: Draft, drafts: Drafts) -> Draft:
    """A sample whose systematics have sides that are other samples."""

    def taken(key: str, pair: Pair) -> Pair:
        systematic = where.varied(key)
        if systematic is None or not any(side.sample for side in systematic.sides.values()):
            return pair
        if selects(systematic.without_effect_on, name):
            return replace(pair, up=draft.nominal, down=draft.nominal)
        up, down = (_sample_side(systematic, side, draft, drafts) for side in ("up", "down"))
        return replace(pair, up=up, down=down)

    return draft.with_pairs(taken)


def _sample_side(systematic: Varied, side: str, draft: Draft, drafts: Drafts) -> Histogram:
    variation = systematic.sides.get(side)
    if variation is None or not variation.sample or variation.sample not in drafts:
        return draft.nominal
    histogram = drafts[variation.sample].nominal
    reference = drafts.get(systematic.reference or "")
    if reference is None:
        return histogram
    return multiplied(divided(histogram, reference.nominal), draft.nominal)
