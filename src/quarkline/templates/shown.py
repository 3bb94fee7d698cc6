"""What is expected as figures and tables show it: some samples scaled to what data leave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from quarkline.catalog import Catalog
from quarkline.catalog.names import selects
from quarkline.engine.core.findings import Finding, InputError, Place, Rule
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.templates.expectation import Expectation, expected_after, expected_before
from quarkline.templates.hiding import shows_no_data
from quarkline.templates.sets import TemplateSet

NO_SCALE = Rule(
    "QL-TEMPLATE-047",
    "samples are scaled to data that are shown",
    "`drawing.scale_to_data` scales samples of every region to its data. Where these are hidden, "
    "the scaled sum would tell how many there are; where there are none, nothing says by how much. "
    "Leave the setting out, or the samples out of such regions.",
)


def shown(
    templates: TemplateSet, catalog: Catalog, fit: LikelihoodFit | None = None
) -> dict[str, Expectation]:
    """What figures and tables show of every region.

    Args:
        templates: The templates.
        catalog: The analysis.
        fit: A fit; None for what is expected before it.

    Raises:
        InputError: If samples are to be scaled to data that are hidden or absent.
    """
    if problems := list(hidden_scales(catalog)):
        raise InputError(*problems)
    if fit is None:
        expected = expected_before(catalog, templates)
    else:
        expected = expected_after(catalog, templates, fit)
    return _scaled_to_data(templates, catalog, expected)


def hidden_scales(catalog: Catalog) -> Iterator[Finding]:
    """Regions with samples that are scaled to data which nobody is to see, or which are absent."""
    scaled = _scaled_samples(catalog)
    for region in catalog.regions:
        here = [name for name in scaled if catalog.holds(name, region)]
        seen = any(
            one.role == "data" and catalog.holds(name, region) and not one.blind
            for name, one in catalog.samples.items()
        )
        if here and (shows_no_data(catalog, region) or not seen):
            yield NO_SCALE.finding(
                f"`{here[0]}` is scaled to the data of `{region}`, which shows none",
                suggestion="leave `drawing.scale_to_data` out (`ScaleSamplesToData` in a config of "
                "TRExFitter)",
                place=Place(label="drawing.scale_to_data"),
                evidence={"setting": ["drawing", "scale_to_data"], "region": region},
            )


def _scaled_samples(catalog: Catalog) -> list[str]:
    return [
        name
        for name, sample in catalog.samples.items()
        if selects(catalog.drawing.scale_to_data, name) and sample.role in ("signal", "background")
    ]


def _scaled_to_data(
    templates: TemplateSet, catalog: Catalog, expected: Mapping[str, Expectation]
) -> dict[str, Expectation]:
    """Expectations in which the sum of a region is that of its data."""
    chosen = _scaled_samples(catalog)
    found = dict(expected)
    for region, one in expected.items() if chosen else ():
        rows = [at for at, name in enumerate(one.samples) if name in chosen]
        data = templates.regions[region].data
        if rows and data is not None:
            found[region] = _scaled(one, rows, data.integral)
    return found


def _scaled(expectation: Expectation, rows: list[int], seen: float) -> Expectation:
    """An expectation with some rows scaled so that the sum of all is what is seen."""
    own = expectation.contents[rows].sum()
    if own <= 0:
        return expectation
    factors = np.ones((len(expectation.samples), 1))
    factors[rows] = (seen - (expectation.contents.sum() - own)) / own
    return replace(
        expectation,
        contents=expectation.contents * factors,
        statistical=expectation.statistical * np.abs(factors),
        up=expectation.up * factors,
        down=expectation.down * factors,
    )
