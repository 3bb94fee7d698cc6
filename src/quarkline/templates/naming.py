"""Names, titles and groups of the parameters of a fit, as TRExFitter has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quarkline.catalog import Catalog
from quarkline.catalog.systematics import Systematic

GAMMAS = "Gammas"
FULL = "FullSyst"
NORM_FACTORS = "NormFactors"
NO_GROUP = "Uncategorised"


@dataclass(frozen=True)
class Named:
    """The parameters of one systematic on one sample in one region.

    Attributes:
        norm: Parameter of the change of the yield.
        shape: Parameter of the change of the shape; mostly the same.
        titles: Their titles in figures and tables.
    """

    norm: str
    shape: str
    titles: Mapping[str, str]


def parameters_of(catalog: Catalog, systematic: str, region: str, sample: str) -> Named:
    """The parameters of a systematic on a sample in a region.

    Args:
        catalog: The analysis.
        systematic: Name of the systematic; one that the catalog does not know is its own parameter.
        region: Name of the region.
        sample: Name of the sample.
    """
    known = catalog.systematics.get(systematic)
    if known is None:
        return Named(systematic, systematic, {systematic: systematic})
    name, title = known.parameter or systematic, known.title or known.parameter or systematic
    if known.decorrelate == "region":
        label = catalog.regions[region].label or region
        name, title = f"{name}_{region}", f"{title} ({label})"
    elif known.decorrelate == "sample":
        name, title = f"{name}_{sample}", f"{title} {catalog.samples[sample].title or sample}"
    elif known.decorrelate == "shape":
        norm, shape = f"{name}_Acc", f"{name}_Shape"
        return Named(norm, shape, {norm: f"{title} Acc.", shape: f"{title} Shape"})
    return Named(name, name, {name: title})


def sub_category(systematic: Systematic | None) -> str:
    """The group whose impact on the measurement includes a systematic."""
    if systematic is None:
        return NO_GROUP
    return systematic.sub_category or systematic.category or NO_GROUP


def gamma(region: str, bin_: int) -> str:
    """Parameter of the statistical error of the simulation in one bin, counted from 0."""
    return f"gamma_stat_{region}_bin_{bin_}"


def own_gamma(catalog: Catalog, sample: str, region: str, bin_: int) -> str:
    """The same for a sample with parameters of its own, which others may share."""
    chosen = catalog.samples[sample]
    owner = chosen.share_mc_statistics_with or sample
    return f"gamma_shape_stat_{owner}_{_first_of(chosen.share_mc_statistics_in, region)}_bin_{bin_}"


def _first_of(sets: Iterable[str], region: str) -> str:
    """The region whose parameters another one shares, from sets such as `SR1:SR2`."""
    for names in (one.split(":") for one in sets):
        if region in names[1:]:
            return names[0]
    return region


def is_statistical(parameter: str) -> bool:
    """Whether a parameter stands for the size of the simulation in a bin."""
    return parameter.startswith(("gamma_stat_", "gamma_shape_stat_"))


def independent_gamma(parameter: str, region: str, bin_: int) -> str:
    """Parameter of a systematic that acts on every bin on its own."""
    return f"gamma_shape_{parameter}_{region}_bin_{bin_}"


def statistical_parameter(parameter: str, region: str, bin_: int) -> str:
    """Parameter of a systematic that is the statistical error of one bin."""
    return f"{parameter}_{region}_bin{bin_}"


def factor_in_bin(name: str, bin_: int) -> str:
    """Parameter of a shape factor in one bin; regions share it."""
    return f"gamma_{name}_bin_{bin_}"
