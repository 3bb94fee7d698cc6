"""Toys of the reweighted fit, and toy p-values beside asymptotic ones."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.engine.core.rng import rng
from quarkline.statistics import (
    HuntBinning,
    fit_batch,
    likelihood_ratio_weights,
    p_from_z,
    p_value_rows,
    reweighted_hunts,
    trials_factor,
)
from quarkline.statistics.chunks import CHUNK

BINNING = HuntBinning()


def cells(events: float, shares: list[float]) -> np.ndarray:
    """One falling spectrum in every score interval."""
    rates = np.append(np.exp(-(BINNING.centres - 5) / 5), 11 * np.exp(-4.8 / 5))
    return events * np.array(shares)[:, None] * rates / rates.sum()


def test_flat_weights_are_the_plain_toys():
    """R = 1 everywhere makes every weight one, whatever the signal fraction."""
    toys = reweighted_hunts(cells(8000, [0.5, 0.3, 0.2]), np.full(3, 0.5), BINNING, 5, 900)
    np.testing.assert_allclose(toys.weighted, toys.inclusive, rtol=1e-6, atol=1e-6)


def test_a_toy_is_what_is_done_with_data():
    """The first toy again, event by event."""
    expected, score = cells(6000, [0.9, 0.09, 0.01]), np.array([0.45, 0.6, 0.9])
    toys = reweighted_hunts(expected, score, BINNING, 4, 40, seed=2)
    drawn = rng(2, "reweighted-toys", 0).poisson(expected, (40, *expected.shape))
    first = int(np.flatnonzero(toys.inclusive > 0)[0])
    middles = np.append(BINNING.centres, 9.8)
    mass = np.concatenate([np.repeat(middles, row) for row in drawn[first]])
    scores = np.repeat(score, drawn[first].sum(axis=1))
    plain = fit_batch(BINNING.count(mass), 4)
    weights = likelihood_ratio_weights(scores, float(plain.signal / plain.n_window))
    z = float(fit_batch(BINNING.count(mass, weights), 4).z)
    assert toys.inclusive[first] == pytest.approx(float(plain.z), rel=1e-9)
    assert toys.weighted[first] == pytest.approx(z, rel=1e-9)


def test_without_an_inclusive_excess_there_is_none():
    toys = reweighted_hunts(cells(4000, [0.9, 0.1]), np.array([0.4, 0.8]), BINNING, 3, 300)
    without = toys.inclusive == 0
    assert 0.4 < without.mean() < 0.6
    assert (toys.weighted[without] == 0).all()


def test_neither_workers_nor_more_toys_change_a_toy():
    arguments = cells(3000, [0.9, 0.1]), np.array([0.4, 0.8]), BINNING, 3
    one = reweighted_hunts(*arguments, 3 * CHUNK, seed=9)
    three = reweighted_hunts(*arguments, 3 * CHUNK, seed=9, workers=3)
    assert (one.weighted == three.weighted).all()
    few = reweighted_hunts(*arguments, CHUNK + 20, seed=9)
    np.testing.assert_allclose(few.weighted, one.weighted[: CHUNK + 20], rtol=1e-9)


def test_scales_taken_from_few_heavy_weights_feign_signal():
    """Why the report quotes toys: a bin that fluctuates up also gets a smaller say."""
    score = np.array([0.45, 0.9])
    toys = reweighted_hunts(cells(12_000, [0.995, 0.005]), score, BINNING, 5, 1500)
    two = p_value_rows(toys.weighted, [2.0])[0]
    assert two.p_toys.value - 3 * two.p_toys.down > two.p_asymptotic


def test_p_values_of_normal_toys_are_the_asymptotic_ones():
    z = np.maximum(np.random.default_rng(1).normal(size=100_000), 0.0)
    for row in p_value_rows(z, [1.0, 2.0, 3.0]):
        assert row.p_toys.value == pytest.approx(row.p_asymptotic, abs=4 * row.p_toys.up)
    assert p_value_rows([1.0, np.nan, 0.0], [1.0])[0].p_toys.value == 0.5


@pytest.mark.parametrize("hunts", [1, 6])
def test_independent_hunts_count_each(hunts):
    z = np.maximum(np.random.default_rng(2).normal(size=(60_000, hunts)), 0.0)
    found = trials_factor(z, [1.0, 2.0, 3.0])
    assert (found.hunts, found.n_toys) == (hunts, 60_000)
    for row in found.rows:
        assert row.effective.value == pytest.approx(hunts, abs=4 * row.effective.up)
    far = found.rows[-1]
    assert far.factor.value == pytest.approx(hunts, abs=4 * far.factor.up)
    assert far.p_local == pytest.approx(float(p_from_z(3.0)))


def test_equal_hunts_are_one_trial():
    z = np.repeat(np.maximum(np.random.default_rng(3).normal(size=(20_000, 1)), 0.0), 5, axis=1)
    z[0, 0] = np.nan
    found = trials_factor(z, [1.5])
    assert found.n_toys == 19_999
    assert found.rows[0].factor.value == pytest.approx(1.0, abs=4 * found.rows[0].factor.up)


def test_one_spectrum_many_fractions():
    score = np.array([0.3, 0.5, 0.8])
    many = likelihood_ratio_weights(score, np.array([[0.1], [0.5]]))
    assert many.tolist() == [likelihood_ratio_weights(score, mu).tolist() for mu in (0.1, 0.5)]
