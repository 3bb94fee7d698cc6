"""What must not change a hunt: units, order, company, chunks and threads."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarkline.statistics import (
    HuntBinning,
    Spectrum,
    bump_hunt,
    expected_background,
    fit_batch,
    scan_windows,
    toy_hunts,
)
from quarkline.statistics.chunks import CHUNK


def events(seed=1, number=3000):
    random = np.random.default_rng(seed)
    background = 5 + random.exponential(4, 3 * number)
    return np.concatenate([background[background < 16][:number], random.normal(9.8, 0.3, 100)])


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-4, 1e4), st.floats(-50, 50), st.integers(0, 7))
def test_units_do_not_matter(factor, shift, degree):
    mass = events()
    binning = HuntBinning()
    moved = HuntBinning(
        tuple(factor * edge + shift * factor for edge in binning.range),
        tuple(factor * edge + shift * factor for edge in binning.window),
        binning.bins,
    )
    first = fit_batch(binning.count(mass), degree)
    second = fit_batch(moved.count(factor * mass + shift * factor), degree)
    assert second.q0 == pytest.approx(first.q0, rel=1e-7, abs=1e-8)
    assert second.background == pytest.approx(first.background, rel=1e-7)


def test_a_mirrored_spectrum_gives_the_same():
    mass = events()
    mirrored = HuntBinning((-16.0, -5.0), (-10.6, -9.0), 11)
    for degree in (2, 5):
        first = fit_batch(HuntBinning().count(mass), degree)
        second = fit_batch(mirrored.count(-mass), degree)
        assert second.q0 == pytest.approx(first.q0, rel=1e-8)


def test_the_order_of_events_does_not_matter():
    mass = events()
    shuffled = np.random.default_rng(3).permutation(mass)
    assert (HuntBinning().count(mass).cells == HuntBinning().count(shuffled).cells).all()


def test_unit_weights_change_nothing():
    mass = events()
    plain = fit_batch(HuntBinning().count(mass), 5)
    weighted = fit_batch(HuntBinning().count(mass, np.ones(mass.size)), 5)
    for item in ("q0", "signal", "background", "signal_error", "background_error"):
        assert getattr(weighted, item) == pytest.approx(float(getattr(plain, item)), rel=1e-12)


@pytest.mark.parametrize("weight", [1e-3, 0.25, 7.0, 1e3])
def test_a_common_weight_scales_numbers_and_keeps_significance(weight):
    """Where no bin is empty; an empty bin has s = 1 whatever the weights, as was published."""
    mass = events()
    plain = fit_batch(HuntBinning(bins=4).count(mass), 4)
    scaled = fit_batch(HuntBinning(bins=4).count(mass, np.full(mass.size, weight)), 4)
    assert scaled.q0 == pytest.approx(float(plain.q0), rel=1e-9)
    assert scaled.signal == pytest.approx(weight * float(plain.signal), rel=1e-9)
    assert scaled.signal_error == pytest.approx(weight * float(plain.signal_error), rel=1e-9)


def test_splitting_events_into_equal_parts_scales_significance():
    """k copies of weight 1/k carry the information of a k times larger sample at 1/k the rate."""
    mass = events()
    binning = HuntBinning(bins=4)
    copied = fit_batch(binning.count(np.repeat(mass, 4), np.full(4 * mass.size, 0.25)), 4)
    larger = fit_batch(binning.count(np.repeat(mass, 4)), 4)
    assert copied.q0 == pytest.approx(float(larger.q0), rel=1e-9)


def test_a_higher_degree_fits_the_sidebands_no_worse():
    random = np.random.default_rng(5)
    for events_a_bin in (0.3, 2.0, 50.0):
        sidebands = random.poisson(events_a_bin, (20, 64)).astype(float)
        likelihoods = []
        for degree in range(8):
            model_rates = _rates(sidebands, degree)
            logs = np.where(sidebands > 0, sidebands * np.log(model_rates), 0.0)
            likelihoods.append((logs - model_rates).sum(axis=1))
        assert (np.diff(likelihoods, axis=0) > -1e-6).all()


def _rates(sidebands, degree):
    from numpy.polynomial import legendre

    binning = HuntBinning()
    found = fit_batch(Spectrum(binning, sidebands, np.zeros(len(sidebands))), degree)
    unit = (2 * binning.centres - 21) / 11
    return np.maximum(found.coefficients @ legendre.legvander(unit, degree).T, 1e-300)


def test_company_does_not_matter():
    """A spectrum gives the same alone, in a batch, and in a batch of another shape."""
    random = np.random.default_rng(6)
    rates = np.geomspace(0.05, 100, 60)[:, None]
    cells = random.poisson(rates * np.ones(65)).astype(float).reshape(3, 20, 65)
    batch = fit_batch(Spectrum.from_cells(HuntBinning(), cells), 4)
    assert batch.q0.shape == (3, 20)
    assert batch.coefficients.shape == (3, 20, 5)
    for place in np.ndindex(3, 20):
        alone = fit_batch(Spectrum.from_cells(HuntBinning(), cells[place]), 4)
        assert alone.q0 == pytest.approx(batch.q0[place], abs=1e-7)
        assert alone.status() == batch.status(place)


@pytest.mark.parametrize("events_a_bin", [0.4, 30.0])
def test_threads_change_no_bit(events_a_bin):
    random = np.random.default_rng(7)
    cells = random.poisson(events_a_bin, (3 * CHUNK + 17, 65)).astype(float)
    spectra = Spectrum.from_cells(HuntBinning(), cells)
    first, second = (fit_batch(spectra, 5, workers=workers) for workers in (1, 3))
    for item in fields(first):
        np.testing.assert_array_equal(getattr(first, item.name), getattr(second, item.name))


@pytest.mark.parametrize("weighted", [False, True])
def test_threads_and_number_change_no_toy(weighted):
    mass = events()
    weight = np.random.default_rng(8).lognormal(0, 0.5, mass.size) if weighted else None
    expected = expected_background(HuntBinning().count(mass, weight), 5)
    few = toy_hunts(expected, 5, CHUNK + 5, seed=4)
    many = toy_hunts(expected, 5, 3 * CHUNK, seed=4, workers=2)
    np.testing.assert_array_equal(few.n_window, many.n_window[: CHUNK + 5])
    np.testing.assert_array_equal(few.q0[:CHUNK], many.q0[:CHUNK])
    np.testing.assert_allclose(few.q0, many.q0[: CHUNK + 5], atol=1e-8)
    again = toy_hunts(expected, 5, 3 * CHUNK, seed=4, workers=1)
    np.testing.assert_array_equal(again.q0, many.q0)
    assert (toy_hunts(expected, 5, CHUNK, seed=5).n_window != few.n_window[:CHUNK]).any()


def test_a_scan_does_not_depend_on_threads():
    mass = events()
    first, second = (
        scan_windows(HuntBinning(), mass, 4, n_toys=CHUNK + 40, workers=workers)
        for workers in (1, 2)
    )
    assert first == second


def test_no_spectra_give_no_numbers():
    found = fit_batch(Spectrum.from_cells(HuntBinning(), np.zeros((0, 65))), 5)
    assert found.q0.shape == (0,)
    assert found.coefficients.shape == (0, 6)


def test_equal_input_gives_equal_bytes():
    from quarkline.engine.core.results import canonical_json

    spectrum = HuntBinning().count(events())
    assert canonical_json(bump_hunt(spectrum, 5, n_toys=300)) == canonical_json(
        bump_hunt(spectrum, 5, n_toys=300, workers=2)
    )
