"""Judging the background: degree, spurious signal, band, shown spectrum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from quarkline.engine.core.findings import InputError
from quarkline.statistics import (
    HuntBinning,
    Spectrum,
    degree_test,
    expected_background,
    fit_band,
    fit_batch,
    fit_curve,
    hunt_model,
    spectrum_fit,
    spurious_signal,
    toy_hunts,
)


def polynomial(degree: int, scale: float = 2000.0) -> Spectrum:
    binning = HuntBinning(bins=4)
    model = hunt_model(binning, degree)
    coefficients = scale * np.array([1.0, -0.6, 0.25, -0.12, 0.06, -0.03])[: degree + 1]
    window = model.shape.integrals(np.array([9.0]), np.array([10.6])) @ coefficients
    rates = model.shape.values(binning.centres) @ coefficients
    return Spectrum(binning, rates, window[0] / binning.width)


def fluctuated(spectrum: Spectrum, random) -> Spectrum:
    return Spectrum.from_cells(spectrum.binning, random.poisson(spectrum.cells).astype(float))


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_the_degree_of_the_truth_is_chosen(degree):
    random = np.random.default_rng(degree)
    chosen = [
        degree_test(fluctuated(polynomial(degree), random), range(7)).chosen for _ in range(60)
    ]
    assert min(chosen) >= degree
    assert chosen.count(degree) >= 50  # the next step passes by chance at 5 %


def test_chi2_and_f_follow_their_distributions():
    random = np.random.default_rng(4)
    rows = [degree_test(fluctuated(polynomial(2), random), (2, 3)).rows for _ in range(300)]
    assert stats.kstest([first.p_fit for first, _ in rows], "uniform").pvalue > 0.001
    assert stats.kstest([second.p_f for _, second in rows], "uniform").pvalue > 0.001
    first, second = rows[0]
    bins = HuntBinning(bins=4).n_sidebands
    assert (first.ndf, second.ndf) == (bins - 3, bins - 4)
    expected = (first.chi2 - second.chi2) / (second.chi2 / second.ndf)
    assert second.f == pytest.approx(expected)
    assert second.p_f == pytest.approx(stats.f.sf(expected, 1, second.ndf))


def test_a_perfect_fit_asks_for_nothing_more():
    found = degree_test(polynomial(2), (2, 3))
    assert found.chosen == 2
    with pytest.raises(InputError, match="QL-STAT-005"):
        degree_test(polynomial(2), (40,))


def test_no_spurious_signal_where_the_model_is_the_truth():
    found = spurious_signal(polynomial(3), (3, 4, 5), n_toys=2000)
    for row in found.rows:
        assert abs(row.signal.value) < 1e-3
        assert abs(row.ratio) < 1e-4
        assert abs(row.toy_signal.value) < 5 * row.toy_signal.up
        assert row.n_toys_failed == 0


def test_a_rigid_model_feigns_a_signal():
    template = polynomial(4)
    rigid, rich = spurious_signal(template, (1, 4)).rows
    assert abs(rigid.ratio) > 1.0
    assert abs(rich.ratio) < 1e-4
    assert rigid.signal.value == pytest.approx(
        float(template.window - fit_batch(template, 1).background)
    )


def test_a_richer_fit_to_data_serves_as_template():
    random = np.random.default_rng(6)
    template = expected_background(fluctuated(polynomial(4), random), 5)
    assert abs(spurious_signal(template, (5,)).rows[0].ratio) < 1e-4


def test_the_band_adds_up_to_background_and_error():
    spectrum = polynomial(3, scale=100.0)
    found = fit_batch(spectrum, 3)
    expected, band = fit_band(spectrum, 3, [9.0, 10.6])
    assert expected[0] == pytest.approx(float(found.background))
    assert band[0] == pytest.approx(float(found.background_error))
    fine, _ = fit_band(spectrum, 3, np.linspace(9.0, 10.6, 40))
    assert fine.sum() == pytest.approx(float(found.background))


def test_the_band_is_as_wide_as_toys_spread():
    spectrum = polynomial(3, scale=300.0)
    edges = np.array([5.5, 6.0, 9.5, 10.0, 15.0])
    _, band = fit_band(spectrum, 3, edges)
    toys = toy_hunts(expected_background(spectrum, 3), 3, 3000)
    shape = hunt_model(spectrum.binning, 3).shape
    integrals = shape.integrals(edges[:-1], edges[1:]) / spectrum.binning.width
    spread = (toys.coefficients @ integrals.T).std(axis=0)
    np.testing.assert_allclose(spread, band, rtol=0.08)


def test_the_curve_is_the_density_in_events_a_bin():
    spectrum = polynomial(2, scale=80.0)
    density, error = fit_curve(spectrum, 2, spectrum.binning.centres)
    np.testing.assert_allclose(density, spectrum.sidebands, rtol=1e-7)
    assert (error > 0).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_the_shown_spectrum_holds_all_events_in_complete_bins(weighted):
    random = np.random.default_rng(7)
    mass = random.uniform(5, 16, 5000)
    weight = random.exponential(2.0, 5000) if weighted else None
    binning = HuntBinning()
    shown = spectrum_fit(binning, mass, 2, weight=weight)
    edges, counts = np.array(shown.edges), np.array(shown.counts)
    spectrum = binning.count(mass, weight)
    inside = (edges[:-1] > 8.99) & (edges[1:] < 10.61)
    assert inside.sum() == 11
    assert counts[inside].sum() == pytest.approx(float(spectrum.window))
    assert counts.sum() == pytest.approx(spectrum.cells.sum())
    assert (shown.error is None) is (not weighted)
    background = np.array(shown.expected)[inside].sum()
    assert background == pytest.approx(float(fit_batch(spectrum, 2).background))


def test_nothing_seen_has_no_band_but_no_crash_either():
    shown = spectrum_fit(HuntBinning(), [], 3)
    assert sum(shown.counts) == 0
    assert np.nansum(shown.expected) == 0
    assert np.isnan(shown.band).all()
