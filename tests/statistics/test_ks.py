"""The Kolmogorov-Smirnov test, against SciPy and by its laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from quarkline.statistics import ks_two_sample

SAMPLES = arrays(float, st.integers(1, 30), elements=st.integers(-5, 5).map(float))


@settings(max_examples=100, deadline=None)
@given(SAMPLES, SAMPLES)
def test_the_distance_is_that_of_the_distributions_with_ties_too(first, second):
    values = np.concatenate([first, second])
    distances = [abs((first <= value).mean() - (second <= value).mean()) for value in values]
    assert ks_two_sample(first, second).statistic == pytest.approx(max(distances), abs=1e-12)


def test_the_p_value_is_near_scipys():
    random = np.random.default_rng(1)
    for shift in (0.0, 0.1, 0.3):
        first, second = random.normal(0, 1, 400), random.normal(shift, 1, 300)
        theirs = stats.ks_2samp(first, second, method="asymp").pvalue
        assert ks_two_sample(first, second).p_value == pytest.approx(theirs, rel=0.06, abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(SAMPLES, SAMPLES, st.integers(0, 2**32))
def test_whole_weights_are_repetitions(first, second, seed):
    random = np.random.default_rng(seed)
    copies = [random.integers(1, 4, values.size) for values in (first, second)]
    weighted = ks_two_sample(
        first, second, first_weight=copies[0].astype(float), second_weight=copies[1].astype(float)
    )
    repeated = ks_two_sample(np.repeat(first, copies[0]), np.repeat(second, copies[1]))
    assert weighted.statistic == pytest.approx(repeated.statistic, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(SAMPLES, SAMPLES)
def test_order_and_monotone_maps_do_not_matter(first, second):
    before = ks_two_sample(first, second).statistic
    assert ks_two_sample(second, first).statistic == pytest.approx(before, abs=1e-12)
    assert ks_two_sample(np.exp(first), np.exp(second)).statistic == pytest.approx(before)
    shuffled = np.random.default_rng(0).permutation(first)
    assert ks_two_sample(shuffled, second).statistic == pytest.approx(before, abs=1e-12)


def test_permutations_are_uniform_without_a_difference():
    random = np.random.default_rng(2)
    found = [
        ks_two_sample(
            random.normal(size=40),
            random.normal(size=60),
            first_weight=random.exponential(size=40),
            permutations=99,
            seed=seed,
        ).p_value
        for seed in range(200)
    ]
    assert stats.kstest(found, "uniform").pvalue > 0.001
    assert min(found) >= 0.01


def test_permutations_are_reproducible_and_near_the_asymptotic_p_value():
    random = np.random.default_rng(3)
    first, second = random.normal(0, 1, 200), random.normal(0.15, 1, 250)
    exact = ks_two_sample(first, second, permutations=2000, seed=5)
    assert exact == ks_two_sample(first, second, permutations=2000, seed=5)
    assert exact.permutations == 2000
    assert exact.p_value == pytest.approx(ks_two_sample(first, second).p_value, abs=0.04)


def test_effective_numbers():
    found = ks_two_sample([1.0, 2, 3], [1.0, 2], first_weight=[1.0, 1, 0], second_weight=[3.0, 1])
    assert found.effective_first == pytest.approx(2.0)
    assert found.effective_second == pytest.approx(1.6)


def test_an_empty_sample_has_no_answer():
    found = ks_two_sample([], [1.0])
    assert np.isnan([found.statistic, found.p_value]).all()
