"""CLs: pyhf's numbers, and the laws of a test."""

from __future__ import annotations

import numpy as np
import pyhf
import pytest

from quarkline.statistics.likelihood.cls import BANDS, asimov_root, expected_cls, observed_cls
from quarkline.statistics.likelihood.limits import cls_points
from quarkline.statistics.likelihood.model import Model
from tests.statistics.likelihood.likelihoods import PAIRS, counting, mu

VALUES = [0.3, 1.0, 2.5]


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_cls_is_that_of_pyhf(name):
    ours, theirs = PAIRS[name]
    model, (reference, data) = ours(), theirs()
    for point in cls_points(model, model.data, VALUES):
        observed, expected = pyhf.infer.hypotest(
            point.value, data, reference, test_stat="qtilde", return_expected_set=True
        )
        assert point.observed == pytest.approx(float(observed), abs=1e-4)
        assert point.expected == pytest.approx([float(x) for x in expected], abs=1e-4)


def test_cls_falls_as_the_signal_grows():
    for data in ((51.0, 48.0), (80.0, 80.0), (30.0, 30.0)):
        model = Model(counting(data))
        points = cls_points(model, model.data, np.linspace(0.0, 5.0, 26).tolist())
        assert points[0].observed == 1.0
        for curve in (
            [p.observed for p in points],
            *zip(*(p.expected for p in points), strict=True),
        ):
            assert np.all(np.diff(curve) <= 1e-9)


def test_a_negative_bound_changes_nothing_as_q_tilde_is_about_positive_signals():
    deficit = (40.0, 45.0)
    at_zero, below = Model(counting(deficit)), Model(counting(deficit, poi=mu(low=-5.0)))
    ours = cls_points(below, below.data, VALUES)
    for one, other in zip(cls_points(at_zero, at_zero.data, VALUES), ours, strict=True):
        assert one.observed == pytest.approx(other.observed, rel=1e-6)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_expected_limits_are_where_expected_cls_is(level):
    for place, band in enumerate(BANDS):
        root = asimov_root(band, level)
        assert expected_cls(root**2)[place] == pytest.approx(1.0 - level, rel=1e-9)


def test_the_median_is_what_data_as_expected_give():
    for q_asimov in (0.01, 1.0, 9.0):
        assert observed_cls(q_asimov, q_asimov) == pytest.approx(expected_cls(q_asimov)[2])


def test_a_signal_without_effect_excludes_nothing():
    assert observed_cls(0.0, 0.0) == observed_cls(1e-9, 0.0) == 1.0
    assert expected_cls(0.0) == (1.0,) * 5


def test_cls_of_impossible_data_is_a_number():
    assert 0.0 <= observed_cls(1e5, 1e4) < 1e-300
    assert all(0.0 <= value < 1e-300 for value in expected_cls(1e4))
