"""Training against out-of-fold scores, on toys where the answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from quarkline.statistics.evaluation import Bootstrap, overtraining

NONE = Bootstrap(0)


def p_values(pairs):
    return [overtraining(*pair, bootstrap=NONE).classes[0].p_chi2 for pair in pairs]


def nudged(events, seed):
    """The same events as scored by a model that differs by chance."""
    random = np.random.default_rng(seed)
    score = events.score * np.exp(0.4 * random.normal(size=events.score.shape))
    return replace(events, score=score / score.sum(axis=1, keepdims=True))


def test_without_overtraining_p_values_are_uniform(made):
    apart = [(made(900, seed=seed), made(600, seed=seed + 500)) for seed in range(120)]
    assert stats.kstest(p_values(apart), "uniform").pvalue > 0.01


def test_the_same_events_scored_twice_are_paired(made):
    pairs = [
        (nudged(events, seed), nudged(events, seed + 900))
        for seed in range(120)
        for events in [made(900, seed=seed, per_group=2)]
    ]
    assert stats.kstest(p_values(pairs), "uniform").pvalue > 0.01


def test_the_error_of_the_difference_knows_the_pairs(made):
    pairs = [
        (nudged(events, seed), nudged(events, seed + 900))
        for seed in range(100)
        for events in [made(500, seed=seed)]
    ]
    differences = [overtraining(*pair, bootstrap=NONE).classes[0].auc_difference for pair in pairs]
    told = [
        overtraining(*pair, bootstrap=Bootstrap(60)).classes[0].auc_difference.up
        for pair in pairs[:10]
    ]
    spread = np.std([difference.value for difference in differences])
    assert np.mean(told) == pytest.approx(spread, rel=0.25)


def test_overtraining_is_seen(made):
    found = overtraining(made(1500, better=1.0), made(1500, seed=2), bootstrap=Bootstrap(50))
    row = found.classes[0]
    assert row.auc_difference.value > 4 * row.auc_difference.up
    assert row.p_chi2 < 1e-6
    assert row.ks.p_value < 1e-6
    np.testing.assert_allclose(sum(row.shape.train), 1.0)


def test_a_class_without_events_has_no_answer(made):
    events = made(300)
    found = overtraining(events[events.label != 2], events, bootstrap=Bootstrap(3)).classes[2]
    assert (found.ndf, found.events[0]) == (0, 0)
    assert np.isnan([found.p_chi2, found.auc_difference.value, found.ks.statistic]).all()
    with pytest.raises(ValueError, match="are compared"):
        overtraining(events, replace(events, classes=("a", "b", "c")))
