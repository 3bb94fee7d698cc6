"""Fits: against Minuit, closed forms and scans, and what a bad fit says."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import result_from_json
from quarkline.engine.core.rng import rng
from quarkline.statistics.likelihood import (
    ChannelSpec,
    Data,
    Gaussian,
    LikelihoodSpec,
    Model,
    NormShift,
    Parameter,
    SampleSpec,
    Scale,
    ShapeShift,
    attempts,
    fit,
    minimum,
)
from quarkline.statistics.likelihood.minimum import Minimum
from tests.statistics.likelihood.specs import counting, mixed


def minuit_of(model: Model, start: np.ndarray, data: Data | None = None):
    """Minuit, with nothing of ours but the likelihood itself."""
    from iminuit import Minuit

    data = model.data if data is None else data
    minuit = Minuit(lambda values: model.nll(values, data), start, name=model.names)
    minuit.errordef = Minuit.LIKELIHOOD
    minuit.limits = list(zip(model.low, model.high, strict=True))
    minuit.fixed = list(model.fixed)
    minuit.tol = 1e-3
    return minuit


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_best_values_are_minuits(seed):
    model = Model(mixed(seed, smooth=True))
    found = fit(model)
    minuit = minuit_of(model, model.initial).migrad()
    assert minuit.valid
    assert found.quality.converged
    assert found.quality.attempts == ("Newton",)
    assert found.nll == pytest.approx(minuit.fval, abs=1e-4)
    errors = np.array([parameter.error for parameter in found.parameters])
    # Minuit stops at a vertical distance of 1e-6, that is within about 1.4e-3 errors.
    assert np.abs((np.array(minuit.values) - found.values) / errors).max() < 3e-3


def test_errors_are_those_of_minuits_curvature():
    model = Model(mixed(2, smooth=True))
    data = model.asimov(model.initial)
    found = fit(model, data)
    minuit = minuit_of(model, found.values, data)
    minuit.limits = [(None, None)] * len(
        model.names
    )  # Minuit's transformation of bounded parameters distorts small errors
    minuit.strategy = 2
    minuit.hesse()
    ours = np.array([parameter.error for parameter in found.parameters])
    assert ours == pytest.approx(np.sqrt(np.diag(minuit.covariance)), rel=2e-3)
    assert found.correlation == pytest.approx(np.array(minuit.covariance.correlation()), abs=3e-3)


def test_one_bin_has_a_closed_form():
    found = fit(Model(counting(observed=12.0, signal=5.0, background=8.0)), minos=["mu"])
    mu = found.by_name["mu"]
    assert mu.value == pytest.approx(0.8, abs=1e-7)
    assert mu.error == pytest.approx(math.sqrt(12.0) / 5.0, rel=1e-6)
    for end in (8 + 5 * (0.8 + mu.up), 8 + 5 * (0.8 - mu.down)):
        fall = end - 12.0 * math.log(end) - (12.0 - 12.0 * math.log(12.0))
        assert fall == pytest.approx(0.5, abs=1e-4)
    assert found.nll == pytest.approx(12 - 12 * math.log(12) + math.lgamma(13), rel=1e-12)


def test_asymmetric_errors_are_where_a_scan_crosses_one_half():
    model = Model(mixed(5, smooth=True))
    found = fit(model, minos=["mu", "s1"])
    for name in ("mu", "s1"):
        parameter = found.by_name[name]
        for end in (parameter.value + parameter.up, parameter.value - parameter.down):
            profiled = minuit_of(model, found.values)
            profiled.values[name] = end
            profiled.fixed[name] = True
            profiled.migrad()
            assert profiled.fval - found.nll == pytest.approx(0.5, abs=2e-4)
    assert found.by_name["s2"].up is None


def test_all_intervals_may_be_asked_for():
    model = Model(mixed(6, channels=1, systematics=2, smooth=True))
    found = fit(model, minos=["all"])
    assert all(parameter.up and parameter.down for parameter in found.parameters)


def test_fixed_parameters_stay_and_constant_ones_may_be_freed():
    spec = mixed(7, smooth=True)
    constant = replace(spec.parameters[0], fixed=True)
    model = Model(replace(spec, parameters=(constant, *spec.parameters[1:])))
    held = fit(model, fixed={"s0": 0.5})
    assert held.by_name["mu"].value == 1.0
    assert held.by_name["s0"].value == 0.5
    assert held.by_name["mu"].fixed
    assert held.by_name["mu"].error == 0.0
    assert not {"mu", "s0"} & set(held.free)
    freed = fit(model, free=["mu"])
    whole = fit(Model(spec))
    assert freed.values == pytest.approx(whole.values, abs=1e-6)
    assert freed.by_name["mu"].error == pytest.approx(whole.by_name["mu"].error, rel=1e-6)


def test_a_warm_start_ends_in_the_same_place():
    model = Model(mixed(8, smooth=True))
    data = model.toy(model.initial, rng(1, "warm"))
    cold, warm = fit(model, data), fit(model, data, start=fit(model).values)
    errors = np.array([parameter.error for parameter in cold.parameters])
    assert np.abs((cold.values - warm.values) / errors).max() < 1e-3
    assert warm.nll == pytest.approx(cold.nll, abs=1e-6)


def test_a_bound_holds_a_parameter_and_is_told():
    found = fit(Model(counting(observed=5.0)), minos=["mu"])
    mu = found.by_name["mu"]
    assert mu.value == 0.0
    assert found.quality.converged
    assert found.quality.at_limit == ("mu",)
    slope, half = 5.0 - 5.0 * 5.0 / 8.0, 25.0  # s - n s / b, and half the range
    assert mu.error == pytest.approx(half * (1 - math.cos((slope * half) ** -0.5)), rel=1e-6)
    assert mu.down is None
    end = 8 + 5 * mu.up
    assert (end - 5 * math.log(end)) - (8 - 5 * math.log(8)) == pytest.approx(0.5, abs=1e-4)


def bounded(observed: tuple[float, float], low: float = 0.0) -> Model:
    """A signal, and a background with a systematic that is like it."""
    samples = (
        SampleSpec("signal", (1.0, 6.0), (Scale("mu"),)),
        SampleSpec("background", (50.0, 20.0), (ShapeShift("s", (50.0, 28.0), (50.0, 14.0)),)),
    )
    parameters = (
        Parameter("mu", "norm-factor", 1.0, low, 40.0),
        Parameter("s", "systematic", 0.0, -5.0, 5.0, constraint=Gaussian()),
    )
    return Model(LikelihoodSpec("x", (ChannelSpec("c", samples, observed),), parameters, "mu"))


def test_a_parameter_at_a_bound_has_no_part_in_the_errors_of_others():
    """The curvature beyond the bound would give `s` an error that the fit cannot have."""
    model = bounded((50.0, 8.0))
    found, held = fit(model), fit(model, fixed={"mu": 0.0})
    assert found.quality.at_limit == ("mu",)
    assert found.by_name["s"].error == pytest.approx(held.by_name["s"].error, rel=1e-6)
    assert found.covariance[0][1] == 0.0
    minuit = minuit_of(model, model.initial).migrad()
    minuit.hesse()
    assert found.by_name["s"].error == pytest.approx(minuit.errors["s"], rel=0.01)
    assert found.by_name["mu"].error == pytest.approx(minuit.errors["mu"], rel=0.01)


def test_a_bound_that_a_parameter_only_touches_changes_nothing():
    data = bounded((50.0, 20.0)).asimov(np.array([0.0, 0.0]))
    found, wide = fit(bounded((50.0, 20.0)), data), fit(bounded((50.0, 20.0), -5.0), data)
    assert found.values == pytest.approx([0.0, 0.0], abs=1e-6)
    np.testing.assert_allclose(found.covariance, wide.covariance, rtol=1e-4)


def test_a_model_with_nothing_free_is_fitted():
    found = fit(Model(counting()), fixed={"mu": 2.0})
    assert found.quality.converged
    assert found.quality.note == "no parameter is free"
    assert found.free == ()
    assert found.covariance == ()
    assert found.nll == pytest.approx(18 - 12 * math.log(18) + math.lgamma(13))


def test_empty_data_are_fitted():
    found = fit(Model(counting(observed=0.0)))
    assert found.by_name["mu"].value == 0.0
    assert found.nll == pytest.approx(8.0)


def test_parameters_that_data_cannot_tell_apart_are_named():
    sample = SampleSpec("a", (10.0, 20.0), (Scale("k1"), Scale("k2")))
    factors = tuple(Parameter(name, "norm-factor", 1.0, 0.0, 10.0) for name in ("k1", "k2"))
    found = fit(Model(LikelihoodSpec("x", (ChannelSpec("c", (sample,), (12.0, 18.0)),), factors)))
    assert not found.quality.converged
    assert "curvature is not positive along k" in found.quality.note
    assert math.prod(found.values) == pytest.approx(1.0, abs=1e-4)
    assert "NaN" not in str(result_from_json(found.as_json()).quality)


def test_negative_expectations_at_the_end_are_told():
    sample = SampleSpec("a", (10.0, -1.0), (Scale("k"),))
    factor = (Parameter("k", "norm-factor", 1.0, 0.0, 10.0),)
    model = Model(LikelihoodSpec("x", (ChannelSpec("SR", (sample,), (12.0, 0.0)),), factor))
    found = fit(model)
    assert found.quality.note == "negative expectations in SR bin 1"
    assert found.values == pytest.approx([1.2], abs=1e-6)


def kinked() -> LikelihoodSpec:
    """Two bins that pull a piecewise linear shape onto its kink at 0."""
    sample = SampleSpec(
        "a", (100.0, 100.0), (ShapeShift("s", (140.0, 110.0), (110.0, 140.0), "0"),)
    )
    parameter = Parameter("s", "systematic", 0.4, -5.0, 5.0, constraint=Gaussian())
    return LikelihoodSpec("x", (ChannelSpec("c", (sample,), (95.0, 95.0)),), (parameter,))


def test_a_minimum_at_a_kink_is_reported_whatever_finds_it():
    found = fit(Model(kinked()))
    assert found.values == pytest.approx([0.0], abs=1e-3)
    assert len(found.quality.attempts) > 1
    assert math.isfinite(found.nll)


def test_what_failed_is_followed_by_something_else(monkeypatch):
    model = Model(mixed(9, smooth=True))
    expected = fit(model)
    usual = attempts.minimum
    calls = []

    def lame(*arguments, **options) -> Minimum:
        calls.append(None)
        found = usual(*arguments, **options)
        return replace(found, converged=False) if len(calls) == 1 else found

    monkeypatch.setattr(attempts, "minimum", lame)
    found = fit(model)
    assert found.quality.converged
    assert found.quality.attempts == ("Newton", "Minuit, strategy 1")
    errors = np.array([parameter.error for parameter in expected.parameters])
    assert np.abs((found.values - expected.values) / errors).max() < 1e-3


def test_a_bad_start_still_ends_well():
    model = Model(mixed(10, smooth=True))
    expected = fit(model)
    start = np.where(model.initial == 0.0, 2.0, model.initial * 3)
    found = fit(model, start=start)
    assert found.quality.converged
    assert found.nll == pytest.approx(expected.nll, abs=1e-5)


def test_the_cheap_fit_is_the_fit():
    model = Model(mixed(11, smooth=True))
    for at in range(5):
        data = model.toy(model.initial, rng(2, "toys", at))
        cheap, whole = minimum(model, data), fit(model, data)
        assert cheap.converged
        assert cheap.values == pytest.approx(whole.values)
        assert cheap.errors() == pytest.approx([row.error for row in whole.parameters], rel=1e-3)


def test_the_fit_does_not_depend_on_the_order_of_its_parts():
    spec = mixed(12, smooth=True)
    found = fit(Model(spec))
    turned = replace(
        spec, channels=spec.channels[::-1], parameters=(*spec.parameters[1:], spec.parameters[0])
    )
    other = fit(Model(turned))
    for name, parameter in found.by_name.items():
        assert other.by_name[name].value == pytest.approx(parameter.value, abs=1e-5)
        assert other.by_name[name].error == pytest.approx(parameter.error, rel=1e-5)


def test_unknown_names_are_refused():
    model = Model(counting())
    for options in ({"fixed": {"nu": 1.0}}, {"free": ["nu"]}, {"minos": ["nu"]}):
        with pytest.raises(InputError, match="no parameter `nu`"):
            fit(model, **options)


def test_pulls_and_constraints_have_their_closed_form():
    # One Gaussian parameter that only a counting bin of expectation 100 (1 + 0.1 a) constrains.
    sample = SampleSpec("a", (100.0,), (ShapeShift("s", (110.0,), (90.0,)),))
    parameter = Parameter("s", "systematic", 0.0, -5.0, 5.0, constraint=Gaussian())
    other = Parameter("n", "systematic", 0.0, -5.0, 5.0, constraint=Gaussian(0.5, 2.0))
    unused = SampleSpec("b", (0.0,), (NormShift("n", 1.2, 0.9),))
    spec = LikelihoodSpec("x", (ChannelSpec("c", (sample, unused), (110.0,)),), (parameter, other))
    found = fit(Model(spec))
    # a = 10 (110 / (100 + 10 a) - 1) is a^2 + 20 a - 10 = 0 after both sides are multiplied.
    value = -10.0 + math.sqrt(110.0)
    assert found.by_name["s"].value == pytest.approx(value, rel=1e-6)
    curvature = 1.0 + 110.0 * 100.0 / (100.0 + 10.0 * value) ** 2
    assert found.by_name["s"].error == pytest.approx(curvature**-0.5, rel=1e-6)
    assert (found.by_name["n"].value, found.by_name["n"].before) == (pytest.approx(0.5), 2.0)
    assert found.by_name["n"].error == pytest.approx(2.0, rel=1e-6)
