"""The likelihood of an analysis: its templates, factors and systematics as one specification."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from quarkline.catalog import Catalog, FitSettings
from quarkline.catalog.factors import NormFactor, ShapeFactor
from quarkline.catalog.names import selects
from quarkline.catalog.systematics import Independent
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, did_you_mean
from quarkline.statistics.likelihood.spec import (
    BinScale,
    ChannelSpec,
    LikelihoodSpec,
    Modifier,
    NormShift,
    Parameter,
    SampleSpec,
    Scale,
    ShapeShift,
)
from quarkline.templates import naming
from quarkline.templates.bin_errors import bin_effects, nuisance_parameter
from quarkline.templates.sets import RegionTemplates, Shift, Template, TemplateSet

T = TypeVar("T")

SMALLEST_FACTOR = 1e-8
"""What a yield is scaled by instead of zero or less, whose logarithm the interpolation takes."""
SHAPE_FACTOR_MOST = 1000.0

NO_REGION = Rule(
    "QL-TEMPLATE-040",
    "a fit has regions with simulated samples",
    "The fit takes the regions whose roles or names `fit.regions` lists, validation regions never. "
    "Without any, or with one in which no sample is expected, there is no likelihood.",
)
EXPRESSION = Rule(
    "QL-TEMPLATE-041",
    "norm factors are parameters of their own",
    "A norm factor that is a formula of other parameters, or one that a penalty `tau` pulls to its "
    "nominal value, is no part of a HistFactory likelihood of histograms, and is refused rather "
    "than fitted as something else. Leave the option out, or use one free norm factor. So is one "
    "whose name a systematic has for its parameter, too: one of them is 1 without effect, the "
    "other 0, and only one of them is constrained. Rename one.",
)


@dataclass(frozen=True)
class Likelihood:
    """A likelihood with what tables and figures say about its parameters.

    Attributes:
        spec: Channels, samples and parameters.
        groups: Parameters by the group whose impact on the measurement is given: sub-categories of
            systematics and norm factors, and `Gammas`.
        titles: Titles of parameters that have one.
        categories: Categories of systematics and norm factors that have one.
    """

    spec: LikelihoodSpec
    groups: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, str]
    categories: Mapping[str, str]


def likelihood_of(
    templates: TemplateSet,
    catalog: Catalog,
    *,
    regions: Sequence[str] | None = None,
    statistics_only: bool | None = None,
    every_bin: bool = False,
    name: str = "measurement",
) -> Likelihood:
    """The likelihood of templates.

    Yields are multiplied by norm and shape factors, by one factor for each systematic that changes
    them (code 4) and by the parameters of the statistical errors; shapes are added before (code
    4p). That is HistFactory's model (CERN-OPEN-2012-016), with its ranges of parameters.

    Args:
        templates: The templates.
        catalog: The analysis.
        regions: Names of regions; None for those that are fitted.
        statistics_only: Whether norm and shape factors are the only parameters; None leaves it to
            the analysis.
        every_bin: Whether bins that regions drop are in it, where nothing is expected.
        name: What the measurement is called.

    Raises:
        InputError: If no region is left, or a norm factor is none of its own.
    """
    chosen = fitted_regions(catalog, templates) if regions is None else tuple(regions)
    only = catalog.templates.statistics_only if statistics_only is None else statistics_only
    building = _Building(catalog, only)
    building.refuse_shared_names()
    channels = tuple(
        without_bins(
            building.channel(region, templates.regions[region]),
            () if every_bin else templates.regions[region].dropped,
        )
        for region in chosen
    )
    parameters = in_use(building.ordered(), channels)
    measured = catalog.poi if catalog.poi in {parameter.name for parameter in parameters} else None
    spec = LikelihoodSpec(name, channels, parameters, measured)
    return Likelihood(spec, building.groups(), building.titles, building.categories)


def fitted_regions(
    catalog: Catalog, templates: TemplateSet, *, settings: FitSettings | None = None
) -> tuple[str, ...]:
    """Names of the regions that are fitted, in the order of the catalog.

    Args:
        catalog: The analysis.
        templates: Its templates; regions without any are left out.
        settings: Instead of the analysis' own.

    Raises:
        InputError: If there are none.
    """
    wanted = (settings or catalog.fit or FitSettings()).regions
    chosen = tuple(
        name
        for name, region in catalog.regions.items()
        if region.role != "validation"
        and name in templates.regions
        and (region.role in wanted or selects(wanted, name))
    )
    if not chosen:
        raise InputError(_no_region(catalog, wanted))
    return chosen


def _no_region(catalog: Catalog, wanted: Sequence[str]) -> Finding:
    known = [name for name, region in catalog.regions.items() if region.role != "validation"]
    listed = ", ".join(f"`{name}`" for name in wanted)
    return NO_REGION.finding(
        f"no region is among {listed}",
        suggestion=did_you_mean(wanted[0], known, what="regions") if wanted else None,
        place=Place(label="fit.regions"),
    )


def fitted_samples(catalog: Catalog, region: str, templates: RegionTemplates) -> RegionTemplates:
    """A region with the samples that are expected in it, without those that only serve others."""
    kept = {
        name: templates.templates[name]
        for name, sample in catalog.samples.items()
        if name in templates.templates
        and sample.role in ("signal", "background")
        and catalog.holds(name, region)
    }
    return replace(templates, templates=kept)


def factors_of(factors: Mapping[str, ShapeFactor], region: str, sample: str) -> Iterator[str]:
    """Names of the norm or shape factors of a sample in a region."""
    return (name for name, factor in factors.items() if factor.scales_in(sample, region))


@dataclass
class _Building:
    """The parameters of a likelihood while its channels are made."""

    catalog: Catalog
    statistics_only: bool
    parameters: dict[str, Parameter] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)
    group_of: dict[str, str] = field(default_factory=dict)

    def refuse_shared_names(self) -> None:
        """Refuse norm factors with the name of a systematic's parameter.

        Raises:
            InputError: If there are any.
        """
        systematics = {} if self.statistics_only else self.catalog.systematics
        parameters = {one.parameter or name: name for name, one in systematics.items()}
        shared = [name for name in self.catalog.norm_factors if name in parameters]
        if shared:
            raise InputError(
                *(
                    EXPRESSION.finding(
                        f"norm factor `{name}` and systematic `{parameters[name]}` are one "
                        "parameter",
                        suggestion=f"rename one, or set `systematics.{parameters[name]}.parameter`",
                        place=Place(label=f"norm factor `{name}`"),
                    )
                    for name in shared
                )
            )

    def channel(self, region: str, templates: RegionTemplates) -> ChannelSpec:
        """One region."""
        expected = fitted_samples(self.catalog, region, templates)
        if not expected.templates:
            raise InputError(
                NO_REGION.finding(
                    f"no signal or background sample is expected in region `{region}`",
                    suggestion="take it out of `fit.regions`, or let samples be in it",
                    place=Place(label=f"region `{region}`"),
                )
            )
        in_bins = self._in_bins(region, expected)
        samples = tuple(
            SampleSpec(
                name,
                tuple(map(float, template.nominal.contents)),
                (
                    *self._factors(region, name, len(template.nominal.contents)),
                    *in_bins.get(name, ()),
                    *self._systematics(region, name, template),
                ),
            )
            for name, template in expected.templates.items()
        )
        data = templates.data
        counts = None if data is None else tuple(map(float, data.contents))
        return ChannelSpec(region, samples, counts)

    def ordered(self) -> tuple[Parameter, ...]:
        """All parameters: norm factors first, then systematics, then those of single bins."""
        roles = ("norm-factor", "systematic", "shape-factor", "gamma")
        return tuple(sorted(self.parameters.values(), key=lambda one: roles.index(one.role)))

    def groups(self) -> dict[str, tuple[str, ...]]:
        """The groups, by name."""
        found: dict[str, list[str]] = {}
        for parameter in self.ordered():
            if group := self.group_of.get(parameter.name):
                found.setdefault(group, []).append(parameter.name)
        return {group: tuple(found[group]) for group in sorted(found)}

    def _factors(self, region: str, sample: str, bins: int) -> Iterator[Modifier]:
        for name in factors_of(self.catalog.norm_factors, region, sample):
            self._add_norm_factor(name, self.catalog.norm_factors[name])
            yield Scale(name)
        for name in factors_of(self.catalog.shape_factors, region, sample):
            names = tuple(naming.factor_in_bin(name, bin_) for bin_ in range(bins))
            for one in names:
                parameter = Parameter(one, "shape-factor", 1.0, 0.0, SHAPE_FACTOR_MOST)
                self.parameters.setdefault(one, parameter)
            yield BinScale(names)

    def _add_norm_factor(self, name: str, factor: NormFactor) -> None:
        if name in self.parameters:
            return
        _refuse_formula(name, factor)
        fixed = factor.constant and name not in (self.catalog.fit or FitSettings()).free
        self.parameters[name] = Parameter(
            name, "norm-factor", factor.nominal, factor.min, factor.max, fixed
        )
        if name not in self.catalog.pois:
            self.group_of[name] = factor.sub_category or naming.NORM_FACTORS
        self._describe(name, factor.title, factor.category)

    def _in_bins(self, region: str, templates: RegionTemplates) -> Mapping[str, Iterable[Modifier]]:
        if self.statistics_only:
            return {}
        effects = bin_effects(self.catalog, region, templates)
        for parameter in effects.parameters:
            self.parameters.setdefault(parameter.name, parameter)
            if parameter.name.startswith("gamma_stat_"):
                self.group_of[parameter.name] = naming.GAMMAS
        self.group_of |= effects.groups
        self.titles |= effects.titles
        return effects.modifiers

    def _systematics(self, region: str, sample: str, template: Template) -> Iterator[Modifier]:
        named = {
            name: naming.parameters_of(self.catalog, name, region, sample)
            for name in template.shifts
            if not isinstance(self.catalog.systematics.get(name), Independent)
        }
        names = [one.norm for one in named.values()]
        for name in () if self.statistics_only else named:
            shift, of = template.shifts[name], named[name]
            if names.count(of.norm) > 1 and _is_idle(shift, template):
                continue  # it was added to another systematic with this parameter
            for modifier in shift_modifiers(shift, norm=of.norm, shape=of.shape):
                self._add_systematic(name, modifier.parameter, of.titles[modifier.parameter])
                yield modifier

    def _add_systematic(self, name: str, parameter: str, title: str) -> None:
        known = self.catalog.systematics.get(name)
        if parameter not in self.parameters:
            free = known is not None and known.free
            self.parameters[parameter] = nuisance_parameter(parameter, free=free)
        self.group_of[parameter] = naming.sub_category(known)
        self._describe(parameter, title, known.category if known is not None else "")

    def _describe(self, name: str, title: str, category: str) -> None:
        if title:
            self.titles[name] = title
        if category:
            self.categories[name] = category


def in_use(
    parameters: Sequence[Parameter], channels: Sequence[ChannelSpec]
) -> tuple[Parameter, ...]:
    """Parameters without the shape factors of bins that are in no channel.

    Nothing constrains these, so that no fit with them has a definite minimum.
    """
    scaled = {
        name
        for channel in channels
        for sample in channel.samples
        for modifier in sample.modifiers
        if isinstance(modifier, BinScale)
        for name in modifier.parameters
    }
    return tuple(one for one in parameters if one.role != "shape-factor" or one.name in scaled)


def without_bins(channel: ChannelSpec, bins: Collection[int]) -> ChannelSpec:
    """A channel without some of its bins, counted from 0; names of parameters stay."""
    if not bins:
        return channel
    kept = [bin_ for bin_ in range(channel.bins) if bin_ not in bins]

    def of(values: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(values[bin_] for bin_ in kept)

    def changed(modifier: Modifier) -> Modifier:
        if isinstance(modifier, BinScale):
            return BinScale(of(modifier.parameters))
        if isinstance(modifier, ShapeShift):
            return replace(modifier, up=of(modifier.up), down=of(modifier.down))
        return modifier

    samples = tuple(
        SampleSpec(one.name, of(one.contents), tuple(map(changed, one.modifiers)))
        for one in channel.samples
    )
    return ChannelSpec(channel.name, samples, None if channel.data is None else of(channel.data))


def shift_modifiers(shift: Shift, *, norm: str, shape: str) -> Iterator[NormShift | ShapeShift]:
    """What pruning left of a systematic on one sample, as parts of the likelihood.

    Args:
        shift: The systematic.
        norm: Parameter of the yield.
        shape: Parameter of the shape.
    """
    if shift.norm_kept:
        up, down = (max(1 + by, SMALLEST_FACTOR) for by in (shift.norm_up, shift.norm_down))
        yield NormShift(norm, up, down)
    if shift.shape_kept and shift.shape_up is not None and shift.shape_down is not None:
        yield ShapeShift(
            shape, tuple(map(float, shift.shape_up)), tuple(map(float, shift.shape_down))
        )


def _is_idle(shift: Shift, template: Template) -> bool:
    """Whether a systematic changes nothing."""
    nominal = template.nominal.contents
    sides = (shift.up.contents, shift.down.contents)
    return all(np.array_equal(side, nominal) for side in sides)


def _refuse_formula(name: str, factor: NormFactor) -> None:
    for option, value in (("expression", factor.expression), ("tau", factor.tau)):
        if value:
            raise InputError(
                EXPRESSION.finding(
                    f"norm factor `{name}` has `{option}: {value}`",
                    suggestion=f"leave `{option}` out",
                    place=Place(label=f"norm factor `{name}`"),
                )
            )
