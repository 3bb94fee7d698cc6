"""Filled histograms of one region in the bins of the fit, as drafts of its templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from quarkline.catalog import Automatic, Edges, Normalisation, Varied
from quarkline.engine.core.findings import Finding, InputError, Rule, Severity
from quarkline.templates.algebra import added, scaled
from quarkline.templates.automatic import automatic_edges
from quarkline.templates.binning import edges_between, fold_flow, merge_groups, merge_to_edges
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.histograms import Array, Histogram
from quarkline.templates.reference import less_reference, relative_to_reference

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
BETWEEN = Rule(
    "QL-TEMPLATE-010",
    "new edges are edges of the filled bins",
    "A filled bin is not divided: it goes where its centre lies, so the merged bins have other "
    "edges than they claim. Choose edges of the filled histogram, or fill finer bins.",
    Severity.WARNING,
)

Fills = Mapping[tuple[str, str, str], Histogram]
"""Filled histograms by sample, region and variation."""
Binned = Callable[[str, str], Histogram]
"""The histogram of a sample and a variation in the bins of the fit."""


def read_region(where: Where, fills: Fills) -> Drafts:
    """Drafts of all samples in a region; none if it has no sample that may be seen.

    Raises:
        InputError: If a histogram is missing, or bins cannot be found.
    """
    samples = [
        name
        for name in where.catalog.samples
        if where.catalog.holds(name, where.name) and not where.catalog.hides(name, where.name)
    ]
    lost = [
        (name, variation)
        for name in samples
        for variation in _variations(where, name)
        if (name, where.name, variation) not in fills
    ]
    if lost:
        raise InputError(*(_missing(where, *what) for what in lost))
    if not samples:
        return {}
    merge = _merging(where, samples, fills)
    binned = {
        (name, variation): merge(fills[name, where.name, variation])
        for name in samples
        for variation in _variations(where, name)
    }
    return {name: _draft(where, name, lambda *key: binned[key]) for name in samples}


def _variations(where: Where, sample: str) -> Iterator[str]:
    """Histograms that a sample needs: the nominal one, and sides that are filled."""
    yield ""
    for name, systematic in where.systematics_of(sample).items():
        if isinstance(systematic, Varied) and sample not in systematic.without_effect_on:
            for side, variation in systematic.sides.items():
                if not variation.sample:
                    yield f"{name}:{side}"
    yield from _as_reference(where, sample)


def _as_reference(where: Where, sample: str) -> Iterator[str]:
    """Sides that data need since others subtract them."""
    if where.sample(sample).role != "data":
        return
    for name, systematic in where.catalog.systematics.items():
        if not isinstance(systematic, Varied) or not systematic.subtract_reference:
            continue
        if systematic.reference == sample:
            yield from (f"{name}:{side}" for side in systematic.sides)


def _missing(where: Where, sample: str, variation: str) -> Finding:
    what = f"`{variation}` of `{sample}`" if variation else f"`{sample}`"
    message = f"{what} has no histogram in `{where.name}`"
    evidence = {"sample": sample, "region": where.name, "variation": variation}
    return MISSING.finding(message, suggestion="fill the histograms again", evidence=evidence)


def _merging(where: Where, samples: list[str], fills: Fills) -> Callable[[Histogram], Histogram]:
    """What makes the bins of the fit of filled ones."""
    catalog, region = where.catalog, where.region
    folds = catalog.templates.merge_flow
    folds = catalog.reads == "ntuples" if folds is None else folds
    fold = fold_flow if folds else _as_it_is
    edges: Array | None = None
    if isinstance(region.binning, Automatic):
        edges = _automatic(where, region.binning, samples, fills, fold)
    elif isinstance(region.binning, Edges) and catalog.reads == "histograms":
        edges = np.asarray(region.binning.edges, float)
        _say_between(where, fills[samples[0], where.name, ""].edges, edges)

    def merge(histogram: Histogram) -> Histogram:
        merged = fold(histogram)
        if edges is not None:
            merged = fold(merge_to_edges(merged, edges))
        if isinstance(region.merge, int):
            merged = merge_groups(merged, region.merge)
        elif region.merge:
            merged = merge_to_edges(merged, np.asarray(region.merge, float))
        return merged

    if isinstance(region.merge, list):
        inner = edges if edges is not None else fills[samples[0], where.name, ""].edges
        _say_between(where, inner, np.asarray(region.merge, float))
    return merge


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
            sums[role] = added(sums[role], part) if role in sums else part
    absent = [role for role in ("signal", "background") if role not in sums]
    if absent:
        message = f"`{where.name}` has no {' and no '.join(absent)} to find its bins from"
        raise InputError(NO_SUMS.finding(message, suggestion=f"set `regions.{where.name}.binning`"))
    return automatic_edges(binning.rule, binning.parameters, sums["signal"], sums["background"])


def _say_between(where: Where, fine: Array, edges: Array) -> None:
    between = edges_between(fine, edges.tolist())
    if between:
        listed = ", ".join(f"{edge:g}" for edge in between)
        message = f"`{where.name}` is to have edges within filled bins: {listed}"
        evidence = {"region": where.name, "edges": between}
        where.found.append(BETWEEN.finding(message, evidence=evidence))


def _draft(where: Where, sample: str, binned: Binned) -> Draft:
    filled = binned(sample, "")
    pairs: dict[str, Pair] = {}
    for name, systematic in where.systematics_of(sample).items():
        if isinstance(systematic, Normalisation):
            stated = (systematic.up, systematic.down)
            up, down = (scaled(filled, 1 + change) for change in stated)
            pairs[name] = Pair(up, down, up, down, stated)
        elif isinstance(systematic, Varied):
            up, down = (_side(where, sample, name, side, binned) for side in ("up", "down"))
            pairs[name] = Pair(up, down, up, down)
    factor = where.sample(sample).mc_statistics_scale
    nominal = replace(filled, squares=filled.squares * factor**2)
    return Draft(nominal, filled, pairs)


def _side(where: Where, sample: str, name: str, side: str, binned: Binned) -> Histogram:
    """One side as it was filled, or relative to a reference; the nominal one if it has none."""
    systematic = where.varied(name)
    nominal = binned(sample, "")
    variation = systematic.sides.get(side) if systematic else None
    if systematic is None or variation is None or variation.sample:
        return nominal
    if sample in systematic.without_effect_on:
        return nominal
    filled = binned(sample, f"{name}:{side}")
    reference = systematic.reference
    if reference is None or (reference == sample and systematic.subtract_reference):
        return filled
    try:
        if systematic.subtract_reference:
            theirs = binned(reference, f"{name}:{side}")
            return less_reference(filled, nominal, binned(reference, ""), theirs)
        keep = systematic.keep_reference_norm
        return relative_to_reference(filled, nominal, binned(reference, ""), keep_norm=keep)
    except KeyError:
        raise InputError(_missing(where, reference, f"{name}:{side}")) from None
