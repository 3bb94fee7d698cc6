"""Symmetrising: what each rule makes of numbers, and laws of all."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.templates.symmetrise import bins_on_one_side, scaled_shift, symmetrised

from .made import histogram

RULES = ["one-sided", "two-sided", "absolute-mean", "maximum"]
NOMINAL, UP, DOWN = histogram([10, 20, 40.0]), histogram([12, 19, 40.0]), histogram([11, 18, 44.0])


@pytest.mark.parametrize(
    ("rule", "up"),
    [
        ("one-sided", [9, 22, 36]),  # down is further away and stays
        ("two-sided", [10.5, 20.5, 38]),
        ("absolute-mean", [11.5, 21.5, 42]),
        ("maximum", [12, 18, 44]),
        (None, [12, 19, 40]),
    ],
)
def test_rules(rule, up):
    made = symmetrised(rule, NOMINAL, UP, DOWN)
    np.testing.assert_allclose(made[0].contents, up)


def test_no_rule_leaves_both_sides():
    assert symmetrised(None, NOMINAL, UP, DOWN) == (UP, DOWN)


def test_the_side_with_the_larger_distance_is_mirrored():
    up, down = symmetrised("one-sided", NOMINAL, UP, DOWN)
    assert down is DOWN
    np.testing.assert_allclose(up.contents, [9, 22, 36])
    up, down = symmetrised("one-sided", NOMINAL, UP, NOMINAL)
    assert up is UP
    np.testing.assert_allclose(down.contents, [8, 21, 40])


@pytest.mark.parametrize("rule", RULES)
class TestAllRules:
    def test_twice_is_once(self, rule):
        once = symmetrised(rule, NOMINAL, UP, DOWN)
        twice = symmetrised(rule, NOMINAL, *once)
        for first, second in zip(once, twice, strict=True):
            np.testing.assert_allclose(first.contents, second.contents)

    def test_sides_mirror_one_another(self, rule):
        up, down = symmetrised(rule, NOMINAL, UP, DOWN)
        np.testing.assert_allclose(up.contents + down.contents, 2 * NOMINAL.contents)

    def test_no_shift_stays_none(self, rule):
        for side in symmetrised(rule, NOMINAL, NOMINAL, NOMINAL):
            np.testing.assert_array_equal(side.contents, NOMINAL.contents)

    def test_nothing_falls_below_0(self, rule):
        up, down = symmetrised(rule, histogram([1.0, 1]), histogram([3.5, 1]), histogram([4, 1.0]))
        assert min(up.contents.min(), down.contents.min()) == 0 or rule == "two-sided"
        assert min(up.contents.min(), down.contents.min()) >= 0


def test_shifts_are_scaled_and_do_not_pass_0():
    side = scaled_shift(NOMINAL, UP, 3.0)
    np.testing.assert_allclose(side.contents, [16, 17, 40])
    np.testing.assert_allclose(scaled_shift(NOMINAL, UP, 21.0).contents, [52, 0, 40])


def test_bins_that_clearly_shift_the_same_way():
    nominal = histogram([100, 100, 100.0], [1, 1, 1])
    up, down = histogram([120, 120, 101.0], [1, 1, 1]), histogram([110, 80, 101.0], [1, 1, 1])
    assert bins_on_one_side(nominal, up, down) == [0]
    assert bins_on_one_side(nominal, nominal, nominal) == []
