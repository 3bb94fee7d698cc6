"""Scans: the profile likelihood, point by point."""

from __future__ import annotations

import numpy as np
import pyhf
import pytest

from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.scans import scan, scan_values, surface
from tests.statistics.likelihood.likelihoods import pyhf_shapes, shapes


@pytest.fixture(scope="module")
def model():
    return Model(shapes())


@pytest.fixture(scope="module")
def fitted(model):
    return fit(model, model.data)


def test_heights_are_those_of_pyhf(model, fitted):
    reference, data = pyhf_shapes()
    values = [0.0, 0.5, 1.0, 2.0]
    found = scan(model, model.data, fitted, "mu", values)
    _, best = pyhf.infer.mle.fit(data, reference, return_fitted_val=True)
    for value, height in zip(values, found.heights, strict=True):
        _, held = pyhf.infer.mle.fixed_poi_fit(value, data, reference, return_fitted_val=True)
        assert height == pytest.approx(float(held - best), abs=1e-3)


def test_a_scan_covers_three_errors_within_the_bounds(model, fitted):
    row = fitted.by_name["other"]
    found = scan(model, model.data, fitted, "other")
    assert found.values[0] == pytest.approx(row.value - 3.0 * row.error)
    assert found.values[-1] == pytest.approx(row.value + 3.0 * row.error)
    assert min(found.heights) >= -1e-6
    assert found.heights[0] == pytest.approx(9.0, rel=0.3)
    assert scan_values(model, fitted, "mu")[0] == 0.0


def test_the_lowest_of_a_surface_is_the_scan(model, fitted):
    around = fitted.by_name["shape"]
    along = np.linspace(around.value - 2.0, around.value + 2.0, 41)
    across = [0.0, 0.8, 1.6]
    plane = surface(model, model.data, fitted, ("mu", "shape"), across, along)
    line = scan(model, model.data, fitted, "mu", across)
    lowest = [min(row) for row in plane.heights]
    assert lowest == pytest.approx(line.heights, abs=5e-3)
    assert all(low >= height - 1e-9 for low, height in zip(lowest, line.heights, strict=True))
    assert plane.best == (fitted.by_name["mu"].value, around.value)
