"""Rules of smoothing: laws of all of them, and single ones against loops and ROOT."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.templates.grouping import extrema
from quarkline.templates.kernel import SPANS, _averages, _weights
from quarkline.templates.smooth import RULES, shortest_piece, smoothed, turns, well_known_groups

from .made import histogram

OF_RATIOS = [rule for rule in RULES if rule != "KERNELDELTAGAUSS"]
KEEPING = [rule for rule in RULES if not rule.startswith("KERNEL")]
LEVELS = [10, 40, 400]


def _pair(seed: int, bins: int = 14):
    random = np.random.default_rng(seed)
    contents = random.uniform(20, 400, bins)
    nominal = histogram(contents, contents * random.uniform(0.01, 0.1, bins))
    shift = 1 + random.normal(0.03, 0.06, bins)
    return nominal, histogram(contents * shift, contents * 0.05)


@pytest.mark.parametrize("rule", OF_RATIOS)
@pytest.mark.parametrize("level", LEVELS)
def test_a_flat_ratio_stays(rule, level):
    nominal, _ = _pair(1)
    side = smoothed(rule, level, nominal, nominal.scaled(1.07))
    np.testing.assert_allclose(side.contents, 1.07 * nominal.contents, rtol=1e-12)


def test_a_flat_difference_stays():
    nominal, _ = _pair(1)
    side = smoothed("KERNELDELTAGAUSS", 40, nominal, histogram(nominal.contents + 3))
    np.testing.assert_allclose(side.contents, nominal.contents + 3, rtol=1e-12)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("level", LEVELS)
class TestAllRules:
    def test_one_bin_stays(self, rule, level):
        side = histogram([7.0])
        assert smoothed(rule, level, histogram([5.0]), side) is side

    def test_scales_do_not_matter(self, rule, level):
        nominal, side = _pair(2)
        once = smoothed(rule, level, nominal, side)
        larger = smoothed(rule, level, nominal.scaled(4), side.scaled(4))
        np.testing.assert_allclose(larger.contents, 4 * once.contents, rtol=1e-9)


@pytest.mark.parametrize("rule", [*KEEPING, "KERNELRATIOUNIFORM"])
def test_fluctuations_become_smaller(rule):
    changes = []
    for seed in range(20):
        nominal, side = _pair(seed, bins=20)
        smooth = smoothed(rule, 40, nominal, side)
        steps = [np.diff(each.contents / nominal.contents) for each in (smooth, side)]
        changes.append(np.std(steps[0]) / np.std(steps[1]))
    assert np.mean(changes) < 0.95


@pytest.mark.parametrize("rule", KEEPING)
@pytest.mark.parametrize("level", LEVELS)
def test_sums_stay(rule, level):
    for seed in range(10):
        nominal, side = _pair(seed)
        assert smoothed(rule, level, nominal, side).integral == pytest.approx(side.integral)


@pytest.mark.parametrize("rule", RULES)
def test_level_0_changes_nothing(rule):
    nominal, side = _pair(3)
    assert smoothed(rule, 0, nominal, side) is side


def _groups_by_a_loop(contents, errors, tolerance):
    """Bins from the left until the error is small; a rest joins the last group."""
    groups, current = [], []
    for at in range(len(contents)):
        current.append(at)
        total = sum(contents[i] for i in current)
        if total and 0 < sum(errors[i] ** 2 for i in current) ** 0.5 / total < tolerance:
            groups.append(current)
            current = []
    if current:
        groups = [*groups[:-1], groups[-1] + current] if groups else [current]
    return [group[0] for group in groups]


@pytest.mark.parametrize("tolerance", [0.08, 0.04, 0.02, 0.001])
def test_groups_are_those_of_a_plain_loop(tolerance):
    for seed in range(20):
        nominal, side = _pair(seed)
        expected = _groups_by_a_loop(nominal.contents, nominal.errors, tolerance)
        assert well_known_groups(nominal, side.contents, tolerance) == expected


@pytest.mark.parametrize(
    ("ratios", "count"),
    [
        ([1, 2, 3], 0),
        ([1, 2, 1], 1),
        ([1, 2, 2, 1], 1),
        ([1, 2, 0, 1], 1),
        ([1, 2, 1, 2], 3),  # the second in a row counts twice
        ([1, 2, 3, 2, 1, 2, 3], 2),
    ],
)
def test_turns(ratios, count):
    assert turns(np.array(ratios, float)) == count


def test_shortest_piece():
    assert shortest_piece(np.array([1, 1, 1, 2, 2, 0, 3, 3, 3.0])) == 2


def test_extrema_are_the_ends_and_the_last_bins_before_a_turn():
    assert extrema(np.array([1, 2, 3, 3, 2, 1, 4.0])) == [0, 3, 5, 6]


@pytest.mark.parametrize(("rule", "most"), [("MONOTONIC", 0), ("PARABOLIC", 1)])
def test_few_extrema_are_left(rule, most):
    for seed in range(20):
        nominal, side = _pair(seed)
        smooth = smoothed(f"COMMONTOOLSMOOTH{rule}", 40, nominal, side)
        assert len(extrema(smooth.contents / nominal.contents)) <= most + 2


def test_indistinguishable_bins_become_one():
    nominal = histogram([100, 100, 100.0])
    side = histogram([103, 99, 104.0])
    smooth = smoothed("TTBARRESONANCE", 40, nominal, side)
    np.testing.assert_allclose(smooth.contents, [102, 102, 102])


@pytest.mark.oracle
@pytest.mark.parametrize("kernel", ["box", "normal"])
def test_averages_are_those_of_root(kernel):
    root = pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    random = np.random.default_rng(5)
    for _ in range(150):
        bins, width = int(random.integers(3, 20)), random.uniform(0.1, 50)
        centres = random.uniform(-100, 100) + width * (np.arange(bins) + 0.5)
        values, span = random.normal(size=bins), float(random.choice(SPANS)) * width
        left_out = int(random.integers(bins))
        graph = root.TGraph(bins, centres, values)
        graph.RemovePoint(left_out)
        smoother = root.TGraphSmooth()  # owns what it returns
        smooth = smoother.SmoothKern(graph, kernel, span, bins, centres)
        theirs = [smooth.GetPointY(at) for at in range(bins)]
        weights = _weights(kernel, np.delete(centres, left_out), centres, span)
        ours = _averages(weights, np.delete(values, left_out))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
