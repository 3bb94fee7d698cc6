"""Significance scans, against a plain loop over the cuts."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.statistics.asimov import asimov_significance
from quarkline.statistics.evaluation import (
    Bootstrap,
    score_thresholds,
    scored_events,
    significance_scan,
)


@pytest.mark.parametrize("signed", [False, True])
def test_yields_errors_and_significances_are_those_of_a_loop(made, signed):
    events = made(300, signed=signed, per_group=3)
    cuts = np.linspace(0, 1, 14)
    found = significance_scan(
        events, thresholds=cuts, relative_error=0.2, min_background=4, bootstrap=Bootstrap(0)
    )
    for place, cut in enumerate(cuts):
        above = events.signal_score >= cut
        s = events.weight[above & events.is_signal].sum()
        away = above & ~events.is_signal
        b = events.weight[away].sum()
        groups = [
            events.weight[away & (events.group == group)].sum() ** 2
            for group in np.unique(events.group[away])
        ]
        error = np.sqrt(sum(groups) + (0.2 * b) ** 2)
        row = [found.signal[place], found.background[place], found.background_error[place]]
        assert row == pytest.approx([s, b, error], abs=1e-9)
        assert found.n_background[place] == away.sum()
        allowed = away.sum() >= 4 and b > 0
        expected = float(asimov_significance(s, b, error)) if allowed else np.nan
        got = found.merit("Asimov, background uncertain").significance[place]
        assert got == pytest.approx(expected, nan_ok=True)


def test_the_best_cut_is_the_highest_of_equal_ones():
    score = np.array([[0.8, 0.2], [0.8, 0.2], [0.3, 0.7], [0.9, 0.1]])
    events = scored_events(score, [0, 0, 1, 1], classes=("s", "b"), weight=[1, 1, 1, 1])
    scan = significance_scan(
        events, thresholds=[0.1, 0.5, 0.6, 0.95], min_background=1, bootstrap=Bootstrap(0)
    )
    best = scan.merit("s/sqrt(s+b)").best
    assert (best.threshold.value, best.signal, best.background) == (0.6, 2.0, 1.0)
    assert best.significance.value == pytest.approx(2 / np.sqrt(3))
    assert np.isnan(scan.merit("Asimov").significance[3])
    assert scan.merit("s/sqrt(s+b)").perfect == pytest.approx(np.sqrt(2))
    assert scan.merit("Asimov").perfect is None


def test_without_an_allowed_cut_there_is_no_best(made):
    scan = significance_scan(made(50), min_background=1000, bootstrap=Bootstrap(3))
    assert np.isnan(scan.merit("Asimov").best.threshold.value)
    nothing = scored_events(np.empty((0, 2)), [], classes=("s", "b"))
    assert np.isnan(significance_scan(nothing).merit("Asimov").best.significance.value)


def test_order_and_divided_weights_change_nothing(made, divided):
    events = made(signed=True, per_group=3)
    rules = {"min_background": 1, "relative_error": 0.1, "bootstrap": Bootstrap(6)}
    one, other = (significance_scan(each, **rules) for each in (events, divided(events)))
    for name in ("signal", "background", "background_error"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), atol=1e-8)
    sure = np.asarray(one.n_background) > 5
    for first, second in zip(one.merits, other.merits, strict=True):
        for name in ("significance", "low", "high"):
            np.testing.assert_allclose(
                np.array(getattr(second, name))[sure],
                np.array(getattr(first, name))[sure],
                rtol=1e-6,
                atol=1e-6,
            )


def test_the_band_is_that_of_repeated_experiments(made):
    rules = {"thresholds": [0.5], "min_background": 1}

    def significance(seed, replicas):
        scan = significance_scan(
            made(500, seed=seed, per_group=2), bootstrap=Bootstrap(replicas), **rules
        )
        return scan.merit("Asimov")

    values = [significance(seed, 0).significance[0] for seed in range(200)]
    errors = [significance(seed, 100).best.significance.up for seed in range(15)]
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.25)


def test_choosing_the_cut_costs_what_optimism_says(made):
    """The chosen significance exceeds that of the same cut in other events by the optimism."""
    rules = {"thresholds": np.linspace(0.2, 0.95, 40), "min_background": 5}
    truth = significance_scan(made(100_000, seed=77), bootstrap=Bootstrap(0), **rules)
    share = 300 / 100_000
    s, b = (share * np.asarray(side) for side in (truth.signal, truth.background))
    true = np.asarray(asimov_significance(s, b))
    gained, told = [], []
    for seed in range(120):
        scan = significance_scan(made(300, seed=seed), bootstrap=Bootstrap(20), **rules)
        best = scan.merit("Asimov").best
        place = scan.thresholds.index(best.threshold.value)
        gained.append(best.significance.value - true[place])
        told.append(best.optimism)
    assert np.mean(gained) > 0
    assert 0.5 < np.mean(told) / np.mean(gained) < 2


def test_default_cuts_reach_into_both_ends():
    cuts = score_thresholds()
    assert cuts[0] == 0.0
    assert cuts[-1] == 1.0
    assert (np.diff(cuts) > 0).all()
    assert ((cuts > 0.9999) & (cuts < 1)).any()
