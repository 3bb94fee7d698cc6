"""Binned significances and bins that are chosen without bias."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from quarkline.statistics.evaluation import (
    Bootstrap,
    automatic_edges,
    binned_significance,
    scored_events,
)


def test_the_total_is_a_loop_over_bins(made):
    events = made(per_group=2)
    edges = [0.0, 0.2, 0.5, 1.0]
    found = binned_significance(
        events, binnings={"mine": edges}, relative_error=0.1, bootstrap=Bootstrap(0)
    ).binning("mine")
    squares = 0.0
    for place, (low, high) in enumerate(pairwise(edges)):
        inside = (events.signal_score >= low) & (events.signal_score < high)
        s = events.weight[inside & events.is_signal].sum()
        b = events.weight[inside & ~events.is_signal].sum()
        assert (found.signal[place], found.background[place]) == pytest.approx((s, b))
        squares += 2 * ((s + b) * np.log(1 + s / b) - s)
    assert found.total.value == pytest.approx(np.sqrt(squares))
    assert found.total_uncertain.value < found.total.value
    assert found.left_out == 0


def test_one_bin_is_a_count(made):
    events = made()
    found = binned_significance(events, binnings={"one": [0, 1]}, bootstrap=Bootstrap(0))
    s, b = (events.weight[side].sum() for side in (events.is_signal, ~events.is_signal))
    expected = np.sqrt(2 * ((s + b) * np.log(1 + s / b) - s))
    assert found.binning("one").total.value == pytest.approx(expected)


@pytest.mark.parametrize("signed", [False, True])
def test_automatic_bins_hold_enough_background(made, signed):
    events = made(2000, signed=signed)
    found = binned_significance(events, least=12, bootstrap=Bootstrap(0)).binning("automatic")
    numbers = found.n_background[::-1]
    assert numbers[0] == 12
    assert all(number >= 12 for number in numbers)
    assert sum(numbers) == (~events.is_signal).sum()
    assert min(found.background) > 0
    assert (found.edges[0], found.edges[-1]) == (0.0, 1.0)


def test_automatic_bins_look_at_no_signal(made):
    events = made(2000)
    without = events[~events.is_signal]
    np.testing.assert_array_equal(automatic_edges(events), automatic_edges(without))


def test_automatic_bins_do_not_pull_the_background_down():
    """The background above the first edge is estimated without bias."""
    random = np.random.default_rng(5)
    shares = []
    for _ in range(400):
        score = random.uniform(size=300)
        events = scored_events(
            np.stack([score, 1 - score], axis=1), np.ones(300, int), classes=("s", "b")
        )
        shares.append((1 - automatic_edges(events, least=10)[-2]) / (10 / 300))
    error = np.std(shares) / np.sqrt(400)
    assert np.mean(shares) == pytest.approx(1.0, abs=3 * error + 0.01)


def test_equal_scores_share_a_bin():
    score = np.repeat([0.9, 0.5, 0.1], 20)
    events = scored_events(
        np.stack([score, 1 - score], axis=1), np.ones(60, int), classes=("s", "b")
    )
    found = binned_significance(events, least=5, bootstrap=Bootstrap(0)).binning("automatic")
    assert sum(found.n_background) == 60
    assert all(number % 20 == 0 for number in found.n_background)


def test_a_bin_without_background_is_told():
    score = np.array([[0.95, 0.05], [0.1, 0.9]])
    events = scored_events(score, [0, 1], classes=("s", "b"), weight=[2.0, 1.0])
    found = binned_significance(events, bootstrap=Bootstrap(0)).binning("10 equal bins")
    assert found.left_out == 2.0
    assert found.total.value == 0.0
    with pytest.raises(ValueError, match="at least one background event, not 0"):
        automatic_edges(events, least=0)
    nothing = scored_events(np.empty((0, 2)), [], classes=("s", "b"))
    assert binned_significance(nothing).binning("automatic").edges == (0.0, 1.0)


def test_order_and_divided_weights_change_nothing(made, divided):
    events = made(signed=True, per_group=3)
    rules = {"binnings": {"mine": np.linspace(0, 1, 6)}, "bootstrap": Bootstrap(6)}
    one, other = (
        binned_significance(each, **rules).binning("mine") for each in (events, divided(events))
    )
    np.testing.assert_allclose(other.background_error, one.background_error)
    assert other.total.value == pytest.approx(one.total.value)
    assert other.total.up == pytest.approx(one.total.up)
