"""Filled histograms of one region in the bins of the fit, as drafts of its templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from quarkline.catalog import Automatic, Normalisation, Varied
from quarkline.catalog.names import selects
from quarkline.engine.core.findings import Finding, InputError, Rule, Severity
from quarkline.templates.automatic import automatic_edges
from quarkline.templates.binning import BETWEEN, fold_flow, merge_groups
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.histograms import Array, Histogram
from quarkline.templates.reference import less_reference, relative_to_reference
from quarkline.templates.sets import RegionTemplates

MISSING = Rule(
    "QL-TEMPLATE-008",
    "every histogram of a template is there",
    "A sample or a side of a systematic has no histogram in a region, although the analysis has "
    "both. Fill the histograms again: those at hand are of another analysis.",
)
NO_SUMS = Rule(
    "QL-TEMPLATE-009",
    "bins that are found need signal and background",
    "Bins are found from how much signal and background they hold, and one of both has no events "
    "in the region. Give edges.",
)

Fills = Mapping[tuple[str, str, str], Histogram]
"""Filled histograms by sample, region and variation."""
Binned = Mapping[tuple[str, str], Histogram]
"""Histograms in the bins of the fit, by sample and variation."""


def read_region(where: Where, fills: Fills) -> Drafts:
    """Drafts of all samples in a region; none if it has no sample that may be seen.

    A systematic with a side that is not filled is left out of its sample, which is told.

    Raises:
        InputError: If a nominal histogram is missing, or bins cannot be found.
    """
    samples = _seen(where, fills)
    absent = [name for name in samples if (name, where.name, "") not in fills]
    if absent:
        raise InputError(*(_missing(where, name) for name in absent))
    if not samples:
        return {}
    merge = _merging(where, samples, fills)
    binned = {
        (name, variation): merge(fills[name, where.name, variation])
        for name in samples
        for variation in _variations(where)
        if (name, where.name, variation) in fills
    }
    return {name: _draft(where, name, binned) for name in samples}


def _seen(where: Where, fills: Fills) -> list[str]:
    """The samples in a region, without data that are hidden and were not filled."""
    catalog = where.catalog
    return [
        name
        for name in catalog.samples
        if catalog.holds(name, where.name)
        and ((name, where.name, "") in fills or not catalog.hides(name, where.name))
    ]


def _variations(where: Where) -> Iterator[str]:
    """The nominal histogram and the sides that others may need of a sample."""
    yield ""
    for name, systematic in where.catalog.systematics.items():
        if isinstance(systematic, Varied):
            yield from (f"{name}:{side}" for side in systematic.sides)


def _missing(where: Where, sample: str, variation: str = "") -> Finding:
    what = f"`{variation}` of `{sample}`" if variation else f"`{sample}`"
    message = f"{what} has no histogram in `{where.name}`"
    evidence = {"sample": sample, "region": where.name, "variation": variation}
    if variation:
        hint, severity = "the systematic is left out of the sample", Severity.WARNING
    else:
        hint, severity = "fill the histograms again", Severity.ERROR
    return MISSING.finding(message, suggestion=hint, evidence=evidence, severity=severity)


def _merging(where: Where, samples: list[str], fills: Fills) -> Callable[[Histogram], Histogram]:
    """What makes the bins of the fit of filled ones."""
    catalog, binning = where.catalog, where.region.binning
    folds = catalog.templates.merge_flow
    folds = catalog.reads == "ntuples" if folds is None else folds
    fold = fold_flow if folds else _as_it_is
    found: Array | None = None
    if isinstance(binning, Automatic):
        found = _automatic(where, binning, samples, fills, fold)

    def merge(histogram: Histogram) -> Histogram:
        merged = fold(histogram)
        return merge_later(where, merged if found is None else merged.merged(found))

    return merge


def merge_later(where: Where, histogram: Histogram) -> Histogram:
    """A histogram after the merging that the region asks for besides its bins.

    Raises:
        InputError: If an edge lies within a bin, or there are not so many bins.
    """
    merge = where.region.merge
    try:
        if isinstance(merge, int):
            return merge_groups(histogram, merge)
        return histogram.merged(np.asarray(merge, float)) if merge else histogram
    except ValueError as error:
        evidence = {"region": where.name, "edges": merge}
        hint = f"change `regions.{where.name}.merge`"
        finding = BETWEEN.finding(f"`{where.name}`: {error}", suggestion=hint, evidence=evidence)
        raise InputError(finding) from error


def _as_it_is(histogram: Histogram) -> Histogram:
    return histogram


def _automatic(
    where: Where,
    binning: Automatic,
    samples: list[str],
    fills: Fills,
    fold: Callable[[Histogram], Histogram],
) -> Array:
    sums: dict[str, Histogram] = {}
    for name in samples:
        role = where.sample(name).role
        if role in {"signal", "background"}:
            part = fold(fills[name, where.name, ""])
            sums[role] = sums[role] + part if role in sums else part
    absent = [role for role in ("signal", "background") if role not in sums]
    if absent:
        message = f"`{where.name}` has no {' and no '.join(absent)} to find its bins from"
        raise InputError(NO_SUMS.finding(message, suggestion=f"set `regions.{where.name}.binning`"))
    return automatic_edges(binning.rule, binning.parameters, sums["signal"], sums["background"])


def _draft(where: Where, sample: str, binned: Binned) -> Draft:
    filled = binned[sample, ""]
    pairs: dict[str, Pair] = {}
    for name, systematic in where.systematics_of(sample).items():
        if isinstance(systematic, Normalisation):
            pairs[name] = stated_pair(filled, systematic)
            continue
        if not isinstance(systematic, Varied):
            continue
        try:
            up, down = (_side(where, sample, name, side, binned) for side in ("up", "down"))
        except KeyError as error:
            where.found.append(_missing(where, *error.args[0]))
        else:
            pairs[name] = Pair(up, down, up, down)
    return Draft(with_scaled_errors(where, sample, filled), filled, pairs)


def drafts_of(where: Where, region: RegionTemplates) -> Drafts:
    """Drafts of all samples in a region as they were filled for other templates.

    A systematic that they do not have is left out of its sample, which is told.
    """

    def merged(histogram: Histogram) -> Histogram:
        return merge_later(where, histogram) if isinstance(where.region.merge, list) else histogram

    drafts = {}
    for name in _ordered(where, region):
        template = region.templates.get(name)
        filled = merged(template.filled if template else region.observed[name])
        pairs: dict[str, Pair] = {}
        for key, systematic in where.systematics_of(name).items():
            shift = template.shifts.get(key) if template else None
            if isinstance(systematic, Normalisation):
                pairs[key] = stated_pair(filled, systematic)
            elif isinstance(systematic, Varied) and shift and shift.filled_up and shift.filled_down:
                up, down = merged(shift.filled_up), merged(shift.filled_down)
                pairs[key] = Pair(up, down, up, down)
            elif isinstance(systematic, Varied):
                where.found.append(_missing(where, name, key))
        drafts[name] = Draft(with_scaled_errors(where, name, filled), filled, pairs)
    return drafts


def _ordered(where: Where, region: RegionTemplates) -> list[str]:
    """The samples of other templates that the analysis has here, in its order.

    Raises:
        InputError: If it has samples that they have not.
    """
    asked = [name for name in where.catalog.samples if where.catalog.holds(name, where.name)]
    known = {*region.templates, *region.observed}
    absent = [name for name in asked if name not in known and where.sample(name).role != "data"]
    if absent:
        raise InputError(*(_missing(where, name) for name in absent))
    return [name for name in asked if name in known]


def stated_pair(filled: Histogram, systematic: Normalisation) -> Pair:
    """The sides of a systematic of the yield alone."""
    up, down = (filled.scaled(1 + change) for change in (systematic.up, systematic.down))
    return Pair(up, down, up, down, (systematic.up, systematic.down))


def with_scaled_errors(where: Where, sample: str, filled: Histogram) -> Histogram:
    """A nominal histogram with its errors times what the sample asks for."""
    factor = where.sample(sample).mc_statistics_scale
    return replace(filled, squares=filled.squares * factor**2)


def _side(where: Where, sample: str, name: str, side: str, binned: Binned) -> Histogram:
    """One side as it was filled, or relative to a reference; the nominal one if it has none.

    Raises:
        KeyError: If a histogram is missing; its argument is the sample and the variation.
    """
    systematic = where.varied(name)
    nominal = binned[sample, ""]
    variation = systematic.sides.get(side) if systematic else None
    if systematic is None or variation is None or variation.sample:
        return nominal
    if selects(systematic.without_effect_on, sample):
        return nominal
    key = f"{name}:{side}"
    filled = binned[sample, key]
    reference = systematic.reference
    if reference is None or (reference == sample and systematic.subtract_reference):
        return filled
    if systematic.subtract_reference:
        return less_reference(filled, nominal, binned[reference, ""], binned[reference, key])
    keep = systematic.keep_reference_norm
    return relative_to_reference(filled, nominal, binned[reference, ""], keep_norm=keep)
