"""Filled histograms become the templates of a fit.

Steps and their order are those of TRExFitter: bins, arithmetic of samples, empty bins, smoothing of
nominal histograms, smoothing and symmetrising of variations, yields that are to stay, combinations,
and pruning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

from quarkline.catalog import Catalog
from quarkline.engine.core.findings import Finding, InputError
from quarkline.templates.arithmetic import combine_samples
from quarkline.templates.combine import combine_variations, merge_parameters
from quarkline.templates.drafts import Drafts, Where
from quarkline.templates.empty import check, fill_empty
from quarkline.templates.fill import HistRequest
from quarkline.templates.finish import drop_bins, dropped_bins, shifts_of
from quarkline.templates.histograms import Histogram
from quarkline.templates.neighbours import keep_for_others, scale_as_bin
from quarkline.templates.norms import drop_norms, drop_shapes, force_shapes, keep_norms, take_over
from quarkline.templates.prune import prune
from quarkline.templates.read import drafts_of, read_region
from quarkline.templates.reference import take_samples_as_sides
from quarkline.templates.refusals import missing_bins, no_bins, refused, without_effect
from quarkline.templates.sets import RegionTemplates, Template, TemplateSet
from quarkline.templates.treat import smooth_nominal, treat_variations

STEPS: tuple[Callable[[Where, Drafts], Drafts], ...] = (
    drop_norms,
    drop_shapes,
    scale_as_bin,
    treat_variations,
    keep_for_others,
    keep_norms,
    take_over,
    force_shapes,
    merge_parameters,
    combine_variations,
)
"""What is done to all samples of a region one after the other."""


@dataclass(frozen=True, eq=False)
class Built:
    """Templates, and what there is to say about them.

    Attributes:
        templates: Of all regions.
        findings: Warnings and notes.
    """

    templates: TemplateSet
    findings: tuple[Finding, ...]


def build_templates(catalog: Catalog, histograms: Mapping[HistRequest, Histogram]) -> Built:
    """Make templates of filled histograms.

    Args:
        catalog: The analysis.
        histograms: Nominal histograms and both sides of all systematics, in fine bins where the
            region's bins are found automatically.

    Raises:
        InputError: If a histogram is missing, or the analysis asks for what is not done.
    """
    fills = {(key.sample, key.region, key.variation): filled for key, filled in histograms.items()}
    problems = refused(catalog)
    found = list(without_effect(catalog))
    read: dict[str, Drafts] = {}
    for region in catalog.regions:
        try:
            read[region] = read_region(Where(catalog, region, found), fills)
        except InputError as error:
            problems += error.findings
    if problems:
        raise InputError(*problems)
    treated: dict[str, Drafts] = {}
    regions = {
        region: treat_region(Where(catalog, region, found, treated), drafts)
        for region, drafts in read.items()
        if drafts
    }
    return Built(TemplateSet(regions), tuple(found))


def treat_region(where: Where, drafts: Drafts) -> RegionTemplates:
    """All samples of a region after all steps.

    Raises:
        InputError: If the region leaves out bins that it has not.
    """
    edges = next(iter(drafts.values())).nominal.edges
    if problem := missing_bins(where, len(edges) - 1):
        raise InputError(problem)
    drafts = dict(drafts)
    for name in drafts:  # in order: a sample made of earlier ones takes them as they are by then
        drafts[name] = combine_samples(where, name, drafts)
        drafts[name] = take_samples_as_sides(where, name, drafts[name], drafts)
        drafts[name] = fill_empty(where, name, drafts)
        drafts[name] = smooth_nominal(where, name, drafts[name])
        drafts[name] = check(where, name, drafts[name])
    for step in STEPS:
        drafts = step(where, drafts)
    dropped = dropped_bins(where, drafts)
    if len(dropped) == len(edges) - 1:
        raise InputError(no_bins(where))
    drafts = drop_bins(drafts, dropped)
    simulated = {
        name: Template(draft.nominal, draft.filled, shifts_of(where, name, draft), draft.guessed)
        for name, draft in drafts.items()
        if where.sample(name).role != "data"
    }
    data = {name: draft for name, draft in drafts.items() if name not in simulated}
    observed = {name: draft.filled for name, draft in data.items()}
    total = reduce(Histogram.__add__, [draft.nominal for draft in data.values()]) if data else None
    return RegionTemplates(edges, prune(where, simulated), total, observed, dropped)


def rebuild_templates(catalog: Catalog, templates: TemplateSet) -> Built:
    """Make templates anew from what was filled for others, with the settings of the analysis.

    Bins stay, but for a later merging, and so does what reference samples make of variations;
    everything else is done again.

    Args:
        catalog: The analysis.
        templates: Templates of the same regions, samples and systematics.

    Raises:
        InputError: If something is missing, or the analysis asks for what is not done.
    """
    if problems := refused(catalog):
        raise InputError(*problems)
    found = list(without_effect(catalog))
    regions, treated = {}, dict[str, Drafts]()
    for name, region in templates.regions.items():
        where = Where(catalog, name, found, treated)
        regions[name] = treat_region(where, drafts_of(where, region))
    return Built(TemplateSet(regions), tuple(found))
