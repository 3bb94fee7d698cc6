"""Thresholds at a rate, and likelihood-ratio weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quarkline.engine.core.findings import InputError
from quarkline.statistics import likelihood_ratio_weights, threshold_at_fpr

SCORES = arrays(float, st.integers(1, 60), elements=st.integers(0, 12).map(float))


@given(SCORES, st.floats(0.001, 1.0))
def test_no_other_score_comes_closer(scores, rate):
    threshold = threshold_at_fpr(scores, rate)
    assert threshold in scores
    reached = abs((scores >= threshold).sum() - rate * scores.size)
    for other in np.unique(scores):
        distance = abs((scores >= other).sum() - rate * scores.size)
        assert reached <= distance
        if distance == reached:
            assert other <= threshold  # of two equally close the tighter one


def test_without_ties_it_is_the_quantile():
    scores = np.random.default_rng(1).permutation(1000) / 1000
    for rate in (1.0, 0.25, 0.1, 0.01, 0.001):
        assert (scores >= threshold_at_fpr(scores, rate)).mean() == pytest.approx(rate)


@pytest.mark.parametrize(
    ("scores", "rate"), [([], 0.1), ([1.0], 0.0), ([1.0], 1.5), ([1.0, np.nan], 0.5)]
)
def test_no_threshold_is_made_up(scores, rate):
    with pytest.raises(InputError, match="no threshold at a rate of"):
        threshold_at_fpr(scores, rate)


def test_weights_invert_the_mixture():
    """A perfect classifier's score is p_data / (p_data + p_bkg); the weight is p_sig / p_bkg."""
    ratio = np.array([0.0, 0.5, 1.0, 7.0, 300.0])  # p_signal / p_background
    fraction = 0.08
    data = fraction * ratio + 1 - fraction
    weights = likelihood_ratio_weights(data / (1 + data), fraction)
    np.testing.assert_allclose(weights, ratio, rtol=1e-9, atol=1e-12)


def test_weights_are_clipped():
    weights = likelihood_ratio_weights([0.0, 0.4, 1.0], 0.1)
    assert weights.tolist() == [0.0, 0.0, 1e9]


@pytest.mark.parametrize("fraction", [0.0, -0.2, 1.2, np.nan])
def test_no_signal_no_weights(fraction):
    with pytest.raises(InputError, match="the signal fraction is"):
        likelihood_ratio_weights([0.5], fraction)
