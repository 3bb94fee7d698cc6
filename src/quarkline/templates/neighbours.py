"""Smoothing that reaches from one region to another: regions that stand for bins of a third one."""

from __future__ import annotations

from dataclasses import replace

from quarkline.engine.core.findings import InputError
from quarkline.templates.drafts import Drafts, Pair, Where
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
    """
    chosen = where.region.bin_of
    if chosen is None:
        return drafts
    theirs, at = where.treated.get(chosen.region, {}), chosen.bin - 1
    bins = min((len(draft.nominal.contents) for draft in theirs.values()), default=chosen.bin)
    if chosen.bin > bins:
        message = f"region `{where.name}` is bin {chosen.bin} of `{chosen.region}`, of {bins} bins"
        raise InputError(not_done(message, "regions", where.name, "bin_of"))
    scaled = {}
    for sample, draft in drafts.items():
        pairs = dict(draft.pairs)
        for name, pair in draft.pairs.items():
            other = theirs[sample].pairs.get(name) if sample in theirs else None
            systematic = where.varied(name)
            if other is None or systematic is None:
                continue
            up, down = _factors(other, at)
            if systematic.symmetrise == "one-sided":
                nominal = draft.nominal
                by_up = distance(nominal, pair.up) >= distance(nominal, pair.down)
                up, down = (up, 1.0) if by_up else (1.0, down)
            pairs[name] = replace(pair, up=pair.up.scaled(up), down=pair.down.scaled(down))
        scaled[sample] = replace(draft, pairs=pairs)
    return scaled


def _factors(pair: Pair, at: int) -> tuple[float, float]:
    """Content of a bin over what was filled into it, up and down; 1 if that was nothing."""
    sides = ((pair.up, pair.filled_up), (pair.down, pair.filled_down))
    up, down = (
        float(side.contents[at] / filled.contents[at]) if filled.contents[at] else 1.0
        for side, filled in sides
    )
    return up, down
