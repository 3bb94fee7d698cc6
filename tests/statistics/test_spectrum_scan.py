"""A whole spectrum in logarithmic windows: exact fits, laws, known peaks, calibrated p-values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import canonical_json, result_from_json
from quarkline.statistics import SpectrumGrid, WindowStatus, p_from_z, scan_spectrum
from quarkline.statistics.spectrum_fits import CellContents
from quarkline.statistics.spectrum_grid import CELLS, FEWEST, GUARD
from quarkline.statistics.spectrum_scan import scan_cells
from quarkline.statistics.trials import upcrossing_bound
from tests.statistics.reference import barrier_fit

RANGE = (1.0, 6.0)
JPSI, PSI2S = 3.0969, 3.6861


def events(number: int = 60_000, seed: int = 1, peaks: dict[float, int] | None = None):
    """A steep spectrum with a threshold, and Gaussian peaks 1 % wide."""
    random = np.random.default_rng(seed)
    mass = np.geomspace(*RANGE, 20_001)
    density = mass**-1.5 / (1.0 + np.exp(-(mass - 1.8) / 0.25)) + 0.1
    steps = np.append(0.0, np.cumsum((density[1:] + density[:-1]) / 2))
    drawn = np.interp(random.random(number), steps / steps[-1], np.log(mass))
    bumps = [random.normal(m, 0.01 * m, n) for m, n in (peaks or {}).items()]
    return np.concatenate([np.exp(drawn), *bumps])


def asimov(signal, background, error):
    """Median significance of a counted signal over an uncertain background.

    Cowan, "Discovery sensitivity for a counting experiment with background uncertainty" (2012).
    """
    total, variance = signal + background, error**2
    first = total * np.log(total * (background + variance) / (background**2 + total * variance))
    second = (
        background**2
        / variance
        * np.log1p(variance * signal / (background * (background + variance)))
    )
    return np.sqrt(2 * (first - second))


def test_cells_tile_the_range_in_equal_ratios():
    grid = SpectrumGrid((0.3, 20.0), 0.012)
    assert grid.edges[0] == 0.3
    assert grid.edges[-1] == pytest.approx(20.0)
    ratios = grid.edges[1:] / grid.edges[:-1]
    np.testing.assert_allclose(ratios, ratios[0])
    assert CELLS * np.log(ratios[0]) == pytest.approx(2.8 * 0.012, rel=0.002)
    mass = np.concatenate([grid.edges, [0.29999, 25.0]])
    np.testing.assert_array_equal(grid.count(mass), 1.0)


def test_sidebands_keep_clear_of_the_window_its_guard_and_every_mask():
    grid = SpectrumGrid(RANGE, 0.01, ((2.9, 3.3), (3.55, 3.8)))
    for window in grid.windows:
        cells = window.first + np.array(window.sidebands, dtype=int)
        assert not grid.masked[cells].any()
        near = (cells >= window.first - GUARD) & (cells < window.first + CELLS + GUARD)
        assert not near.any()
        assert (np.diff(cells) > 0).all()
        assert window.below == (cells < window.first).sum()
        overlap = grid.masked[window.cells].any()
        assert window.known == overlap
    middle = grid.edges[np.flatnonzero(grid.masked)]
    assert ((middle > 2.88) & (middle < 3.8)).all()


def test_every_window_is_the_exact_fit_of_its_own_cells():
    """Against a slow solver in powers of ln m."""
    grid = SpectrumGrid(RANGE, 0.02, ((2.9, 3.3),))
    mass = events(6000, peaks={JPSI: 300})
    found = scan_spectrum(grid, mass, degree=2, n_toys=0)
    contents = grid.count(mass)
    x = np.log(grid.edges)
    for index in range(10, len(found.low), 7):
        window = grid.windows[index]
        if found.status[index] is not WindowStatus.CONVERGED:
            continue
        cells = window.first + np.array(window.sidebands)
        middle = x[window.first]
        power = [((x[1:] - middle) ** k - (x[:-1] - middle) ** k) / k for k in (1, 2, 3)]
        rows = np.stack(power, axis=1)
        rows = rows / np.abs(rows[cells]).max(axis=0)
        last = rows[window.cells].sum(axis=0)
        seen = np.append(contents[cells], contents[window.cells].sum())
        ones = np.ones(seen.size)
        point, free, _ = barrier_fit(rows[cells], seen[:-1], ones[:-1])
        _, null, _ = barrier_fit(np.vstack([rows[cells], last]), seen, ones)
        assert found.background[index] == pytest.approx(last @ point, rel=1e-5)
        q0 = 2 * (null - free - (seen[-1] - seen[-1] * np.log(seen[-1])))
        q0 = q0 if seen[-1] >= last @ point else 0.0
        assert found.z_local[index] ** 2 == pytest.approx(max(q0, 0.0), abs=1e-5)


def test_an_injected_peak_has_the_expected_significance():
    """In the expectation itself, with the formula of a count over an uncertain background."""
    grid = SpectrumGrid(RANGE, 0.01)
    width = np.log(grid.edges[1] / grid.edges[0])
    background = 50_000 * width * (1.0 + 0.3 * np.log(grid.edges[:-1]))
    index = 100
    mass = float(np.sqrt(grid.edges[index] * grid.edges[index + CELLS]))
    signal = 600 * np.diff(stats.norm.cdf(np.log(grid.edges), np.log(mass), 0.01))
    found = scan_cells(grid, CellContents((background + signal)[:, None]), degree=3, n_toys=0)
    assert found.best.index == index
    expected = background[index : index + CELLS].sum()
    assert found.n_window[index] - expected == pytest.approx(600 * 0.8385, rel=0.01)
    assert found.background[index] == pytest.approx(expected, rel=2e-3)
    centres = np.r_[index - 14 : index - 2, index + 6 : index + 18] - index - 1.5
    design = np.vander(centres / 16, 4)
    curve = np.vander((np.arange(4) - 1.5) / 16, 4).sum(axis=0)
    information = design.T @ (
        design / background[np.r_[index - 14 : index - 2, index + 6 : index + 18]][:, None]
    )
    error = float(np.sqrt(curve @ np.linalg.solve(information, curve)))
    assert found.background_error[index] == pytest.approx(error, rel=0.01)
    excess = found.n_window[index] - expected
    assert found.z_local[index] == pytest.approx(asimov(excess, expected, error), rel=0.01)


def test_a_common_factor_of_all_masses_changes_nothing():
    mask = ((2.9, 3.3),)
    first = scan_spectrum(SpectrumGrid(RANGE, 0.01, mask), events(), n_toys=64)
    scaled = SpectrumGrid((1000.0, 6000.0), 0.01, ((2900.0, 3300.0),))
    second = scan_spectrum(scaled, 1000.0 * events(), n_toys=64)
    np.testing.assert_allclose(second.z_local, first.z_local, atol=1e-9)
    np.testing.assert_allclose(second.low, 1000.0 * np.array(first.low))
    assert second.best == first.best


def test_order_workers_and_more_toys_change_nothing():
    grid, mass = SpectrumGrid(RANGE, 0.02), events(20_000)
    first = scan_spectrum(grid, mass, n_toys=600, seed=4)
    second = scan_spectrum(grid, mass[::-1], n_toys=600, seed=4, workers=3)
    assert canonical_json(first) == canonical_json(second)
    assert canonical_json(result_from_json(first.as_json())) == canonical_json(first)
    other = scan_spectrum(grid, mass, n_toys=600, seed=5)
    np.testing.assert_array_equal(other.z_local, first.z_local)
    assert other.best.upcrossings != first.best.upcrossings


def test_equal_weights_are_counts_where_no_cell_is_empty():
    grid, mass = SpectrumGrid(RANGE, 0.02), events(200_000)
    plain = scan_spectrum(grid, mass, n_toys=200)
    weighted = scan_spectrum(grid, mass, weight=np.full(mass.size, 2.5), n_toys=200)
    np.testing.assert_allclose(weighted.z_local, plain.z_local, atol=1e-6)
    np.testing.assert_allclose(weighted.signal, 2.5 * np.array(plain.signal), atol=1e-3)
    np.testing.assert_allclose(weighted.error, 2.5 * np.sqrt(plain.counts))
    assert weighted.best.p_global.value == pytest.approx(plain.best.p_global.value, abs=0.02)


def test_masks_keep_known_peaks_out_of_the_backgrounds_of_others():
    """The psi(2S) beside a J/psi a hundred times stronger."""
    mass = events(300_000, peaks={JPSI: 60_000, PSI2S: 1200})
    bare = scan_spectrum(SpectrumGrid(RANGE, 0.01), mass, n_toys=0)
    mask = ((2.9, 3.3), (3.53, 3.85))
    masked = scan_spectrum(SpectrumGrid(RANGE, 0.01, mask), mass, n_toys=0)
    at = masked.window_at(PSI2S)
    own = (np.abs(np.log(mass[300_000:] / PSI2S)) < 0.014)[60_000:].sum()
    assert masked.signal[at] == pytest.approx(own, abs=4 * masked.signal_error[at])
    beside = [i for i, low in enumerate(bare.low) if 3.3 < low < 3.43 or 2.5 < low < 2.8]
    pulled = np.nanmax(np.abs(np.array(bare.signal) / np.array(bare.signal_error))[beside])
    clean = np.array(masked.signal) / np.array(masked.signal_error)
    assert pulled > 8.0
    assert np.nanmax(np.abs(clean[beside])) < 4.0
    assert masked.known[at]
    assert not masked.known[masked.best_unknown.index]
    assert masked.candidate == masked.best_unknown
    assert masked.z_local[masked.best.index] > 100.0


def test_windows_beside_a_strong_peak_or_an_edge_are_not_believed():
    mass = events(300_000, peaks={JPSI: 60_000, 5.0: 1500})
    mass = mass[mass < 5.6]
    bare = scan_spectrum(SpectrumGrid(RANGE, 0.01), mass, n_toys=100)
    jpsi, edge = bare.misfits()[0], bare.misfits()[-1]
    assert jpsi[0] < 0.9 * JPSI < 1.1 * JPSI < jpsi[1]
    assert edge[0] < 5.6 < edge[1]
    # a weaker peak stands in the open: the guard keeps it out of its own sidebands
    assert bare.window_at(5.0) in range(bare.best.index - 1, bare.best.index + 2)
    far = [z for low, z in zip(bare.low, bare.z_local, strict=True) if low < 4.8]
    assert np.nanmax(far) < 4.5
    assert bare.best.windows == bare.searched
    masked = SpectrumGrid(RANGE, 0.01, ((2.9, 3.3), (4.83, 5.18), (5.5, 6.0)))
    assert scan_spectrum(masked, mass, n_toys=0).misfits() == []


def test_windows_that_cannot_be_searched_say_why():
    grid = SpectrumGrid((1.0, 30.0), 0.02, ((2.9, 3.3),))
    found = scan_spectrum(grid, events(3000), n_toys=100)
    ends = FEWEST + GUARD
    assert set(found.status[:ends]) == set(found.status[-ends:]) == {WindowStatus.ONE_SIDED}
    empty = [i for i, low in enumerate(found.low) if 8.0 < low < 20.0]
    assert {found.status[i] for i in empty} == {WindowStatus.SPARSE}
    assert np.isnan([found.z_local[i] for i in empty]).all()
    assert found.best.windows == found.searched < len(found.low)
    assert found.best.n_toys_failed == 0
    nothing = scan_spectrum(grid, [], n_toys=100)
    assert nothing.best is nothing.candidate is None
    assert nothing.searched == 0
    assert result_from_json(nothing.as_json()).status == nothing.status


def test_few_events_are_searched_too():
    found = scan_spectrum(SpectrumGrid(RANGE, 0.02), events(150), n_toys=200)
    assert WindowStatus.CONVERGED in found.status
    assert found.best.p_global.value > found.best.p_local
    assert found.best.n_toys_failed == 0


def test_toys_follow_the_spectrum_without_its_peaks():
    grid = SpectrumGrid(RANGE, 0.01, ((2.9, 3.3),))
    background = events(400_000)
    with_peak = scan_spectrum(grid, np.append(background, events(1, peaks={JPSI: 9000})), n_toys=0)
    counted, expected = grid.count(background), np.array(with_peak.expected)
    held = expected > 0
    pulls = (counted - expected)[held] / np.sqrt(expected[held])
    assert abs(pulls.mean()) < 5 / np.sqrt(held.sum())
    assert pulls.std() == pytest.approx(1.0, abs=0.2)


def test_each_stretch_of_windows_adds_its_own_start():
    z = np.array([[0.0, 2.0, 0.0, 2.0], [0.0, 0.0, 2.0, 2.0]])
    mean, bound = upcrossing_bound(4.0, z)
    assert mean.value == 1.5
    assert bound == pytest.approx(float(p_from_z(4.0)) + 1.5 * np.exp(-7.5))
    mean, bound = upcrossing_bound(4.0, z, [3])
    assert mean.value == 1.0
    assert bound == pytest.approx(2 * float(p_from_z(4.0)) + np.exp(-7.5))


def test_refusals_say_what_to_type():
    def refused(*arguments, **options):
        with pytest.raises(InputError) as error:
            scan_spectrum(SpectrumGrid(*arguments), **({"mass": [1.0]} | options))
        return str(error.value)

    assert "start above zero, such as 0.3 20" in refused((0.0, 20.0))
    assert "the resolution 0.5 is not in (0, 0.1]" in refused(RANGE, 0.5)
    assert "the mask 3.3 to 2.9 is empty" in refused(RANGE, 0.01, ((3.3, 2.9),))
    assert "widen the range or give a finer resolution" in refused((1.0, 1.1), 0.05)
    assert "makes 255,966 windows" in refused(RANGE, 1e-5)
    assert "use a degree from 0 to 10" in refused(RANGE, degree=11)
    assert refused(RANGE, mass=[np.nan]).startswith("QL-STAT-002")
    assert refused(RANGE, mass=[2.0], weight=[-1.0]).startswith("QL-STAT-003")


@pytest.mark.slow
@pytest.mark.parametrize("number", [3000, 100_000])
def test_global_p_values_are_uniform(number):
    """Over background-only samples of a spectrum that no polynomial describes."""
    grid = SpectrumGrid(RANGE, 0.02)
    scans = [scan_spectrum(grid, events(number, seed), n_toys=199) for seed in range(150)]
    p_values = np.array([scan.best.p_global.value for scan in scans])
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3
    z = np.array([scan.z_local for scan in scans])
    for level in (0.5, 1.0, 2.0):
        assert np.nanmean(z > level) == pytest.approx(float(p_from_z(level)), rel=0.15)


@pytest.mark.slow
def test_upcrossings_bound_what_toys_find_beyond_three_sigma():
    from quarkline.statistics.spectrum_fits import SpectrumToys

    grid = SpectrumGrid(RANGE, 0.01)
    scan = scan_spectrum(grid, events(), n_toys=0)
    windows = [w for w, z in zip(grid.windows, scan.z_local, strict=True) if np.isfinite(z)]
    z = SpectrumToys(windows, 3, np.array(scan.expected)).z(20_000, workers=2)
    for level in (3.0, 3.5, 4.0):
        fraction = (z.max(axis=1) >= level).mean()
        bound = upcrossing_bound(level, z)[1]
        assert fraction < bound + 3 * np.sqrt(fraction / len(z))
        assert bound < 1.6 * fraction
