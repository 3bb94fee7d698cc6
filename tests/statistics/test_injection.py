"""Injected signal comes back, with honest errors."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.statistics import (
    HuntBinning,
    Spectrum,
    fit_batch,
    gaussian_signal,
    injection_seed,
    injection_test,
    power,
    predicted_background,
    toy_hunts,
)
from quarkline.statistics.chunks import CHUNK

UPSILONS = (9.460, 10.023, 10.355)
BINOMIAL = np.sqrt(0.6827 * 0.3173 / 2000)
STRENGTHS = (0.0, 1.0, 2.0, 3.0, 5.0)


def falling(in_window: float) -> Spectrum:
    """A falling background with so many events in the window."""
    binning = HuntBinning()
    rates = np.exp(-(binning.centres - 5) / 5)
    spectrum = Spectrum(binning, in_window / 11 * np.exp(4.8 / 5) * rates, np.array(in_window))
    return predicted_background(spectrum, 5)


def signal() -> np.ndarray:
    return gaussian_signal(HuntBinning(), UPSILONS, 0.01)


@pytest.mark.parametrize("in_window", [1500.0, 150.0, 15.0])
def test_the_counting_fit_is_linear_within_5_percent_and_covers(in_window):
    test = injection_test(falling(in_window), 5, signal(), STRENGTHS, 2000, seed=4)
    assert test.slope.value == pytest.approx(1.0, abs=0.05)
    assert test.slope.up < 0.01
    assert abs(test.offset.value) < 0.1 * test.spread
    assert test.covers
    for row in test.rows:
        assert row.left_out == 0
        assert row.coverage.value == pytest.approx(
            0.6827, abs=3.5 * np.sqrt(0.6827 * 0.3173 / 2000)
        )
        assert row.pull_width.value == pytest.approx(1.0, abs=0.06)
        assert row.fitted.value == pytest.approx(
            row.injected, abs=4 * row.fitted.up + 0.005 * row.injected
        )


def test_strength_zero_is_the_background_only_toys():
    expected = falling(150.0)
    test = injection_test(expected, 5, signal(), STRENGTHS, 700, seed=4)
    toys = toy_hunts(expected, 5, 700, seed=injection_seed(4, 0.0))
    row = test.rows[0]
    assert row.injected == 0.0
    assert row.fitted.value == toys.signal.mean()
    assert row.power.z_mean.value == toys.z.mean()
    assert test.spread == toys.signal.std(ddof=1)


def test_power_rises_with_the_signal_and_is_asimovs():
    expected = falling(1500.0)
    test = injection_test(expected, 5, signal(), STRENGTHS, 2000, seed=6)
    discovered = [row.power.evidence.value for row in test.rows]
    assert discovered == sorted(discovered)
    for row in test.rows[1:]:
        asimov = Spectrum.from_cells(expected.binning, expected.cells + row.injected * signal())
        assert row.power.z_median == pytest.approx(float(fit_batch(asimov, 5).z), abs=0.1)


def test_neither_workers_nor_other_strengths_change_a_number():
    expected = falling(15.0)
    toys = 2 * CHUNK + 30
    alone = injection_test(expected, 5, signal(), [0.0, 3.0], toys)
    many = injection_test(expected, 5, signal(), STRENGTHS, toys, workers=3)
    assert asdict(alone.rows[1]) == asdict(many.rows[3])


def test_what_leaks_out_of_the_window_is_counted_beside_it():
    narrow, wide = (gaussian_signal(HuntBinning(), [9.8], width) for width in (0.005, 0.05))
    assert narrow[-1] == wide[-1] == 1.0
    assert narrow[:-1].sum() == pytest.approx(0.0, abs=1e-12)
    # 9.8 GeV is 0.8 GeV from both edges: 1.633 standard deviations of 0.49 GeV
    assert wide[:-1].sum() == pytest.approx(0.10253 / 0.89747, rel=1e-3)


@pytest.mark.parametrize(("masses", "resolution"), [([3.1], 0.01), ([9.8], 0.0), ([], 0.01)])
def test_a_signal_outside_the_window_is_refused(masses, resolution):
    with pytest.raises(InputError, match=r"QL-STAT-050.*lies in the window 9 to 10\.6"):
        gaussian_signal(HuntBinning(), masses, resolution)


def test_the_predicted_background_does_not_follow_an_excess():
    quiet = falling(150.0)
    excess = Spectrum(quiet.binning, quiet.sidebands, quiet.window + 80)
    np.testing.assert_allclose(predicted_background(excess, 5).cells, quiet.cells, rtol=1e-6)


def test_power_counts_thresholds_and_failed_fits():
    found = power(12.0, [0.0, 3.0, 4.0, 5.0, np.nan])
    assert (found.experiments, found.failed) == (4, 1)
    assert found.evidence.value == 0.75
    assert found.discovery.value == 0.25
    assert found.z_mean.value == 3.0
    assert found.z_median == 3.5
    assert np.isnan(power(1.0, []).evidence.value)
