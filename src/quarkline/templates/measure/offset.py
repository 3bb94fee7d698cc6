"""The minimum of a likelihood as RooFit counts it, for text that is to be compared."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln, xlogy

from quarkline.catalog import Catalog
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.results import LikelihoodFit

NORMAL = math.log(2 * math.pi) / 2
"""Minus the logarithm of a normal density of width 1 at its centre."""


def offset_minimum(model: Model, data: Data, fitted: LikelihoodFit, catalog: Catalog) -> float:
    """Minus the logarithm of the likelihood as TRExFitter's files of fits have it.

    RooFit's offset takes away the Poisson terms of the bins where the fit begins; auxiliary
    measurements count whole. An analysis without systematics has a dummy one there, whose normal
    density is in it.

    Args:
        model: The likelihood, whose initial values are where the fit begins.
        data: What was fitted.
        fitted: The fit.
        catalog: The analysis.
    """
    expected = np.maximum(model.expected(model.initial), 0.0)
    start = expected - xlogy(data.counts, expected) + gammaln(data.counts + 1)
    dummy = NORMAL if catalog.templates.statistics_only else 0.0
    return float(fitted.nll - start.sum() + dummy)
