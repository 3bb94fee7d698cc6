"""The window slid over the range, and corrections for having looked often."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.engine.core.results import canonical_json, result_from_json
from quarkline.statistics import (
    HuntBinning,
    bump_hunt,
    global_significance,
    p_from_z,
    scan_windows,
    window_positions,
)
from quarkline.statistics.scan_toys import ToyScan, range_fit


def events(bump: int = 0, number: int = 4000, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    background = 5 + random.exponential(6, 4 * number)
    background = background[background < 16][:number]
    return np.concatenate([background, random.normal(12.2, 0.25, bump)])


def test_positions_are_steps_of_the_declared_window_inside_the_range():
    binning = HuntBinning()
    places = window_positions(binning, 0.8)
    lows = np.array([place.window[0] for place in places])
    np.testing.assert_allclose(lows, np.arange(5.8, 13.9, 0.8))
    assert binning.window in [place.window for place in places]
    for place in places:
        assert len(place.low_edges) > 1
        assert len(place.high_edges) > 1
    assert len(window_positions(HuntBinning((9.0, 10.6)), 0.8)) == 1


def test_each_window_is_its_own_hunt():
    mass = events(bump=80)
    scan = scan_windows(HuntBinning(), mass, 4, n_toys=0)
    for index, low in enumerate(scan.low):
        alone = bump_hunt(HuntBinning(window=(low, scan.high[index])).count(mass), 4)
        assert scan.z_local[index] == pytest.approx(alone.z_local, abs=1e-9)
        assert scan.n_window[index] == alone.n_window
        assert scan.signal[index] == pytest.approx(alone.signal.value)
    assert scan.p_global is None
    assert scan.best_p_global is None


def test_a_bump_is_found_where_it_is():
    scan = scan_windows(HuntBinning(), events(bump=260), 4, n_toys=400)
    assert scan.low[scan.best] <= 12.2 <= scan.high[scan.best]
    assert scan.z_local[scan.best] == max(scan.z_local)
    assert scan.n_exceeding == 0
    assert scan.p_global.value == pytest.approx(1 / 401)
    # beyond the toys the bound from upcrossings is quoted: several times the local p-value
    assert scan.best_p_global == scan.p_upcrossing
    assert 2 < scan.trials_factor < 100


@pytest.mark.parametrize("weighted", [False, True])
def test_toys_and_upcrossings_agree_without_a_bump(weighted):
    mass = events(seed=3)
    weight = np.full(mass.size, 2.5) if weighted else None
    scan = scan_windows(HuntBinning(), mass, 3, weight=weight, n_toys=1000)
    assert scan.n_toys_failed == 0
    assert scan.p_global.value > scan.p_local[scan.best]
    assert scan.p_upcrossing >= scan.p_global.value - 3 * scan.p_global.up
    assert scan.best_p_global == scan.p_global.value
    assert result_from_json(scan.as_json()) == scan
    assert canonical_json(scan)


def test_global_p_values_are_uniform():
    """Over repeated background-only data the corrected p-value is what it says."""
    binning, degree = HuntBinning(), 3
    density, scale = range_fit(binning, events(), degree)
    scan = ToyScan(window_positions(binning, 0.8), degree, density, scale)
    data, toys = scan.z(400, seed=2), scan.z(2000, seed=3)
    p_values = np.array([global_significance(z, toys).p_global.value for z in data])
    for level in (0.1, 0.3, 0.6):
        expected = 5 * np.sqrt(level * (1 - level) / 400)
        assert (p_values < level).mean() == pytest.approx(level, abs=expected)


def test_single_windows_of_toys_are_calibrated():
    binning, degree = HuntBinning(), 3
    density, scale = range_fit(binning, events(), degree)
    z = ToyScan(window_positions(binning, 0.8), degree, density, scale).z(4000)
    for level in (0.5, 1.0, 2.0):
        expected = float(p_from_z(level))
        error = 5 * np.sqrt(expected / 4000)
        np.testing.assert_allclose((z > level).mean(axis=0), expected, atol=error)


def test_the_range_fit_keeps_the_number_of_events():
    mass = events()
    binning = HuntBinning()
    for weight in (None, np.full(mass.size, 0.3)):
        density, scale = range_fit(binning, mass, 3, weight=weight)
        shown = binning.histogram(mass, weight)
        edges = binning.edges
        from quarkline.statistics import BACKGROUNDS

        shape = BACKGROUNDS["polynomial"](binning.range, 3)
        expected = shape.integrals(edges[:-1], edges[1:]) @ density / binning.width
        assert expected.sum() == pytest.approx(shown.sum())
        assert scale == (None if weight is None else pytest.approx(0.3))


def test_a_step_may_be_chosen():
    scan = scan_windows(HuntBinning(), events(), 3, step=0.37, n_toys=50)
    np.testing.assert_allclose(np.diff(scan.low), 0.37)


def test_independent_hunts_multiply_the_p_value():
    random = np.random.default_rng(5)
    toys = np.maximum(random.normal(size=(20_000, 10)), 0.0)
    seen = np.zeros(10)
    seen[7] = 2.5
    found = global_significance(seen, toys)
    assert found.best == 7
    exact = 1 - (1 - float(p_from_z(2.5))) ** 10
    assert found.p_global.value == pytest.approx(exact, abs=5 * found.p_global.up)
    identical = global_significance(seen, np.repeat(toys[:, :1], 10, axis=1))
    assert identical.p_global.value == pytest.approx(found.p_local, abs=0.003)


def test_failed_toys_are_counted():
    toys = np.ones((100, 3))
    toys[:7, 1] = np.nan
    found = global_significance([0.5, np.nan, 1.0], toys)
    assert (found.n_toys, found.n_failed, found.best) == (93, 7, 2)
    assert found.p_global.value == 1.0
    assert found.z_global == 0.0
