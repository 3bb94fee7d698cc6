"""353QH: what it leaves alone, and that ROOT's gives the same to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.templates.tukey import smooth_353qh


@pytest.mark.parametrize("values", [[1.0, 5.0], [3.0] * 3, [2.5] * 11, np.arange(9.0)])
def test_few_flat_and_straight_values_stay(values):
    np.testing.assert_array_equal(smooth_353qh(np.array(values), 4), values)


def test_a_single_outlier_goes():
    values = np.full(12, 10.0)
    values[5] = 40.0
    np.testing.assert_array_equal(smooth_353qh(values), np.full(12, 10.0))


def test_it_knows_no_left_and_right():
    values = np.random.default_rng(2).poisson(9, 25).astype(float)
    np.testing.assert_allclose(smooth_353qh(values[::-1], 3)[::-1], smooth_353qh(values, 3))


def test_what_comes_in_stays_as_it_is():
    values = np.random.default_rng(3).normal(size=8)
    before = values.copy()
    smooth_353qh(values)
    np.testing.assert_array_equal(values, before)


@pytest.mark.oracle
@pytest.mark.parametrize("kind", ["counts", "normal", "steps", "walk"])
def test_root_has_the_same(kind):
    root = pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    random = np.random.default_rng(1)
    draw = {
        "counts": lambda n: random.poisson(random.uniform(0, 20), n).astype(float),
        "normal": lambda n: random.normal(size=n),
        "steps": lambda n: np.repeat(random.normal(100, 0.1, n), random.integers(1, 5))[:n],
        "walk": lambda n: np.cumsum(random.integers(-1, 2, n)).astype(float),
    }[kind]
    for _ in range(400):
        values, times = draw(int(random.integers(3, 40))), int(random.integers(1, 9))
        theirs = values.copy()
        root.TH1.SmoothArray(len(theirs), theirs, times)
        np.testing.assert_array_equal(smooth_353qh(values, times), theirs)
