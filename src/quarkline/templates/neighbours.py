"""Smoothing that reaches from one region to another: regions that stand for bins of a third one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from quarkline.engine.core.findings import InputError
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.refusals import not_done
from quarkline.templates.symmetrise import distance


def keep_for_others(where: Where, drafts: Drafts) -> Drafts:
    """Leave the drafts as they are, and keep them for regions that stand for bins of this one."""
    regions = where.catalog.regions.values()
    if any(one.bin_of and one.bin_of.region == where.name for one in regions):
        where.treated[where.name] = drafts
    return drafts


def scale_as_bin(where: Where, drafts: Drafts) -> Drafts:
    """Variations scaled as the treatment of another region changed the bin they stand for.

    A side is multiplied by what the bin of the same side became over what it was filled with. Of a
    systematic that has one side, the side that is mirrored away stays.

    Raises:
        InputError: If the other region has no such bin.
    """
    chosen = where.region.bin_of
    if chosen is None:
        return drafts
    theirs = where.treated.get(chosen.region, {})
    bins = min((len(draft.nominal.contents) for draft in theirs.values()), default=chosen.bin)
    if chosen.bin > bins:
        message = f"region `{where.name}` is bin {chosen.bin} of `{chosen.region}`, of {bins} bins"
        raise InputError(not_done(message, "regions", where.name, "bin_of"))

    def of(sample: str, draft: Draft) -> Draft:
        others = theirs[sample].pairs if sample in theirs else {}
        return draft.with_pairs(lambda name, pair: _scaled(where, name, draft, pair, others))

    return {sample: of(sample, draft) for sample, draft in drafts.items()}


def _scaled(where: Where, name: str, draft: Draft, pair: Pair, others: Mapping[str, Pair]) -> Pair:
    chosen, systematic = where.region.bin_of, where.varied(name)
    if chosen is None or systematic is None or name not in others:
        return pair
    up, down = _factors(others[name], chosen.bin - 1)
    if systematic.symmetrise == "one-sided":
        by_up = distance(draft.nominal, pair.up) >= distance(draft.nominal, pair.down)
        up, down = (up, 1.0) if by_up else (1.0, down)
    return replace(pair, up=pair.up.scaled(up), down=pair.down.scaled(down))


def _factors(pair: Pair, at: int) -> tuple[float, float]:
    """Content of a bin over what was filled into it, up and down; 1 if that was nothing."""
    sides = ((pair.up, pair.filled_up), (pair.down, pair.filled_down))
    up, down = (
        float(side.contents[at] / filled.contents[at]) if filled.contents[at] else 1.0
        for side, filled in sides
    )
    return up, down
