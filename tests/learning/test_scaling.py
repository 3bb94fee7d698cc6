"""Laws of the feature scaling."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarkline.learning.features.scaling import REACH, FeatureScale, Scaler

SAMPLES = {
    "log": np.random.default_rng(1).exponential(0.02, 500),
    "linear": np.random.default_rng(2).normal(-1.0, 3.0, 500),
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_scaled_training_values_have_mean_zero_and_deviation_one(kind: str) -> None:
    scale = FeatureScale.fit("x", SAMPLES[kind])
    scaled = scale.forward(SAMPLES[kind])
    assert scale.kind == kind
    assert scaled.mean() == pytest.approx(0, abs=1e-12)
    assert scaled.std() == pytest.approx(1)


@pytest.mark.parametrize("kind", SAMPLES)
@given(value=st.floats(0, 1e3))
def test_the_inverse_undoes_the_scaling(kind: str, value: float) -> None:
    scale = FeatureScale.fit("x", SAMPLES[kind])
    values = np.array([value])
    assert scale.inverse(scale.forward(values)) == pytest.approx(values, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_slope_is_the_derivative(kind: str) -> None:
    scale = FeatureScale.fit("x", SAMPLES[kind])
    values, step = np.array([0.003, 0.02, 0.3]), 1e-7
    numeric = (scale.forward(values + step) - scale.forward(values - step)) / (2 * step)
    assert np.exp(scale.log_slope(values)) == pytest.approx(numeric, rel=1e-5)


def test_several_features_are_scaled_column_by_column() -> None:
    values = np.stack(list(SAMPLES.values()), axis=1)
    scaler = Scaler.fit(["a", "b"], values)
    for column, name in enumerate(SAMPLES):
        alone = FeatureScale.fit(scaler.names[column], SAMPLES[name])
        assert np.array_equal(scaler.forward(values)[:, column], alone.forward(SAMPLES[name]))
    assert Scaler.from_json(json.loads(json.dumps(scaler.as_json()))) == scaler


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "has no values"),
        ([1.0, np.nan], "not finite"),
        ([2.0, 2.0, 2.0], "constant"),
    ],
)
def test_features_that_cannot_be_learned_from_are_refused(values: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureScale.fit("x", values)


@pytest.mark.parametrize("kind", SAMPLES)
def test_bounded_values_keep_their_order_and_have_no_gaps(kind: str) -> None:
    scaler = Scaler.fit(["x"], SAMPLES[kind][:, None])
    ordinary = SAMPLES[kind][:, None]
    assert np.array_equal(scaler.bounded(ordinary), scaler.forward(ordinary))
    extreme = np.array([-1e9, -1.0, 0.0, 1.0, 1e9])[:, None]
    bounded = scaler.bounded(extreme)
    assert np.abs(bounded).max() == REACH
    assert (np.diff(bounded[:, 0]) >= 0).all()


def test_a_number_for_none_does_not_hide_real_ones() -> None:
    times = np.random.default_rng(3).normal(5.0, 20.0, 4000)
    plain = FeatureScale.of_training("t0", times)
    scale = FeatureScale.of_training("t0", np.append(times, np.full(40, 99_999.0)))
    assert scale.mean == pytest.approx(plain.mean, rel=1e-12)
    assert scale.deviation == pytest.approx(plain.deviation, rel=1e-12)
    assert scale.bounded(np.array([99_999.0, 5.0])) == pytest.approx([REACH, 0.0], abs=0.05)


def test_a_flag_that_is_rarely_set_still_has_a_deviation() -> None:
    flags = np.zeros(1000)
    flags[:10] = 1.0
    assert FeatureScale.of_training("flag", flags).deviation == pytest.approx(flags.std())
