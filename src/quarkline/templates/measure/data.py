"""What a fit takes as data: observed, Asimov, or both in different regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from quarkline.catalog import Catalog, FitSettings
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, Severity, did_you_mean
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.templates.histograms import Array
from quarkline.templates.likelihood import fitted_samples
from quarkline.templates.measure.values import fitted_values
from quarkline.templates.sets import RegionTemplates, TemplateSet

NO_DATA = Rule(
    "QL-TEMPLATE-044",
    "regions that are fitted to observed data have data",
    "A region without a sample of the role `data`, or whose data are blinded, is fitted to Asimov "
    "data: the expectation itself. Set `data: asimov` of the region or of the fit to say so.",
    Severity.WARNING,
)
NO_SET = Rule(
    "QL-TEMPLATE-045",
    "pseudo-data are named by the samples that make them",
    "`fit.pseudo_data` is the name of a set: the samples with `asimov_for` of that name stand in "
    "it for the ones that they replace.",
)


@dataclass(frozen=True)
class Sources:
    """What each region is fitted to.

    Attributes:
        observed: Regions with observed data.
        asimov: Regions with Asimov data.
        findings: Regions that have no data against the settings.
    """

    observed: tuple[str, ...]
    asimov: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def mixed(self) -> bool:
        """Whether there are both."""
        return bool(self.observed and self.asimov)

    @property
    def kind(self) -> Literal["observed", "mixed", "asimov"]:
        """What the data are as a whole."""
        if not self.observed:
            return "asimov"
        return "mixed" if self.asimov else "observed"


def sources_of(
    catalog: Catalog, templates: TemplateSet, regions: Sequence[str], *, blind: bool = False
) -> Sources:
    """What each region is fitted to.

    Args:
        catalog: The analysis.
        templates: Its templates.
        regions: The regions that are fitted.
        blind: Whether all are fitted to Asimov data.
    """
    settings = catalog.fit or FitSettings()
    everything = blind or settings.data == "asimov" or settings.pseudo_data is not None
    any_data = any(templates.regions[region].data is not None for region in regions)
    observed, asimov, findings = [], [], []
    for region in regions:
        if everything or not any_data or _is_asimov(catalog, region):
            asimov.append(region)
        elif templates.regions[region].data is None:
            asimov.append(region)
            findings.append(_no_data(f"region `{region}` has no data"))
        else:
            observed.append(region)
    if not any_data and not everything:
        findings.append(_no_data("no region has data"))
    return Sources(tuple(observed), tuple(asimov), tuple(findings))


def _no_data(what: str) -> Finding:
    return NO_DATA.finding(f"{what}; Asimov data are fitted instead", place=Place(label="fit.data"))


def _is_asimov(catalog: Catalog, region: str) -> bool:
    chosen = catalog.regions[region]
    hides = catalog.hide.signal_regions and chosen.role == "signal"
    return chosen.data == "asimov" or hides


def asimov_values(catalog: Catalog, model: Model) -> dict[str, float]:
    """Values that settings give to parameters of Asimov data, the measured one included."""
    settings = catalog.fit or FitSettings()
    given = dict(settings.asimov)
    if settings.asimov_from is not None:
        given = fitted_values(Path(settings.asimov_from)) | given
    return {name: value for name, value in given.items() if name in model.names}


def with_values(model: Model, values: Mapping[str, float]) -> Floats:
    """Initial values of all parameters with some others, shape (P,)."""
    found = model.initial.copy()
    for name, value in values.items():
        if name in model.names:
            found[model.index(name)] = value
    return found


def data_of(
    catalog: Catalog,
    templates: TemplateSet,
    model: Model,
    sources: Sources,
    values: Mapping[str, float],
) -> Data:
    """The data of a fit, region by region.

    Args:
        catalog: The analysis.
        templates: Its templates.
        model: The likelihood.
        sources: What each region is fitted to.
        values: Parameters of Asimov data; others have their initial values.
    """
    settings = catalog.fit or FitSettings()
    expected = model.asimov(with_values(model, values))
    counts = expected.counts.copy()
    for channel, part in zip(model.spec.channels, model.channels.values(), strict=True):
        if channel.name in sources.observed and channel.data is not None:
            counts[part] = channel.data
        elif settings.pseudo_data is not None:
            region = templates.regions[channel.name]
            counts[part] = np.delete(pseudo_data(catalog, channel.name, region), region.dropped)
    measured = expected.measured
    nuisances = {name: value for name, value in values.items() if name not in catalog.pois}
    if settings.shift_measurements and nuisances and not sources.mixed:
        shifted = with_values(model, nuisances)
        measured = model.asimov(shifted, shift_measurements=True).measured
    return Data(counts, measured)


def pseudo_data(catalog: Catalog, region: str, templates: RegionTemplates) -> Array:
    """The sum of the samples of a region, with those of a set in place of the ones they replace.

    Raises:
        InputError: If no sample belongs to the set.
    """
    name = (catalog.fit or FitSettings()).pseudo_data or ""
    sets = {one.asimov_for.name for one in catalog.samples.values() if one.asimov_for}
    if name not in sets:
        raise InputError(
            NO_SET.finding(
                f"no sample has `asimov_for` of the set `{name}`",
                suggestion=did_you_mean(name, sets, what="sets"),
                place=Place(label="fit.pseudo_data"),
            )
        )
    instead = {
        one.asimov_for.sample: sample
        for sample, one in catalog.samples.items()
        if one.asimov_for and one.asimov_for.name == name and sample in templates.templates
    }
    expected = fitted_samples(catalog, region, templates).templates
    rows = [templates.templates[instead.get(one, one)].nominal.contents for one in expected]
    return np.asarray(np.maximum(np.sum(rows, axis=0), 0.0))
