"""Toy studies: exact seeds, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.engine.core.rng import rng
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.toys import toy_fits
from quarkline.statistics.significance import binomial_interval
from tests.statistics.likelihood.likelihoods import counting, mu, shapes

TRUTH = np.array([1.5, 1.0, 1.0])


def test_a_toy_is_fitted_as_any_data():
    model = Model(counting())
    found = toy_fits(model, TRUTH, 3, seed=4)
    for number, (value, error) in enumerate(zip(found.values, found.errors, strict=True)):
        toy = model.toy(TRUTH, rng(4, "fit-toys", number))
        row = fit(model, toy).by_name["mu"]
        assert (value, error) == pytest.approx((row.value, row.error), rel=1e-4)
    assert (found.truth, found.parameter, found.failed) == (1.5, "mu", 0)


def test_more_toys_begin_with_the_same_and_seeds_differ():
    model = Model(counting())
    few, many = toy_fits(model, TRUTH, 3), toy_fits(model, TRUTH, 5)
    assert many.values[:3] == few.values
    assert toy_fits(model, TRUTH, 3, seed=2).values != few.values


def test_any_parameter_may_be_looked_at():
    found = toy_fits(Model(shapes()), np.array([1.0, 0.0, 0.0, 1.1]), 2, parameter="other")
    assert (found.parameter, found.truth) == ("other", 1.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "truth"),
    [
        (counting(poi=mu(low=-10.0)), TRUTH),
        (shapes(), np.array([2.0, 0.3, -0.5, 1.05])),
    ],
)
def test_intervals_hold_the_truth_as_often_as_they_should(spec, truth):
    number = 1500
    found = toy_fits(Model(spec), truth, number)
    low, high = binomial_interval(round(found.covered * number), number, level=0.999)
    assert found.failed == 0
    assert low < 0.683 < high
    pulls = (np.array(found.values) - found.truth) / np.array(found.errors)
    assert abs(pulls.mean()) < 0.15
    assert pulls.std() == pytest.approx(1.0, abs=0.08)
