"""Parameters of single bins: statistical errors of the simulation, and systematics of every bin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from quarkline.catalog import Catalog
from quarkline.catalog.systematics import Independent
from quarkline.statistics.likelihood.spec import (
    BinScale,
    Gaussian,
    Modifier,
    Parameter,
    Poisson,
    Role,
    ShapeShift,
)
from quarkline.templates import naming
from quarkline.templates.histograms import Array
from quarkline.templates.sets import RegionTemplates, Template

RANGE = 5.0
"""Largest relative change of a bin in a fit, in its errors; HistFactory's."""
SYSTEMATIC_RANGE = 5.0
"""Largest shift of a nuisance parameter in a fit, in its errors; HistFactory's."""


@dataclass(frozen=True)
class Effects:
    """What parameters of single bins do in one region.

    Attributes:
        parameters: The parameters, in the order in which they come up.
        modifiers: What they change, by sample.
        groups: Groups of the parameters that are systematics.
        titles: Titles of those.
    """

    parameters: tuple[Parameter, ...]
    modifiers: Mapping[str, tuple[Modifier, ...]]
    groups: Mapping[str, str]
    titles: Mapping[str, str]


def bin_effects(catalog: Catalog, region: str, templates: RegionTemplates) -> Effects:
    """All parameters of single bins in one region.

    Samples of the region share one parameter a bin for the statistical error of their sum, if this
    exceeds the threshold; Poisson with tau = (content/error)², as in HistFactory
    (CERN-OPEN-2012-016). Samples with parameters of their own always have one.

    Args:
        catalog: The analysis.
        region: Name of the region.
        templates: Its samples, without those that only serve others.
    """
    collected = _Collected()
    _add_shared(collected, catalog, region, templates)
    for name, template in templates.templates.items():
        if catalog.samples[name].separate_mc_statistics:
            _add_own(collected, catalog, region, name, template)
        for systematic in catalog.systematics_of(name, region):
            _add_systematic(collected, catalog, region, name, template, systematic)
    return collected.effects()


class _Collected:
    """Parameters and modifiers as they come up."""

    def __init__(self) -> None:
        self.parameters: dict[str, Parameter] = {}
        self.modifiers: dict[str, list[Modifier]] = {}
        self.groups: dict[str, str] = {}
        self.titles: dict[str, str] = {}

    def add_bins(
        self, samples: Iterable[str], names: list[str], relative: Array, *, gaussian: bool = False
    ) -> list[str]:
        """Let a parameter scale each bin that has an error; the names of those."""
        kept = [name if error > 0 else None for name, error in zip(names, relative, strict=True)]
        for name, error in zip(kept, relative, strict=True):
            if name and name not in self.parameters:
                self.parameters[name] = bin_parameter(name, float(error), gaussian=gaussian)
        named = [name for name in kept if name]
        for sample in samples if named else ():
            self.modifiers.setdefault(sample, []).append(BinScale(tuple(kept)))
        return named

    def effects(self) -> Effects:
        modifiers = {sample: tuple(those) for sample, those in self.modifiers.items()}
        return Effects(tuple(self.parameters.values()), modifiers, self.groups, self.titles)


def bin_parameter(name: str, error: float, *, gaussian: bool = False) -> Parameter:
    """The parameter of a bin with a relative error, with HistFactory's range."""
    constraint = Gaussian(1.0, error) if gaussian else Poisson(1 / error**2)
    return Parameter(name, "gamma", 1.0, 0.0, 1 + RANGE * error, constraint=constraint)


def nuisance_parameter(
    name: str, *, free: bool = False, role: Role = "systematic", width: float = SYSTEMATIC_RANGE
) -> Parameter:
    """The parameter of a systematic, with HistFactory's range."""
    constraint = None if free else Gaussian()
    return Parameter(name, role, 0.0, -width, width, constraint=constraint)


def relative_errors(templates: Iterable[Template]) -> Array:
    """Statistical errors of the sum of templates over its contents, shape (n,); 0 without any."""
    nominals = [template.nominal for template in templates]
    contents = np.sum([nominal.contents for nominal in nominals], axis=0)
    errors = np.sqrt(np.sum([np.square(nominal.errors) for nominal in nominals], axis=0))
    relative = np.divide(errors, contents, out=np.zeros_like(errors), where=contents > 0)
    return np.asarray(relative)


def shares_mc_statistics(catalog: Catalog, sample: str) -> bool:
    """Whether the statistical error of a sample enters that of the sum of its region."""
    chosen = catalog.samples[sample]
    return chosen.mc_statistics and not chosen.separate_mc_statistics


def _add_shared(
    collected: _Collected, catalog: Catalog, region: str, templates: RegionTemplates
) -> None:
    settings = catalog.templates
    samples = [name for name in templates.templates if shares_mc_statistics(catalog, name)]
    if settings.mc_statistics is None or not samples:
        return
    relative = relative_errors(templates.templates[name] for name in samples)
    relative = np.where(relative < settings.mc_statistics_threshold, 0.0, relative)
    names = [naming.gamma(region, bin_) for bin_ in range(len(relative))]
    collected.add_bins(samples, names, relative, gaussian=settings.mc_statistics == "gaussian")


def _add_own(
    collected: _Collected, catalog: Catalog, region: str, sample: str, template: Template
) -> None:
    relative = relative_errors([template])
    names = [naming.own_gamma(catalog, sample, region, bin_) for bin_ in range(len(relative))]
    collected.add_bins([sample], names, relative)


def _add_systematic(
    collected: _Collected,
    catalog: Catalog,
    region: str,
    sample: str,
    template: Template,
    systematic: str,
) -> None:
    """A systematic that acts on every bin on its own."""
    known = catalog.systematics[systematic]
    if not isinstance(known, Independent):
        return
    bins = len(template.nominal.contents)
    base = known.parameter or systematic
    if known.statistical:
        named = [naming.statistical_parameter(base, region, bin_) for bin_ in range(bins)]
        shifts = tuple(_statistical_shifts(template, named))
        collected.modifiers.setdefault(sample, []).extend(shifts)
        for name in named:
            collected.parameters.setdefault(name, nuisance_parameter(name, free=known.free))
    else:
        names = [naming.independent_gamma(base, region, bin_) for bin_ in range(bins)]
        named = collected.add_bins([sample], names, np.full(bins, abs(known.up)))
    for bin_, name in enumerate(named):
        collected.groups[name] = naming.sub_category(known)
        label = catalog.regions[region].label or region
        collected.titles[name] = f"{known.title or base} ({label}, bin {bin_})"


def _statistical_shifts(template: Template, names: list[str]) -> Iterator[ShapeShift]:
    contents, errors = template.nominal.contents, template.nominal.errors
    for bin_, name in enumerate(names):
        shift = np.zeros_like(contents)
        shift[bin_] = errors[bin_]
        yield ShapeShift(name, tuple(contents + shift), tuple(contents - shift))
