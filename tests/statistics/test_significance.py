"""Tail probabilities and intervals, against SciPy and textbook values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quarkline.statistics import (
    binomial_interval,
    excess_significance,
    p_from_z,
    poisson_interval,
    tail_fraction,
    z_from_p,
)


def test_known_tails():
    assert p_from_z(0.0) == 0.5
    assert p_from_z(5.0) == pytest.approx(2.866515719e-7, rel=1e-9)
    assert p_from_z(30.0) == pytest.approx(4.906713927e-198, rel=1e-9)
    assert z_from_p(2.866515719e-7) == pytest.approx(5.0, abs=1e-9)
    assert z_from_p(0.0) == np.inf


@given(st.floats(-4, 37))
def test_there_and_back(z):
    assert z_from_p(p_from_z(z)) == pytest.approx(z, abs=1e-9)


@pytest.mark.parametrize("count", [0, 1, 3, 17, 1000])
def test_garwood(count):
    low, high = poisson_interval(count)
    tail = stats.norm.sf(1)
    if count:
        assert stats.poisson.sf(count - 1, low) == pytest.approx(tail)
    else:
        assert low == 0
    assert stats.poisson.cdf(count, high) == pytest.approx(tail)


def test_garwood_of_zero_is_the_known_limit():
    assert poisson_interval(0)[1] == pytest.approx(1.8410, abs=1e-4)
    assert poisson_interval(0, level=0.9)[1] == pytest.approx(-np.log(0.05))


@pytest.mark.parametrize(("passed", "trials"), [(0, 10), (10, 10), (3, 10), (1, 1), (500, 1000)])
def test_clopper_pearson(passed, trials):
    low, high = binomial_interval(passed, trials)
    exact = stats.binomtest(passed, trials).proportion_ci(1 - 2 * stats.norm.sf(1), "exact")
    assert (low, high) == (pytest.approx(exact.low), pytest.approx(exact.high))


def test_nothing_tried_is_nothing_known():
    assert binomial_interval(0, 0) == (0.0, 1.0)
    low, high = binomial_interval(np.array([0, 2]), np.array([0, 4]))
    assert low.shape == high.shape == (2,)


def test_a_p_value_from_toys_is_never_zero_and_covers():
    found = tail_fraction(0, 999)
    assert found.value == 0.001
    assert found.value - found.down == pytest.approx(0.0)
    assert found.value + found.up == pytest.approx(1.8410 / 999, rel=1e-3)
    assert tail_fraction(999, 999).value == 1.0
    assert tail_fraction(0, 0).value == 1.0


@pytest.mark.parametrize(
    ("count", "off", "tau", "z"),
    [
        (4, 5, 5.0, 1.66),
        (6, 18.78, 14.44, 2.63),
        (9, 17.83, 4.69, 1.82),
        (17, 40.11, 10.56, 4.46),
        (50, 55, 2.0, 2.93),
        (67, 15, 0.5, 2.89),
        (200, 10, 0.1, 2.20),
        (523, 2327, 5.99, 5.93),
    ],
)
def test_excesses_have_the_published_significance(count, off, tau, z):
    """Cousins, Linnemann and Tucker, NIM A 595 (2008) 480, table 1, Z_Bi."""
    background, error = off / tau, np.sqrt(off) / tau
    assert excess_significance(count, background, error) == pytest.approx(z, abs=0.006)


def test_an_exactly_known_background_gives_poisson_tails():
    counts = np.arange(30)
    z = excess_significance(counts, 10.0, 0.0)
    above, below = stats.poisson.sf(counts - 1, 10.0), stats.poisson.cdf(counts, 10.0)
    expected = np.where(
        counts >= 10, np.maximum(stats.norm.isf(above), 0), np.minimum(-stats.norm.isf(below), 0)
    )
    assert z == pytest.approx(expected)
    assert excess_significance(3, 0.0, 0.0) == np.inf
    assert excess_significance(0, 0.0, 0.0) == 0.0


def test_a_small_error_of_the_background_changes_little():
    assert excess_significance(25, 10.0, 1e-4) == pytest.approx(excess_significance(25, 10.0, 0.0))
