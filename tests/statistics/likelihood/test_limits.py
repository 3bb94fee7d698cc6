"""Upper limits: pyhf's numbers, without a range to search in, and whatever the likelihood is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyhf
import pytest

from quarkline.statistics.likelihood.limits import asymptotic_limit, cls_points
from quarkline.statistics.likelihood.model import Model
from tests.statistics.likelihood.likelihoods import PAIRS, SIGNAL, counting, mu


def limit(spec, **options):
    model = Model(spec)
    return asymptotic_limit(model, model.data, **options)


def numbers(found):
    return [found.observed, *found.expected]


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_pyhf_has_the_same_limits(name):
    ours, theirs = PAIRS[name]
    model, (reference, data) = ours(), theirs()
    found = asymptotic_limit(model, model.data)
    assert found.complete
    assert not found.note
    for place, value in enumerate([found.observed, *found.expected]):
        observed, expected = pyhf.infer.hypotest(value, data, reference, return_expected_set=True)
        assert [float(observed), *map(float, expected)][place] == pytest.approx(0.05, abs=1e-4)


def test_a_limit_is_where_a_dense_grid_has_it():
    found = limit(counting())
    model = Model(counting())
    grid = np.linspace(0.4, 2.5, 85)
    points = cls_points(model, model.data, grid.tolist())
    curves = [[p.observed for p in points], *zip(*(p.expected for p in points), strict=True)]
    for curve, value in zip(curves, numbers(found), strict=True):
        crossing = np.interp(-np.log(0.05), -np.log(np.array(curve)), grid)
        assert value == pytest.approx(crossing, rel=1e-3)


@pytest.mark.parametrize("factor", [1e-7, 1e-3, 1e3, 1e7])
def test_a_limit_is_found_on_any_scale(factor):
    scaled = counting(signal=tuple(factor * content for content in SIGNAL))
    found = limit(replace(scaled, parameters=(mu(high=1e9), *scaled.parameters[1:])))
    plain = [value / factor for value in numbers(limit(counting()))]
    assert found.complete
    assert numbers(found) == pytest.approx(plain, rel=1e-3)


def test_a_tight_bound_is_said_and_not_applied():
    found = limit(counting(poi=mu(high=0.5, initial=0.1)))
    assert numbers(found) == pytest.approx(numbers(limit(counting())), rel=1e-3)
    assert "6 of 6 limits lie above the upper bound of `mu`, 0.5" in found.note


def test_a_best_fit_at_its_bound_is_said_and_moved():
    data = (86.0, 85.0)
    found = limit(counting(data, poi=mu(high=1.5)))
    assert numbers(found) == pytest.approx(numbers(limit(counting(data))), rel=1e-3)
    assert "the best fit lies above the upper bound of `mu`, 1.5" in found.note


def test_a_constant_signal_is_fitted_and_said():
    constant = replace(mu(), fixed=True)
    found = limit(counting(poi=constant))
    assert numbers(found) == pytest.approx(numbers(limit(counting())), rel=1e-6)
    assert "`mu` is declared constant" in found.note


def test_without_sensitivity_there_is_no_limit_and_it_is_said():
    found = limit(counting(signal=(0.0, 0.0)), injected=1.0)
    assert found.observed is found.injected is None
    assert found.expected == (None,) * 5
    assert not found.complete
    assert "the data say nothing about `mu`" in found.note


def test_expected_limits_without_a_look_at_data_do_not_depend_on_them():
    one, other = (
        asymptotic_limit(Model(counting(data)), None) for data in ((51.0, 48.0), (90.0, 90.0))
    )
    assert one == other
    assert one.observed is None
    assert one.complete


def test_data_that_are_not_tested_only_give_the_other_parameters():
    model = Model(counting((70.0, 75.0)))
    seen = asymptotic_limit(model, model.data, injected=2.0)
    found = asymptotic_limit(model, model.data, injected=2.0, observed=False)
    assert found.expected == pytest.approx(seen.expected, rel=1e-4)
    assert found.injected == pytest.approx(seen.injected, rel=1e-3)
    assert found.observed is None
    assert found.complete
    assert {point.observed for point in found.points} == {None}


def test_an_injected_signal_moves_the_limit_to_that_of_such_data():
    model = Model(counting())
    with_signal = model.asimov(np.array([2.0, 1.0, 1.0]))
    found = asymptotic_limit(model, None, injected=2.0)
    assert found.injected == pytest.approx(asymptotic_limit(model, with_signal).observed, rel=1e-3)
    assert found.injected > found.expected[2]


def test_the_level_is_kept():
    at_90, at_95 = limit(counting(), level=0.9), limit(counting())
    assert all(a < b for a, b in zip(numbers(at_90), numbers(at_95), strict=True))
    model = Model(counting())
    (point,) = cls_points(model, model.data, [at_90.observed])
    assert point.observed == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize("data", [(0.0, 0.0), (1.0, 200.0), (1000.0, 1000.0)])
def test_data_far_from_the_model_have_a_limit(data):
    found = limit(counting(data))
    assert found.complete
    values = [point.value for point in found.points]
    assert values == sorted(values)
