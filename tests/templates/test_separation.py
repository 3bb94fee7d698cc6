"""How well a variable separates signal from background."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.templates.separation import separation


def test_separation_of_equal_and_of_disjoint_shapes():
    shape = np.array([1.0, 2.0, 0.0])
    assert separation(shape, 7 * shape) == 0
    assert separation(shape, np.array([0.0, 0.0, 4.0])) == 1
    assert separation(np.array([1.0, 1.0]), np.array([3.0, 1.0])) == pytest.approx(
        0.5 * (0.25**2 / 1.25 + 0.25**2 / 0.75)
    )
    assert np.isnan(separation(shape, 0 * shape))
