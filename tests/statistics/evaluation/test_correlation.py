"""Correlations, against NumPy pair by pair."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.statistics.evaluation import feature_correlation


def test_pairs_are_numpys_over_events_that_have_both():
    random = np.random.default_rng(1)
    values = random.normal(size=(300, 4)) + random.normal(size=(300, 1))
    values[:, 2] = 1e6 + 1e-3 * values[:, 2]  # small beside its mean
    values[random.uniform(size=(300, 4)) < 0.2] = np.nan
    weight, score = random.exponential(size=300), values[:, 0].copy()
    score[np.isnan(score)] = 0.0
    found = feature_correlation("all", ("a", "b", "c", "d"), values, score, weight=weight)
    columns = np.column_stack([values, score])
    for first in range(5):
        for second in range(4):
            both = np.isfinite(columns[:, [first, second]]).all(axis=1)
            pair = columns[both][:, [first, second]]
            covariance = np.cov(pair.T, aweights=weight[both])
            expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
            row = found.with_score if first == 4 else found.matrix[first]
            assert row[second] == pytest.approx(expected, abs=1e-6)


def test_constant_and_missing_features_have_none():
    values = np.array([[1.0, np.nan, 2.0], [1.0, np.nan, 5.0], [1.0, np.nan, 3.0]])
    found = feature_correlation("all", ("a", "b", "c"), values, [1.0, 2.0, 3.0])
    matrix = np.array(found.matrix)
    assert np.isnan(matrix[:2]).all()
    assert matrix[2, 2] == pytest.approx(1.0)
    empty = feature_correlation("all", ("a",), np.empty((0, 1)), [])
    assert np.isnan(empty.matrix[0][0])


def test_weights_are_repetitions_and_negative_ones_take_away():
    random = np.random.default_rng(2)
    values = random.normal(size=(40, 2))
    twice = np.concatenate([values, values[:10]])
    weight = np.ones(40)
    weight[:10] = 2
    one = feature_correlation("x", ("a", "b"), values, values[:, 0], weight=weight)
    other = feature_correlation("x", ("a", "b"), twice, twice[:, 0])
    assert one.matrix[0][1] == pytest.approx(other.matrix[0][1])
    extra = np.concatenate([twice, values[:5], values[:5]])
    signed = np.concatenate([np.ones(55), -np.ones(5)])
    third = feature_correlation("x", ("a", "b"), extra, extra[:, 0], weight=signed)
    assert third.matrix[0][1] == pytest.approx(other.matrix[0][1])
