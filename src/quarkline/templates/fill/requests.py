"""Which histograms an analysis needs, and what each of them is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from quarkline.catalog import Catalog, InputFile, Variation, Varied, Written
from quarkline.catalog.names import selects


@dataclass(frozen=True, order=True)
class HistRequest:
    """One histogram of an analysis.

    Attributes:
        sample: Name of the sample.
        region: Name of the region.
        variation: `systematic:up` or `systematic:down`; "" for the nominal histogram.
    """

    sample: str
    region: str
    variation: str = ""

    @property
    def systematic(self) -> str:
        """Name of the systematic; "" for the nominal histogram."""
        return self.variation.rpartition(":")[0]

    @property
    def side(self) -> str:
        """`up` or `down`; "" for the nominal histogram."""
        return self.variation.rpartition(":")[2]

    @property
    def nominal(self) -> HistRequest:
        """The nominal histogram of the same sample and region."""
        return HistRequest(self.sample, self.region)

    def __str__(self) -> str:
        """The request in words."""
        told = f"sample `{self.sample}` in region `{self.region}`"
        return f"{told}, {self.variation}" if self.variation else told


@dataclass(frozen=True)
class Meaning:
    """What a histogram is made of.

    Attributes:
        files: Trees, or histograms if the analysis reads those.
        scales: Factor of the histogram of each file.
        variable: What is drawn; "" in an analysis of histograms.
        selection: Which events count; a value other than 0 and 1 multiplies the weight.
        weight: Weight of an event.
        columns: Columns with other values, as names and expressions.
    """

    files: tuple[InputFile, ...]
    scales: tuple[float, ...]
    variable: Written
    selection: Written
    weight: Written
    columns: tuple[tuple[str, Written], ...] = ()


def requests_of(catalog: Catalog) -> list[HistRequest]:
    """All histograms that an analysis needs, nominal ones before their variations.

    Systematics that are only a number, sides without anything of their own, and samples on which a
    systematic has no effect need none.
    """
    found: dict[HistRequest, None] = {}
    for region in catalog.regions:
        for sample in catalog.samples:
            if catalog.holds(sample, region):
                found[HistRequest(sample, region)] = None
                found |= dict.fromkeys(_varied(catalog, sample, region))
        found |= dict.fromkeys(_references(catalog, region))
    return list(found)


def _varied(catalog: Catalog, sample: str, region: str) -> Iterator[HistRequest]:
    if catalog.templates.statistics_only:
        return
    for name, systematic in catalog.systematics_of(sample, region).items():
        if isinstance(systematic, Varied) and not selects(systematic.without_effect_on, sample):
            yield from (HistRequest(sample, region, f"{name}:{side}") for side in systematic.sides)


def _references(catalog: Catalog, region: str) -> Iterator[HistRequest]:
    """Data whose own variation is taken off that of other samples."""
    for name, systematic in catalog.systematics.items():
        if not isinstance(systematic, Varied) or not systematic.subtract_reference:
            continue
        reference = systematic.reference or ""
        wanted = reference in catalog.samples and catalog.samples[reference].role == "data"
        if wanted and catalog.holds(reference, region) and selects(systematic.regions, region):
            sides = () if catalog.templates.statistics_only else systematic.sides
            yield from (HistRequest(reference, region, f"{name}:{side}") for side in sides)


def meaning_of(request: HistRequest, catalog: Catalog) -> Meaning:
    """What a histogram is made of.

    Raises:
        KeyError: If the catalog has no such sample, region, systematic or side.
    """
    sample, region = request.sample, request.region
    systematic, variation = _side(request, catalog)
    if variation and variation.sample:
        sample, systematic, variation = variation.sample, None, None
    where = variation
    if systematic and variation and catalog.samples[sample].role == "data":
        where = Variation(files=variation.reference_files)
    files = tuple(catalog.files_of(sample, region, where))
    ignored = systematic.ignore_weight if systematic else None
    return Meaning(
        files=files,
        scales=tuple(catalog.scales_of(_scaled(catalog, sample, systematic), files)),
        variable=catalog.variable_of(sample, region) or Written(""),
        selection=catalog.selection_of(sample, region),
        weight=catalog.weight_of(sample, region, variation, ignored=ignored),
        columns=tuple(sorted(variation.columns.items())) if variation else (),
    )


def _side(request: HistRequest, catalog: Catalog) -> tuple[Varied | None, Variation | None]:
    if not request.variation:
        return None, None
    systematic = catalog.systematics[request.systematic]
    if not isinstance(systematic, Varied):
        raise KeyError(request.variation)
    return systematic, systematic.sides[request.side]


def _scaled(catalog: Catalog, sample: str, systematic: Varied | None) -> str:
    """The sample whose scales count: of a variation of ntuples that of its reference."""
    reference = systematic.reference if systematic else None
    by_reference = reference in catalog.samples and catalog.reads == "ntuples"
    if systematic and reference and by_reference and not systematic.subtract_reference:
        return reference
    return sample
