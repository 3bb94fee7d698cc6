"""What is expected as figures and tables show it: some samples scaled to what data leave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from quarkline.catalog import Catalog
from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.templates.expectation import Expectation, expected_after, expected_before
from quarkline.templates.refusals import hidden_scales, scaled_samples
from quarkline.templates.sets import TemplateSet


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


def _scaled_to_data(
    templates: TemplateSet, catalog: Catalog, expected: Mapping[str, Expectation]
) -> dict[str, Expectation]:
    """Expectations in which the sum of a region is that of its data."""
    chosen = scaled_samples(catalog)
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
