"""Expected significances, against 60 digits and their limits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarkline.statistics.asimov import asimov_significance, s_over_sqrt_b, s_over_sqrt_sb

POSITIVE = st.floats(1e-9, 1e7)


def exact(signal: float, background: float, error: float = 0.0) -> float:
    """The formulae as printed, in 60 digits."""
    with mpmath.workdps(60):
        s, b, v = mpmath.mpf(signal), mpmath.mpf(background), mpmath.mpf(error) ** 2
        if not v:
            return float(mpmath.sqrt(2 * ((s + b) * mpmath.log(1 + s / b) - s)))
        gain = (s + b) * mpmath.log((s + b) * (b + v) / (b**2 + (s + b) * v))
        cost = b**2 / v * mpmath.log(1 + v * s / (b * (b + v)))
        return float(mpmath.sqrt(2 * (gain - cost)))


@settings(max_examples=200, deadline=None)
@given(POSITIVE, POSITIVE, st.floats(1e-3, 3.0))
def test_the_formulae_keep_their_digits(signal, background, relative):
    assert float(asimov_significance(signal, background)) == pytest.approx(
        exact(signal, background), rel=1e-5
    )
    error = relative * background
    assert float(asimov_significance(signal, background, error)) == pytest.approx(
        exact(signal, background, error), rel=1e-5, abs=1e-7
    )


def test_numbers_by_hand():
    assert float(asimov_significance(10, 100)) == pytest.approx(0.98403, abs=1e-4)
    assert float(s_over_sqrt_sb(10, 90)) == 1.0
    assert float(s_over_sqrt_b(10, 100)) == 1.0


def test_limits():
    error = 5.0
    small = asimov_significance(1e-4, 100.0, error)
    assert float(small) == pytest.approx(1e-4 / np.sqrt(100 + error**2))
    assert float(asimov_significance(3, 100, 1e-9)) == pytest.approx(
        float(asimov_significance(3, 100))
    )
    assert asimov_significance(50, 100, 20) < asimov_significance(50, 100, 10)


def test_no_background_has_no_answer_and_no_signal_is_zero():
    for formula in (asimov_significance, s_over_sqrt_b):
        assert np.isnan(formula([5.0, 5.0], [0.0, -1.0])).all()
        assert (formula([0.0, -3.0], [1.0, 1.0]) == 0).all()
    assert np.isnan(s_over_sqrt_sb(1.0, -2.0))
    assert float(s_over_sqrt_sb(4.0, 0.0)) == 2.0
