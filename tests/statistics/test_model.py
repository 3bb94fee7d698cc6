"""The background shape, and how many bins it needs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate

from quarkline.engine.core.findings import InputError
from quarkline.statistics import BACKGROUNDS, HuntBinning, fit_batch, hunt_model


@pytest.mark.parametrize("kind", BACKGROUNDS)
@pytest.mark.parametrize("degree", [0, 1, 4, 9])
def test_integrals_are_those_of_the_values(kind, degree):
    shape = BACKGROUNDS[kind]((5.0, 16.0), degree)
    edges = np.array([5.0, 6.1, 9.0, 16.0])
    exact = shape.integrals(edges[:-1], edges[1:])
    for row, (low, high) in enumerate(pairwise(edges)):
        for k in range(shape.size):
            area = integrate.quad(lambda m, k=k: shape.values(np.array([m]))[0, k], low, high)[0]
            assert exact[row, k] == pytest.approx(area, abs=1e-10)


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_flat_coefficients_are_flat(kind):
    shape = BACKGROUNDS[kind]((-3.0, 4.0), 6)
    np.testing.assert_allclose(shape.values(np.linspace(-3, 4, 9)) @ shape.flat, 1.0)


@pytest.mark.parametrize("degree", [0, 3, 9])
def test_the_basis_is_orthonormal_and_integrates_to_the_window(degree):
    model = hunt_model(HuntBinning(), degree)
    matrix = model.sidebands.matrix
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(degree + 1), atol=1e-12)
    low, high = (np.array([edge]) for edge in (9.0, 10.6))
    np.testing.assert_allclose(model.basis_integrals(low, high)[0], model.window_row, atol=1e-12)
    np.testing.assert_allclose(model.basis(HuntBinning().centres), matrix, atol=1e-12)


def test_a_polynomial_of_the_degree_is_found_again():
    """Asimov: expected contents that follow the model are fitted without residual."""
    binning = HuntBinning()
    for degree in (0, 2, 5):
        model = hunt_model(binning, degree)
        coefficients = np.array([50.0, -20.0, 8.0, 3.0, -2.0, 1.0])[: degree + 1]
        rates = model.shape.values(binning.centres) @ coefficients
        window = model.shape.integrals(np.array([9.0]), np.array([10.6])) @ coefficients
        spectrum = type(binning.count([]))(binning, rates, window[0] / binning.width)
        found = fit_batch(spectrum, degree)
        np.testing.assert_allclose(found.coefficients, coefficients, atol=1e-7)
        assert found.signal == pytest.approx(0.0, abs=1e-6)
        assert found.q0 == pytest.approx(0.0, abs=1e-9)


def test_too_many_coefficients_are_refused():
    binning = HuntBinning(bins=1)  # two bins below the window and three above
    hunt_model(binning, 3)
    for degree in (4, -1):
        with pytest.raises(InputError, match=f"degree {degree} does not suit 5") as caught:
            hunt_model(binning, degree)
        assert "use a degree from 0 to 3" in str(caught.value)
    with pytest.raises(InputError, match="does not suit 0 sideband bins"):
        hunt_model(HuntBinning((9.0, 10.6)), 0)


def test_an_unknown_shape_gets_near_misses():
    with pytest.raises(InputError, match="did you mean `polynomial`"):
        hunt_model(HuntBinning(), 3, "polynomal")
