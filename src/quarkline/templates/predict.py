"""Expectations of every region as figures and tables show them, before and after a fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from scipy.stats import chi2 as chi2_distribution

from quarkline.catalog import Catalog
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.templates.expectation import (
    Expectation,
    Summed,
)
from quarkline.templates.hiding import hidden_bins, shows_no_data
from quarkline.templates.histograms import Array, Histogram
from quarkline.templates.measure.data import pseudo_data
from quarkline.templates.predictions import Numbers, PredictedSample, RegionPrediction
from quarkline.templates.sets import TemplateSet
from quarkline.templates.shown import shown


def predict(
    templates: TemplateSet, catalog: Catalog, *, fit: LikelihoodFit | None = None
) -> dict[str, RegionPrediction]:
    """What is expected in every region, with errors, and which bins hide the data.

    Before a fit errors are those of the simulation and of every systematic in quadrature; after it,
    of every parameter with the fit's correlations. The sum of all samples and χ² are as in
    TRExFitter's tables and figures.

    Args:
        templates: The templates.
        catalog: The analysis.
        fit: Its result; None for what is expected before it.
    """
    now = hiding = shown(templates, catalog, fit)
    if fit is not None and catalog.hide.same_after_fit:
        hiding = shown(templates, catalog)
    return {
        region: prediction_of(
            expectation,
            catalog,
            _shown(catalog, region, templates),
            hidden=hidden_bins(hiding[region], catalog),
            dropped=templates.regions[region].dropped,
        )
        for region, expectation in now.items()
    }


def _shown(catalog: Catalog, region: str, templates: TemplateSet) -> Histogram | None:
    """The data of a region, or the pseudo-data that are fitted in their place."""
    here = templates.regions[region]
    if catalog.fit is None or catalog.fit.pseudo_data is None:
        return here.data
    counts = pseudo_data(catalog, region, here)
    return Histogram.of(here.edges, counts, np.sqrt(counts))


def prediction_of(
    expectation: Expectation,
    catalog: Catalog,
    data: Histogram | None,
    *,
    hidden: Sequence[int],
    dropped: Sequence[int] = (),
) -> RegionPrediction:
    """One region as a result value.

    Args:
        expectation: What is expected.
        catalog: The analysis.
        data: Its data, if there are any.
        hidden: Bins, from 0, that figures show without data.
        dropped: Bins, from 0, that are left out.
    """
    total = expectation.sum_of()
    counts = None if data is None or shows_no_data(catalog, expectation.region) else data.contents
    tested = None if counts is None else _chi2(expectation, catalog, counts, {*hidden, *dropped})
    return RegionPrediction(
        region=expectation.region,
        after_fit=expectation.after_fit,
        edges=_numbers(expectation.edges),
        samples=tuple(_sample(expectation, catalog, name) for name in expectation.samples),
        contents=_numbers(total.contents),
        errors=_numbers(total.errors),
        total=total.total,
        total_error=total.total_error,
        data=None if counts is None else _numbers(counts),
        hidden=tuple(hidden),
        chi2=tested and tested[0],
        degrees=tested and tested[1],
        p=tested and float(chi2_distribution.sf(*tested)),
        background=_background(expectation, catalog),
    )


def _chi2(
    expectation: Expectation, catalog: Catalog, counts: Array, unseen: Collection[int]
) -> tuple[float, int] | None:
    """χ² of the bins that are shown, and their number."""
    kept = [at for at in range(len(counts)) if at not in unseen]
    if not kept:
        return None
    full = catalog.drawing.chi2_errors == "all"
    covariance = expectation.covariance(systematics=full)[np.ix_(kept, kept)]
    difference = (counts - expectation.contents.sum(axis=0))[kept]
    value = difference @ np.linalg.pinv(covariance, hermitian=True) @ difference
    return float(value), len(kept)


def _sample(expectation: Expectation, catalog: Catalog, name: str) -> PredictedSample:
    return _summed(name, catalog.samples[name].role, expectation.sum_of([name]))


def _background(expectation: Expectation, catalog: Catalog) -> PredictedSample:
    names = [name for name in expectation.samples if catalog.samples[name].role == "background"]
    return _summed("background", "background", expectation.sum_of(names))


def _summed(name: str, role: str, summed: Summed) -> PredictedSample:
    return PredictedSample(
        name=name,
        role=role,
        contents=_numbers(summed.contents),
        errors=_numbers(summed.errors),
        total=summed.total,
        total_error=summed.total_error,
    )


def _numbers(values: Array) -> Numbers:
    return tuple(map(float, values))
