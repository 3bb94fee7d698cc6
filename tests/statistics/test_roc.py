"""The ROC curve and its area, against the Mann-Whitney test and the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from quarkline.statistics import auc, roc_curve

SCORES = arrays(float, st.integers(1, 25), elements=st.integers(-4, 4).map(float))


@settings(max_examples=100, deadline=None)
@given(SCORES, SCORES)
def test_the_area_is_mann_whitneys_with_ties_too(signal, background):
    theirs = stats.mannwhitneyu(signal, background, method="asymptotic").statistic
    expected = theirs / (signal.size * background.size)
    assert auc(signal, background) == pytest.approx(expected, abs=1e-12)
    curve = roc_curve(signal, background)
    assert curve.auc.value == pytest.approx(expected, abs=1e-12)
    area = np.trapezoid(curve.signal_efficiency, curve.background_efficiency)
    assert area == pytest.approx(expected, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(SCORES, SCORES)
def test_the_curve_runs_from_corner_to_corner_and_only_up(signal, background):
    curve = roc_curve(signal, background)
    points = np.array([curve.background_efficiency, curve.signal_efficiency])
    np.testing.assert_allclose(points[:, 0], 0.0)
    np.testing.assert_allclose(points[:, -1], 1.0)
    assert (np.diff(points, axis=1) >= -1e-12).all()
    assert auc(background, signal) == pytest.approx(1 - curve.auc.value)
    assert auc(np.exp(signal), np.exp(background)) == pytest.approx(curve.auc.value)


def test_every_cut_is_on_the_curve():
    random = np.random.default_rng(1)
    signal, background = random.normal(1, 1, 40).round(1), random.normal(0, 1, 60).round(1)
    curve = roc_curve(signal, background)
    for cut in np.linspace(-2, 3, 23):
        passing = (background >= cut).mean()
        expected = (signal >= cut).mean()
        on_curve = np.isclose(curve.background_efficiency, passing, atol=1e-9)
        heights = np.array(curve.signal_efficiency)[on_curve]
        if heights.size:  # a corner
            assert heights.min() - 1e-9 <= expected <= heights.max() + 1e-9
        else:
            between = np.interp(passing, curve.background_efficiency, curve.signal_efficiency)
            assert between == pytest.approx(expected)


def test_weights_are_repetitions():
    random = np.random.default_rng(2)
    signal, background = random.normal(1, 1, 30), random.normal(0, 1, 20)
    copies = random.integers(1, 4, 30)
    weighted = roc_curve(signal, background, signal_weight=copies.astype(float))
    repeated = roc_curve(np.repeat(signal, copies), background)
    assert weighted.auc.value == pytest.approx(repeated.auc.value)
    np.testing.assert_allclose(weighted.signal_efficiency, repeated.signal_efficiency, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_error_is_that_of_repeated_experiments(weighted):
    random = np.random.default_rng(3)
    areas, errors = [], []
    for _ in range(400):
        weight = random.exponential(size=150) if weighted else None
        curve = roc_curve(
            random.normal(0.7, 1, 150), random.normal(0, 1, 100), signal_weight=weight
        )
        areas.append(curve.auc.value)
        errors.append(curve.auc.up)
    assert np.mean(errors) == pytest.approx(np.std(areas), rel=0.12)


def test_perfect_and_useless_scores():
    assert auc([2.0, 3.0], [0.0, 1.0]) == 1.0
    assert auc([1.0, 1.0], [1.0, 1.0]) == 0.5
    assert roc_curve([2.0, 3.0], [0.0, 1.0]).auc.up == 0.0


def test_an_empty_sample_has_no_curve():
    curve = roc_curve([], [1.0])
    assert np.isnan(curve.auc.value)
    assert curve.background_efficiency == ()
    assert np.isnan(auc([1.0], []))
