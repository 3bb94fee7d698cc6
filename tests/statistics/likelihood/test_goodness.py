"""Goodness of fit: the deviance written out, and p-values of data that follow the model."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, kstest, norm, poisson

from quarkline.engine.core.rng import rng
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.goodness import goodness_of_fit, saturated_nll
from quarkline.statistics.likelihood.model import Model
from tests.statistics.likelihood.likelihoods import counting, shapes


def test_the_saturated_model_fits_every_number():
    model = Model(shapes())
    data = model.toy(model.initial, rng(1, "saturated"))
    means = -poisson.logpmf(data.counts, data.counts).sum() - norm.logpdf([0.0, 0.0]).sum()
    assert saturated_nll(model, data) == pytest.approx(means)
    counted = Model(counting())
    toy = counted.toy(counted.initial, rng(1, "saturated"))
    terms = [*toy.counts, *toy.measured]
    assert saturated_nll(counted, toy) == pytest.approx(-poisson.logpmf(terms, terms).sum())


def test_the_statistic_is_the_deviance_and_the_pulls():
    model = Model(shapes((80.0, 50.0)))
    fitted = fit(model, model.data)
    found = goodness_of_fit(model, model.data, fitted)
    expected, counts = model.expected(fitted.values), model.data.counts
    deviance = 2.0 * np.sum(expected - counts + counts * np.log(counts / expected))
    pulls = [fitted.by_name[name].value for name in ("shape", "scale")]
    assert found.statistic == pytest.approx(deviance + np.square(pulls).sum(), rel=1e-6)
    assert found.degrees == 3 - 2
    assert found.p == pytest.approx(chi2.sf(found.statistic, 1))
    assert (found.p_toys, found.toys) == (None, 0)


def test_data_as_expected_fit_perfectly():
    model = Model(shapes())
    asimov = model.asimov(model.initial)
    found = goodness_of_fit(model, asimov, fit(model, asimov), toys=5)
    assert found.statistic == pytest.approx(0.0, abs=1e-6)
    assert found.p_toys == 1.0


def test_more_toys_begin_with_the_same():
    model = Model(counting())
    fitted = fit(model, model.data)
    few, many = (goodness_of_fit(model, model.data, fitted, toys=n, seed=5) for n in (10, 11))
    exceeding = [round(found.p_toys * (found.toys + 1)) - 1 for found in (few, many)]
    assert exceeding[1] - exceeding[0] in {0, 1}
    assert goodness_of_fit(model, model.data, fitted, toys=10, seed=5) == few


@pytest.mark.slow
def test_p_values_of_data_that_follow_the_model_are_uniform():
    model = Model(shapes())
    truth = np.array([1.0, 0.2, -0.3, 1.1])
    p = []
    for number in range(500):
        toy = model.toy(truth, rng(7, "goodness", number))
        p.append(goodness_of_fit(model, toy, fit(model, toy)).p)
    assert kstest(p, "uniform").pvalue > 1e-3
