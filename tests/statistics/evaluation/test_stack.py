"""Stacks and the agreement of data with simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from quarkline.engine.core.results import canonical_json
from quarkline.statistics.evaluation import (
    WeightedSample,
    default_edges,
    feature_agreement,
    hist_stack,
)


def sample(seed, count=400, shift=0.0, weight=0.5):
    random = np.random.default_rng(seed)
    return WeightedSample(random.normal(shift, 1, count), random.exponential(weight, count))


def test_bins_are_numpys():
    one, other, data = sample(1), sample(2, shift=1), WeightedSample(sample(3).values)
    edges = np.linspace(-2, 2, 9)
    found = hist_stack("x", {"a": one, "b": other}, edges, data=data, signal=("b",))
    for part, given in zip(found.parts, (one, other), strict=True):
        expected = np.histogram(given.values, edges, weights=given.weight)[0]
        squares = np.histogram(given.values, edges, weights=np.square(given.weight))[0]
        np.testing.assert_allclose(part.events, expected)
        np.testing.assert_allclose(part.variance, squares)
        assert part.outside == pytest.approx(np.sum(given.weight) - expected.sum())
    np.testing.assert_array_equal(found.data, np.histogram(data.values, edges)[0])
    np.testing.assert_allclose(found.total, np.sum([part.events for part in found.parts], axis=0))


def test_missing_values_and_groups():
    given = WeightedSample([0.5, 0.5, np.nan, 3.0], [1.0, 2.0, 4.0, 8.0], [7, 7, 8, 9])
    (part,) = hist_stack("x", {"a": given}, [0.0, 1.0]).parts
    assert (part.events, part.variance) == ((3.0,), (9.0,))
    assert (part.missing, part.outside, part.entries) == (4.0, 8.0, 4)


def test_blinded_data_are_not_kept():
    data = WeightedSample(np.concatenate([np.full(37, 0.95), np.full(5, 0.1)]))
    found = hist_stack("x", {}, [0.0, 0.5, 0.9, 1.0], data=data, blinded=(0.8, 1.0))
    assert found.data[0] == 5
    assert np.isnan(found.data[1:]).all()
    assert "37" not in canonical_json(found)
    beyond = hist_stack("x", {}, [0.0, 0.5], data=data, blinded=(0.8, 1.0))
    assert "37" not in canonical_json(beyond)


def test_equal_distributions_have_uniform_p_values():
    chi2, ks = [], []
    for seed in range(150):
        random = np.random.default_rng(seed)
        values = random.normal(size=1200).repeat(2)  # each twice, as in two passes
        weight = random.exponential(0.5, 2400)
        group = np.arange(1200).repeat(2)
        count = random.poisson(1200)
        row = feature_agreement(
            {"x": WeightedSample(random.normal(size=count))},
            {"mc": {"x": WeightedSample(values, weight, group)}},
            edges={"x": np.linspace(-2, 2, 11)},
        ).features[0]
        chi2.append(row.p_chi2)
        ks.append(row.ks.p_value)
    assert stats.kstest(chi2, "uniform").pvalue > 0.01
    assert stats.kstest(ks, "uniform").pvalue > 0.01


def test_the_worst_feature_is_first_and_normalisation_is_apart():
    data = {name: WeightedSample(sample(seed, 500).values) for seed, name in enumerate("abc")}
    simulated = {
        name: sample(seed + 10, 5000, shift=0.5 if name == "b" else 0.0, weight=0.2)
        for seed, name in enumerate("abc")
    }
    found = feature_agreement(data, {"mc": simulated})
    assert found.features[0].name == "b"
    assert found.features[0].p_chi2 < 1e-6
    assert min(row.p_chi2 for row in found.features[1:]) > 1e-3
    weight = np.sum(simulated["a"].weight)
    assert found.scale.value == pytest.approx(500 / weight)
    doubled = {
        name: WeightedSample(part.values, 2 * np.asarray(part.weight))
        for name, part in simulated.items()
    }
    again = feature_agreement(data, {"mc": doubled})
    assert [row.chi2 for row in again.features] == pytest.approx(
        [row.chi2 for row in found.features]
    )


def test_missing_values_are_a_bin_of_their_own():
    values = np.random.default_rng(1).normal(size=1000)
    holes = np.where(np.arange(1000) % 4 == 0, np.nan, values)
    row = feature_agreement(
        {"x": WeightedSample(holes)}, {"mc": {"x": WeightedSample(values)}}
    ).features[0]
    assert (row.missing_data, row.missing_simulation) == (0.25, 0.0)
    assert row.p_chi2 < 1e-12
    assert row.ks.p_value > 0.5


def test_no_data_and_no_simulation_have_no_answer():
    for data, simulated in (([], [1.0]), ([1.0], []), ([np.nan], [np.nan])):
        row = feature_agreement(
            {"x": WeightedSample(data)}, {"mc": {"x": WeightedSample(simulated)}}
        ).features[0]
        assert np.isnan(row.p_chi2)
    assert feature_agreement({}, {}).features == ()


def test_few_integers_have_a_bin_each():
    np.testing.assert_allclose(default_edges([np.array([-1.0, 3.0, np.nan])]), np.arange(-1.5, 4))
    assert default_edges([np.array([1.5, 1.5])]).size == 31
    assert default_edges([np.empty(0)]).tolist() == [0.0, 1.0]
