"""The fits reach the optimum: against a slow solver, and by what an optimum must satisfy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy import optimize

from quarkline.statistics import HuntBinning, Spectrum, fit_batch
from tests.statistics.reference import (
    basis,
    bin_centres,
    poisson_loss,
    reference_hunt,
    slsqp_fit,
    window_row,
)

SLOW_REFERENCE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@st.composite
def binnings(draw):
    """Windows anywhere in ranges of any scale, with few or many bins."""
    scale = 10.0 ** draw(st.floats(-3, 4))
    low = scale * draw(st.floats(-2, 5))
    width = scale * draw(st.floats(1, 12))
    start = low + width * draw(st.floats(0.0, 0.7))
    stop = start + width * draw(st.floats(0.05, 0.25))
    return HuntBinning((low, low + width), (start, stop), draw(st.integers(1, 16)))


@st.composite
def spectra(draw, most_events=1e7):
    """Contents drawn from steep, curved or noisy shapes, from a handful to many events."""
    binning = draw(binnings())
    degree = draw(st.integers(0, 9))
    assume(degree + 2 <= binning.n_sidebands <= 250)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    unit = np.linspace(-1, 1, binning.n_sidebands + 1)
    shape = np.exp(draw(st.floats(-4, 4)) * unit + draw(st.floats(-3, 3)) * unit**2)
    if draw(st.booleans()):
        shape = shape * np.exp(random.normal(0, 2, shape.size))
    events = 10.0 ** draw(st.floats(-0.5, np.log10(most_events)))
    expected = events * shape / shape.sum()
    expected[-1] = expected.mean() * binning.bins * draw(st.floats(0, 2))
    cells = random.poisson(expected).astype(float)
    return Spectrum.from_cells(binning, cells), degree, random


@st.composite
def weighted_spectra(draw):
    """The same with events of lognormal weights, of any scale."""
    plain, degree, random = draw(spectra(most_events=1e4))
    scale, spread = 10.0 ** draw(st.floats(-2, 2)), draw(st.floats(0.1, 1.5))
    weights = [scale * random.lognormal(0, spread, int(cell)) for cell in plain.cells]
    sums, squares = (np.array([(w**power).sum() for w in weights]) for power in (1, 2))
    return Spectrum.from_cells(plain.binning, sums, squares), degree


def compare(spectrum: Spectrum, degree: int) -> None:
    binning = spectrum.binning
    found = fit_batch(spectrum, degree)
    assert not found.failed
    reference = reference_hunt(
        binning.range,
        binning.window,
        binning.bins,
        degree,
        spectrum.sidebands,
        float(spectrum.window),
        spectrum.sidebands_w2,
        spectrum.window_w2,
    )
    events = spectrum.cells.sum()
    tolerance = 1e-6 + 1e-12 * events + reference.slack
    assert found.q0 == pytest.approx(reference.q0, rel=1e-6, abs=tolerance)
    if not found.degenerate:
        error = max(1.0, float(np.nan_to_num(found.background_error)))
        tolerance = error * (5e-3 + 2 * np.sqrt(reference.slack))
        assert found.background == pytest.approx(reference.background, abs=tolerance)


@SLOW_REFERENCE
@given(spectra())
def test_a_slow_solver_agrees(drawn):
    compare(drawn[0], drawn[1])


@SLOW_REFERENCE
@given(weighted_spectra())
def test_a_slow_solver_agrees_on_weighted_spectra(drawn):
    compare(*drawn)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spectra())
def test_a_slow_solver_agrees_at_length(drawn):
    compare(drawn[0], drawn[1])


@settings(max_examples=40, deadline=None)
@given(spectra(most_events=1e4))
def test_no_feasible_point_of_scipy_is_better(drawn):
    spectrum, degree, _ = drawn
    binning = spectrum.binning
    assume(spectrum.sidebands.sum() > 0)
    rows = basis(binning.range, degree, bin_centres(binning.range, binning.window, binning.bins))
    loss = poisson_loss(rows, spectrum.sidebands, np.ones(len(rows)))
    ours = fit_batch(spectrum, degree).coefficients
    flat = np.eye(degree + 1)[0] * spectrum.sidebands.mean()
    theirs = slsqp_fit(rows, spectrum.sidebands, np.ones(len(rows)), flat)
    rates = rows @ theirs
    feasible = np.where(rates < 0, 1e-9, rates)  # SLSQP keeps constraints only roughly
    theirs = np.linalg.lstsq(rows, feasible, rcond=None)[0]
    if (rows @ theirs >= 0).all():
        assert loss(ours) <= loss(theirs) + 1e-6
    assert (rows @ ours >= -1e-6 * max(1.0, rates.max())).all()


@settings(max_examples=200, deadline=None)
@given(spectra())
def test_optimum_conditions(drawn):
    """At the optimum the rates sum to the counts, and no direction that keeps l >= 0 gains."""
    spectrum, degree, random = drawn
    binning = spectrum.binning
    rows = basis(binning.range, degree, binning.centres)
    found = fit_batch(spectrum, degree)
    rates = rows @ found.coefficients
    scale = max(1.0, spectrum.sidebands.sum())
    assert rates.sum() == pytest.approx(spectrum.sidebands.sum(), abs=1e-4 * np.sqrt(scale))
    assert (rates >= -1e-9 * max(1.0, rates.max())).all()
    loss = poisson_loss(rows, spectrum.sidebands, np.ones(len(rows)))
    best = loss(np.linalg.lstsq(rows, np.maximum(rates, 1e-300), rcond=None)[0])
    if not np.isfinite(best):
        return
    for _ in range(20):
        tried = found.coefficients * (1 + 0.01 * random.normal(size=degree + 1))
        if (rows @ tried >= 0).all():
            assert loss(tried) >= best - 1e-6 - 1e-12 * scale


EXTREMES = {
    "nothing": (np.zeros(64), 0.0),
    "all in the window": (np.zeros(64), 50.0),
    "none in the window": (np.full(64, 20.0), 0.0),
    "one event": (np.eye(64)[10], 0.0),
    "one event and one in the window": (np.eye(64)[10], 1.0),
    "two filled bins": (3 * np.eye(64)[0] + 2 * np.eye(64)[63], 7.0),
    "one filled end": (5 * np.eye(64)[63], 0.0),
    "every other bin": (np.arange(64) % 2 * 4.0, 22.0),
    "a hundred million": (np.full(64, 1.5e6), 1.65e7),
}


@pytest.mark.parametrize("degree", [0, 1, 5, 9])
@pytest.mark.parametrize("case", EXTREMES)
def test_extremes_are_solved(case, degree):
    sidebands, window = EXTREMES[case]
    spectrum = Spectrum(HuntBinning(), sidebands, np.array(window))
    with np.errstate(all="raise"):
        found = fit_batch(spectrum, degree)
    assert not found.failed
    assert np.isfinite([found.q0, found.signal, found.background]).all()
    compare(spectrum, degree)


def test_sidebands_that_leave_the_background_open_are_said_to():
    """Whether many backgrounds share the best likelihood, found by linear programming."""
    random = np.random.default_rng(0)
    open_ones = 0
    for _ in range(60):
        degree = int(random.integers(1, 6))
        bins = int(random.integers(degree + 2, 25))
        half = float(bins // 2)
        binning = HuntBinning((0.0, bins + 1.0), (half, half + 1), 1)
        sidebands = np.zeros((10, bins))
        for row in sidebands:
            row[random.integers(0, bins, random.integers(1, 4))] += random.integers(1, 5)
        found = fit_batch(Spectrum(binning, sidebands, np.ones(10)), degree)
        for index, row in enumerate(sidebands):
            low, high = best_backgrounds(binning, degree, row, found.coefficients[index])
            assert low - 1e-4 <= found.background[index] <= high + 1e-4
            if found.degenerate[index]:
                assert high - low > 1e-4
                assert np.isnan(found.background_error[index])
                open_ones += 1
            else:
                assert high - low < 1e-2
    assert open_ones > 3


def best_backgrounds(binning, degree, sidebands, coefficients):
    """Smallest and largest background in the window among all optimal fits, to about 1e-5."""
    rows = basis(binning.range, degree, binning.centres)
    last = window_row(binning.range, binning.window, binning.bins, degree)
    filled = rows[sidebands > 0]
    limits = np.vstack([-rows, filled, -filled, rows.sum(axis=0)])
    fitted = filled @ coefficients
    bounds = [np.full(len(rows), 1e-9), fitted + 1e-6, 1e-6 - fitted, [sidebands.sum() + 1e-6]]
    return [
        sign
        * optimize.linprog(
            sign * last, limits, np.concatenate(bounds), bounds=(None, None), method="highs"
        ).fun
        for sign in (1, -1)
    ]


def test_positivity_is_said_to_bind():
    spectrum = Spectrum(HuntBinning(), 40 * np.eye(64)[0], np.array(0.0))
    found = fit_batch(spectrum, 2)
    assert found.bound
    assert not fit_batch(Spectrum(HuntBinning(), np.full(64, 9.0), np.array(99.0)), 2).bound
