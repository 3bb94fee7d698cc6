"""Checks of the names by which parts of an analysis refer to each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.names import selects
from quarkline.catalog.systematics import Varied
from quarkline.engine.core.findings import Finding, Place, Rule, Severity, did_you_mean

PlaceOf = Callable[..., Place]
"""Where a key stands, from the parts of its path."""

UNKNOWN = Rule(
    "QL-CATALOG-001",
    "samples and regions that are named exist",
    "A list of samples or regions holds names, patterns with `*`, or `all`. A name that nothing "
    "has is a warning, since one file of systematics often serves several analyses.",
    Severity.WARNING,
)
NO_POI = Rule(
    "QL-CATALOG-002",
    "the parameter of interest is a free norm factor of a signal",
    "The fit measures it. If it is constant, nothing is measured, and figures show no uncertainty "
    "for it; if no sample has it, the fit knows nothing about it.",
)
NO_DATA = Rule(
    "QL-CATALOG-003",
    "regions that compare with data have data",
    "A region asks for observed data, and no sample in it has the role `data`.",
    Severity.WARNING,
)


def name_findings(catalog: Catalog, place: PlaceOf) -> list[Finding]:
    """What is wrong with the names."""
    return [*_references(catalog, place), *_pois(catalog, place), *_data(catalog, place)]


def _references(catalog: Catalog, place: PlaceOf) -> Iterator[Finding]:
    samples, regions = set(catalog.samples), set(catalog.regions)
    for name, sample in catalog.samples.items():
        at = ("samples", name)
        yield from _unknown(sample.regions, regions, "region", place, *at, "regions")
        yield from _unknown(sample.exclude, regions, "region", place, *at, "exclude")
        for step in sample.arithmetic:
            yield from _unknown(step.samples, samples, "sample", place, *at, "arithmetic")
    for key in ("norm_factors", "shape_factors", "systematics"):
        for name, part in getattr(catalog, key).items():
            both, what = samples | regions, "sample or region"
            yield from _unknown(part.samples, samples, "sample", place, key, name, "samples")
            yield from _unknown(part.regions, regions, "region", place, key, name, "regions")
            yield from _unknown(part.exclude, both, what, place, key, name, "exclude")
    for name, region in catalog.regions.items():
        if region.bin_of:
            other = [region.bin_of.region]
            yield from _unknown(other, regions, "region", place, "regions", name, "bin_of")
    wanted = catalog.drawing.scale_to_data
    yield from _unknown(wanted, samples, "sample", place, "drawing", "scale_to_data")
    for name, sample in catalog.samples.items():
        if source := sample.systematics_from:
            yield from _unknown(
                [source], samples, "sample", place, "samples", name, "systematics_from"
            )
    for name, systematic in catalog.systematics.items():
        if isinstance(systematic, Varied):
            yield from _treatment(catalog, name, systematic, place)


def _treatment(
    catalog: Catalog, name: str, systematic: Varied, place: PlaceOf
) -> Iterator[Finding]:
    """Names of samples and regions that decide how variations are treated."""
    samples, both = set(catalog.samples), {*catalog.samples, *catalog.regions}
    groups = [part.strip() for group in systematic.keep_norm_for for part in group.split("+")]
    listed: dict[str, Iterable[str]] = {
        "reference": filter(None, [systematic.reference]),
        "reference_smoothing": filter(None, [systematic.reference_smoothing]),
        "reference_pruning": filter(None, [systematic.reference_pruning]),
        "keep_norm_for": groups,
        "without_effect_on": systematic.without_effect_on,
    }
    for key, named in listed.items():
        yield from _unknown(named, samples, "sample", place, "systematics", name, key)
    for side, variation in systematic.sides.items():
        if variation.sample:
            at = ("systematics", name, side, "sample")
            yield from _unknown([variation.sample], samples, "sample", place, *at)
    if systematic.combine:
        at = ("systematics", name, "combine", "drop_norm")
        regions = set(catalog.regions)
        yield from _unknown(systematic.combine.drop_norm, regions, "region", place, *at)
    for key, named in (("drop_norm", systematic.drop_norm), ("drop_shape", systematic.drop_shape)):
        yield from _unknown(named, both, "sample or region", place, "systematics", name, key)


def _unknown(
    patterns: Iterable[str], names: set[str], what: str, place: PlaceOf, *at: str
) -> Iterator[Finding]:
    if not names:
        return
    for pattern in patterns:
        if not any(selects([pattern], name) for name in names):
            yield UNKNOWN.finding(
                f"there is no {what} `{pattern}`",
                suggestion=did_you_mean(pattern, names, what=f"{what}s"),
                place=place(*at),
            )


def _pois(catalog: Catalog, place: PlaceOf) -> Iterator[Finding]:
    if catalog.poi is not None:
        yield from _poi(catalog, catalog.poi, place, "poi")
    for index, name in enumerate(catalog.further_pois):
        yield from _poi(catalog, name, place, "further_pois", index)


def _poi(catalog: Catalog, poi: str, place: PlaceOf, *where: str | int) -> Iterator[Finding]:
    factor = catalog.norm_factors.get(poi)
    if factor is None:
        yield NO_POI.finding(
            f"no norm factor is named `{poi}`",
            suggestion=did_you_mean(poi, catalog.norm_factors, what="norm factors"),
            place=place(*where),
        )
        return
    at = ("norm_factors", poi)
    if factor.constant and not (catalog.fit and poi in catalog.fit.free):
        yield NO_POI.finding(
            f"`{poi}` is the parameter of interest and is held constant at "
            f"{factor.nominal:g}: the fit cannot measure it",
            suggestion="set it free: `constant: false`, or "
            f"`quarkline trexfitter ... --free {poi}` with a TRExFitter config",
            place=place(*at, "constant"),
            severity=Severity.WARNING,
        )
    scaled = [
        name
        for name, sample in catalog.samples.items()
        if factor.scales(name) and sample.role == "signal"
    ]
    formulas = [other.expression or "" for other in catalog.norm_factors.values()]
    entering = any(re.search(rf"\b{re.escape(poi)}\b", text) for text in formulas)
    if catalog.samples and not scaled and not entering:
        yield NO_POI.finding(
            f"`{poi}` scales no signal sample",
            suggestion="name the signal under `samples` of the norm factor",
            place=place(*at, "samples"),
            severity=Severity.WARNING,
        )


def _data(catalog: Catalog, place: PlaceOf) -> Iterator[Finding]:
    data = [name for name, sample in catalog.samples.items() if sample.role == "data"]
    for name, region in catalog.regions.items():
        has_data = any(catalog.holds(sample, name) for sample in data)
        if region.data == "observed" and catalog.samples and not has_data:
            yield NO_DATA.finding(
                f"region `{name}` asks for observed data, and no sample is data",
                suggestion="add the data sample, or ask for Asimov data",
                place=place("regions", name, "data"),
            )
