"""The Poisson bootstrap by group."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.statistics.evaluation import Bootstrap
from quarkline.statistics.evaluation.bootstrap import band, with_error


def factors(group, **options):
    return np.array(list(Bootstrap(**options).factors(np.asarray(group, np.uint64))))


def test_factors_are_poisson_numbers_of_mean_one():
    drawn = factors(np.arange(4000), replicas=10)
    assert drawn.shape == (10, 4000)
    assert drawn.mean() == pytest.approx(1.0, abs=0.02)
    assert drawn.var() == pytest.approx(1.0, abs=0.03)
    shares = [0.3679, 0.3679, 0.1839, 0.0613]
    assert [(drawn == k).mean() for k in range(4)] == pytest.approx(shares, abs=0.01)
    across = np.corrcoef(drawn)[np.triu_indices(10, 1)]
    assert np.abs(across).max() < 0.08


def test_a_factor_depends_on_the_group_alone():
    groups = np.array([7, 3, 3, 2**63, 7])
    drawn = factors(groups, replicas=9)
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 4])
    np.testing.assert_array_equal(drawn[:, [2, 0]], factors([3, 7], replicas=9))
    np.testing.assert_array_equal(drawn[:3], factors(groups, replicas=3))
    assert (drawn != factors(groups, replicas=9, seed=2)).any()


def test_without_replicas_there_is_no_error():
    assert factors([1, 2], replicas=0).size == 0
    assert with_error(3.0, []).up is None
    assert with_error(3.0, [1.0, np.nan]).up is None
    low, high = band(np.empty((0, 4)))
    assert np.isnan([low, high]).all()


def test_the_band_is_central():
    low, high = band(np.random.default_rng(1).normal(size=(20000, 1)))
    assert [low[0], high[0]] == pytest.approx([-1, 1], abs=0.04)
