"""Toys follow their expectation and calibrate the statistic."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from quarkline.engine.core.findings import WorkError
from quarkline.statistics import (
    HuntBinning,
    Spectrum,
    bump_hunt,
    expected_background,
    fit_batch,
    toy_hunts,
    toy_p_value,
)
from quarkline.statistics import toys as module


def falling(scale: float) -> Spectrum:
    binning = HuntBinning()
    rates = scale * np.exp(-(binning.centres - 5) / 5)
    window = scale * 11 * np.exp(-(9.8 - 5) / 5)
    return Spectrum(binning, np.round(rates), np.round(window))


def test_the_expectation_is_the_null_fit():
    spectrum = falling(100.0)
    expected = expected_background(spectrum, 5)
    assert expected.cells.sum() == pytest.approx(spectrum.cells.sum(), rel=1e-9)
    again = fit_batch(expected, 5)
    assert again.q0 == pytest.approx(0.0, abs=1e-8)
    assert again.background == pytest.approx(expected.window, rel=1e-7)


def test_toys_have_the_expected_contents():
    expected = expected_background(falling(20.0), 4)
    drawn = module.toy_counts(np.random.default_rng(1), expected.cells, 20_000, None).seen
    error = np.sqrt(expected.cells / 20_000)
    assert (np.abs(drawn.mean(axis=1) - expected.cells) < 5 * error).all()
    np.testing.assert_allclose(drawn.var(axis=1), expected.cells, rtol=0.06)


def test_weighted_toys_have_the_expected_sums_and_errors():
    means, scale = np.array([4.0, 30.0, 0.5]), np.array([0.5, 3.0, 2.0])
    counts = module.toy_counts(np.random.default_rng(1), means, 40_000, scale)
    sums = counts.seen / counts.exposure
    np.testing.assert_allclose(sums.mean(axis=1), means, rtol=0.05)
    np.testing.assert_allclose(sums.var(axis=1), scale * means, rtol=0.05)
    assert set(np.unique(counts.exposure[:, counts.seen.min(axis=0) == 0]).round(6)) >= {1.0}


@pytest.mark.parametrize("scale", [3.0, 150.0])
def test_half_of_the_toys_have_no_excess_and_the_rest_are_normal(scale):
    """q0 of background-only spectra: half a chi-square (Cowan et al., EPJ C 71 (2011) 1554)."""
    toys = toy_hunts(expected_background(falling(scale), 4), 4, 4000, seed=7)
    assert not toys.failed.any()
    assert (toys.q0 == 0.0).mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(4000))
    positive = toys.z[toys.z > 0]
    uniform = stats.norm.sf(positive) / 0.5
    if scale > 100:
        assert stats.kstest(uniform, "uniform").pvalue > 0.01
    assert (toys.z > 1).mean() == pytest.approx(stats.norm.sf(1), abs=0.03)


def test_errors_have_the_width_of_the_toys():
    expected = expected_background(falling(150.0), 4)
    toys = toy_hunts(expected, 4, 4000, seed=8)
    pulls = (toys.background - expected.window) / toys.background_error
    assert pulls.std() == pytest.approx(1.0, abs=0.05)
    assert pulls.mean() == pytest.approx(0.0, abs=0.08)
    signals = toys.signal / toys.signal_error
    assert signals.std() == pytest.approx(1.0, abs=0.05)


def test_p_value_counts_toys_and_carries_its_error():
    toys = toy_hunts(expected_background(falling(50.0), 3), 3, 999)
    inside = float(np.sort(toys.q0)[-100])
    p_value = toy_p_value(inside, toys)
    assert p_value.value == pytest.approx(101 / 1000)
    assert p_value.up == pytest.approx(0.010, abs=0.002)
    assert toy_p_value(0.0, toys).value == 1.0
    none = toy_p_value(1e9, toys)
    assert none.value == pytest.approx(1 / 1000)
    assert none.down == pytest.approx(1 / 1000)


def test_equal_spectra_count_as_reaching_the_data():
    """At low counts a toy repeats the data bin by bin; rounding must not decide."""
    binning = HuntBinning((0.0, 6.0), (2.0, 3.0), 1)
    spectrum = Spectrum(binning, np.array([1.0, 0, 1, 0, 0]), np.array(2.0))
    toys = toy_hunts(expected_background(spectrum, 1), 1, 3000)
    result = bump_hunt(spectrum, 1)
    same = np.abs(toys.q0 - result.q0) < 1e-6
    assert same.sum() > 5
    assert toy_p_value(result.q0, toys).value * 3001 - 1 >= same.sum()


def test_toys_agree_with_the_asymptotic_p_value():
    spectrum = falling(150.0)
    bumped = Spectrum(spectrum.binning, spectrum.sidebands, spectrum.window + 100)
    result = bump_hunt(bumped, 4, n_toys=5000, workers=2)
    assert result.n_toys == 5000
    assert result.n_toys_failed == 0
    assert result.p_toys.value == pytest.approx(result.p_local, abs=5 * result.p_toys.up + 0.005)
    assert result.z_toys == pytest.approx(result.z_local, abs=0.25)


def test_failed_fits_are_counted_and_left_out(monkeypatch):
    toys = toy_hunts(expected_background(falling(50.0), 3), 3, 100)
    failed = toys.failed.copy()
    failed[:10] = True
    object.__setattr__(toys, "failed", failed)
    p_value = toy_p_value(0.0, toys)
    assert p_value.value == 1.0
    assert toy_p_value(np.inf, toys).value == pytest.approx(1 / 91)


def test_toys_need_a_fit_to_follow(monkeypatch):
    real = module.fit_rates

    def uncertified(*arguments):
        fit = real(*arguments)
        fit.certified[:] = False
        return fit

    monkeypatch.setattr(module, "fit_rates", uncertified)
    with pytest.raises(WorkError, match="QL-STAT-010"):
        expected_background(falling(10.0), 3)
