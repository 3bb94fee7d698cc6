"""The compiled likelihood: against a plain loop, its derivatives, and what must not change it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.rng import rng
from quarkline.statistics.likelihood import (
    BinScale,
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    Model,
    NormShift,
    Parameter,
    SampleSpec,
    Scale,
    ShapeShift,
    sums,
)
from tests.statistics.likelihood.specs import counting, mixed


def norm_factor(at: float, up: float, down: float, code: int) -> float:
    """HistFactory's factor, from its definition: a power law, code 4 smoothed inside ±1."""
    if code == 1 or abs(at) >= 1.0:
        return up**at if at >= 0 else down**-at
    sides = [
        (up, math.log(up), 1.0),
        (down, -math.log(down), -1.0),
    ]
    rows, wanted = [], []
    for factor, rate, side in sides:
        powers = np.arange(1.0, 7.0)
        rows += [
            side**powers,
            powers * side ** (powers - 1),
            powers * (powers - 1) * side ** (powers - 2),
        ]
        wanted += [factor - 1, factor * rate, factor * rate**2]
    coefficients = np.linalg.solve(np.array(rows), np.array(wanted))
    return 1.0 + sum(c * at**k for k, c in enumerate(coefficients, 1))


def shape_shift(at: float, nominal: float, up: float, down: float, code: str) -> float:
    """HistFactory's shift, from its definition."""
    above, below = up - nominal, nominal - down
    if code == "0":
        return at * (above if at >= 0 else below)
    if code == "2":
        a, b = 0.5 * (up + down) - nominal, 0.5 * (up - down)
        if at > 1:
            return (b + 2 * a) * (at - 1) + above
        if at < -1:
            return (b - 2 * a) * (at + 1) - below
        return a * at**2 + b * at
    if at > 1:
        return at * above
    if at < -1:
        return at * below
    mean, half = 0.5 * (above + below), 0.0625 * (above - below)
    return at * (mean + at * half * (15 + at**2 * (3 * at**2 - 10)))


def plain_expectation(spec: LikelihoodSpec, values: np.ndarray) -> list[float]:
    """The expectation as loops over channels, bins, samples and modifiers."""
    at = dict(zip([parameter.name for parameter in spec.parameters], values, strict=True))
    expected = []
    for channel in spec.channels:
        for bin_ in range(channel.bins):
            total = 0.0
            for sample in channel.samples:
                content, factor = sample.contents[bin_], 1.0
                for modifier in sample.modifiers:
                    match modifier:
                        case Scale(name):
                            factor *= at[name]
                        case BinScale(names) if names[bin_] is not None:
                            factor *= at[names[bin_]]
                        case NormShift(name, up, down, code):
                            factor *= norm_factor(at[name], up, down, code)
                        case ShapeShift(name, up, down, code):
                            nominal = sample.contents[bin_]
                            content += shape_shift(at[name], nominal, up[bin_], down[bin_], code)
                total += content * factor
            expected.append(total)
    return expected


def around(model: Model, seed: int, spread: float = 1.0) -> np.ndarray:
    """Parameters about their initial values, gammas and factors positive."""
    drawn = np.random.default_rng(seed).normal(0.0, spread, len(model.names))
    wide = model.initial == 0.0
    return np.where(wide, drawn, np.abs(model.initial + 0.1 * drawn))


@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_expectations_are_those_of_a_plain_loop(spread):
    spec = mixed()
    model = Model(spec)
    for seed in range(5):
        values = around(model, seed, spread)
        assert model.expected(values) == pytest.approx(plain_expectation(spec, values), rel=1e-12)


def test_samples_add_up_to_the_expectation():
    model = Model(mixed())
    values = around(model, 3)
    samples = model.samples(values)
    for channel, bins in model.channels.items():
        total = sum(cells for (name, _), cells in samples.items() if name == channel)
        assert total == pytest.approx(model.expected(values)[bins])


def test_the_nll_is_the_sum_of_its_terms():
    spec = mixed()
    model = Model(spec)
    values = around(model, 4)
    counts = np.concatenate([channel.data for channel in spec.channels])
    terms = [
        mean - count * math.log(mean) + math.lgamma(count + 1)
        for count, mean in zip(counts, plain_expectation(spec, values), strict=True)
    ]
    for parameter, value in zip(spec.parameters, values, strict=True):
        if isinstance(parameter.constraint, Gaussian):
            pull = (value - parameter.constraint.centre) / parameter.constraint.width
            terms.append(
                pull**2 / 2 + math.log(parameter.constraint.width * math.sqrt(2 * math.pi))
            )
        elif parameter.constraint is not None:
            tau = parameter.constraint.tau
            terms.append(value * tau - tau * math.log(value * tau) + math.lgamma(tau + 1))
    assert model.nll(values, model.data) == pytest.approx(math.fsum(terms), rel=1e-12)


def central(function, values: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences along every parameter."""
    unit = step * np.eye(len(values))
    return np.array([(function(values + e) - function(values - e)) / (2 * step) for e in unit])


@pytest.mark.parametrize("tables", ["dense", "sparse"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_derivatives_are_the_limits_of_differences(seed, tables, monkeypatch):
    if tables == "sparse":
        monkeypatch.setattr(sums, "SMALL", 0)
        monkeypatch.setattr(sums, "DENSE", 1.0)
    model = Model(mixed(seed, channels=1))
    data, values = model.data, around(model, seed + 10, 1.2)
    nll, gradient = model.nll_gradient(values, data)
    assert nll == pytest.approx(model.nll(values, data), rel=1e-13)
    assert gradient == pytest.approx(central(lambda x: model.nll(x, data), values), abs=1e-5)
    slopes = central(lambda x: model.nll_gradient(x, data)[1], values)
    assert model.hessian(values, data) == pytest.approx(slopes, rel=1e-6, abs=1e-4)
    assert model.rate_slopes(values) == pytest.approx(central(model.expected, values).T, abs=1e-5)


@pytest.mark.parametrize("tables", ["dense", "sparse"])
def test_a_bin_may_have_several_factors(tables, monkeypatch):
    if tables == "sparse":
        monkeypatch.setattr(sums, "SMALL", 0)
    spec = mixed(2, channels=1)
    names = tuple(f"factor_{at}" for at in range(4))
    factors = tuple(Parameter(name, "shape-factor", 1.0, 0.0, 10.0) for name in names)
    first, *others = spec.channels[0].samples
    first = replace(first, modifiers=(*first.modifiers, BinScale(names)))
    channel = replace(spec.channels[0], samples=(first, *others))
    model = Model(replace(spec, channels=(channel,), parameters=(*spec.parameters, *factors)))
    data, values = model.data, around(model, 8)
    assert model.expected(values) == pytest.approx(plain_expectation(model.spec, values))
    gradient = central(lambda x: model.nll(x, data), values)
    assert model.nll_gradient(values, data)[1] == pytest.approx(gradient, abs=1e-5)
    slopes = central(lambda x: model.nll_gradient(x, data)[1], values)
    assert model.hessian(values, data) == pytest.approx(slopes, rel=1e-6, abs=1e-4)
    assert model.rate_slopes(values) == pytest.approx(central(model.expected, values).T, abs=1e-5)


def test_derivatives_exist_where_factors_are_zero():
    model = Model(mixed(channels=1))
    data, values = model.data, around(model, 5, 0.1)
    values[model.index("mu")] = 0.0
    assert np.isfinite(model.hessian(values, data)).all()
    gradient = central(lambda x: model.nll(x, data), values)
    assert model.nll_gradient(values, data)[1] == pytest.approx(gradient, abs=1e-5)
    slopes = central(lambda x: model.nll_gradient(x, data)[1], values)
    assert model.hessian(values, data) == pytest.approx(slopes, rel=1e-6, abs=1e-4)


def test_a_factor_of_zero_at_one_stays_zero_beyond():
    sample = SampleSpec("a", (10.0,), (NormShift("s", 1.5, 0.0),))
    other = SampleSpec("b", (5.0,))
    parameter = Parameter("s", "systematic", 0.0, -5.0, 5.0, constraint=Gaussian())
    model = Model(LikelihoodSpec("x", (ChannelSpec("c", (sample, other)),), (parameter,)))
    assert model.expected(np.array([-1.0])) == pytest.approx([5.0])
    assert model.expected(np.array([-3.0])) == pytest.approx([5.0])
    assert model.expected(np.array([0.0])) == pytest.approx([15.0])


def test_two_factors_of_one_parameter_have_its_square():
    samples = (SampleSpec("a", (10.0, 20.0), (Scale("k"), Scale("k"), BinScale(("k", None)))),)
    spec = LikelihoodSpec(
        "x",
        (ChannelSpec("c", samples, (3.0, 9.0)),),
        (Parameter("k", "norm-factor", 1.0, 0.0, 5.0),),
    )
    model = Model(spec)
    values = np.array([0.8])
    assert model.expected(values) == pytest.approx([10 * 0.8**3, 20 * 0.8**2])
    assert model.rate_slopes(values).ravel() == pytest.approx([30 * 0.64, 40 * 0.8])
    slopes = central(lambda x: model.nll_gradient(x, model.data)[1], values)
    assert model.hessian(values, model.data) == pytest.approx(slopes, rel=1e-7)


def in_order(spec: LikelihoodSpec, order: list[int]) -> LikelihoodSpec:
    channels = [
        replace(row, samples=tuple(row.samples[at] for at in order)) for row in spec.channels
    ]
    return replace(spec, channels=tuple(channels))


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(3)), seed=st.integers(0, 99))
def test_the_order_of_samples_and_channels_changes_nothing(order, seed):
    spec = mixed(2)
    model = Model(spec)
    values = around(model, seed)
    expected = model.nll(values, model.data)
    other = Model(in_order(spec, list(order)))
    assert other.nll(values, other.data) == pytest.approx(expected, rel=1e-12)
    turned = Model(replace(spec, channels=spec.channels[::-1]))
    assert turned.nll(values, turned.data) == pytest.approx(expected, rel=1e-12)


def halves(sample: SampleSpec, part: float) -> tuple[SampleSpec, SampleSpec]:
    """A sample as two, which share all that changes it."""

    def scaled(row: SampleSpec, factor: float, name: str) -> SampleSpec:
        modifiers = [
            replace(
                modifier,
                up=tuple(factor * up for up in modifier.up),
                down=tuple(factor * down for down in modifier.down),
            )
            if isinstance(modifier, ShapeShift)
            else modifier
            for modifier in row.modifiers
        ]
        return SampleSpec(name, tuple(factor * c for c in row.contents), tuple(modifiers))

    return scaled(sample, part, "one"), scaled(sample, 1.0 - part, "two")


@settings(max_examples=20, deadline=None)
@given(part=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_a_sample_split_in_two_changes_nothing(part, seed):
    spec = mixed(3)
    first, *others = spec.channels
    split = replace(first, samples=(*halves(first.samples[0], part), *first.samples[1:]))
    model, other = Model(spec), Model(replace(spec, channels=(split, *others)))
    values = around(model, seed)
    expected = model.nll(values, model.data)
    assert other.nll(values, other.data) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99))
def test_channels_put_side_by_side_are_one(seed):
    spec = mixed(4, systematics=3)
    merged = []
    for rows in zip(*(channel.samples for channel in spec.channels), strict=True):
        modifiers = []
        for parts in zip(*(row.modifiers for row in rows), strict=True):
            match parts[0]:
                case BinScale():
                    modifiers.append(BinScale(sum((part.parameters for part in parts), ())))
                case ShapeShift(name, _, _, code):
                    up, down = (
                        sum((getattr(part, side) for part in parts), ()) for side in ("up", "down")
                    )
                    modifiers.append(ShapeShift(name, up, down, code))
                case Scale():
                    modifiers.append(parts[0])
                case _:  # a norm that differs between the channels is none of the merged one
                    pass
        contents = sum((row.contents for row in rows), ())
        merged.append(SampleSpec(rows[0].name, contents, tuple(modifiers)))
    kept = [
        replace(
            channel,
            samples=tuple(
                replace(
                    row,
                    modifiers=tuple(m for m in row.modifiers if not isinstance(m, NormShift)),
                )
                for row in channel.samples
            ),
        )
        for channel in spec.channels
    ]
    data = sum((channel.data for channel in spec.channels), ())
    one = Model(replace(spec, channels=(ChannelSpec("both", tuple(merged), data),)))
    two = Model(replace(spec, channels=tuple(kept)))
    values = around(one, seed)
    assert one.nll(values, one.data) == pytest.approx(two.nll(values, two.data), rel=1e-12)


def test_asimov_data_are_where_the_nll_is_least():
    model = Model(mixed())
    values = around(model, 6, 0.5)
    data = model.asimov(values, shift_measurements=True)
    assert data.counts == pytest.approx(model.expected(values))
    assert model.nll_gradient(values, data)[1] == pytest.approx(np.zeros(len(values)), abs=1e-9)
    assert model.asimov(values).measured == pytest.approx(model.data.measured)


def test_toys_have_the_spread_of_their_terms():
    model = Model(mixed(channels=1))
    values = around(model, 7, 0.5)
    toys = [model.toy(values, rng(1, "toys", at)) for at in range(800)]
    counts, measured = (
        np.array([getattr(toy, name) for toy in toys]) for name in ("counts", "measured")
    )
    expected = model.expected(values)
    assert np.abs((counts.mean(axis=0) - expected) / np.sqrt(expected / 800)).max() < 4
    assert counts.var(axis=0) == pytest.approx(expected, rel=0.25)
    shifted = model.asimov(values, shift_measurements=True).measured
    spread = measured.std(axis=0)
    assert np.abs((measured.mean(axis=0) - shifted) / (spread / math.sqrt(800))).max() < 4
    again = model.toy(values, rng(1, "toys", 3))
    assert (again.counts == counts[3]).all()
    assert (again.measured == measured[3]).all()


def test_negative_expectations_have_a_finite_likelihood_that_points_back():
    model = Model(counting(observed=3.0))
    inside = model.nll_gradient(np.array([0.1]), model.data)
    nll, gradient = model.nll_gradient(np.array([-3.0]), model.data)
    assert math.isfinite(nll)
    assert nll > inside[0]
    assert gradient[0] < 0.0
    empty = Model(counting(observed=0.0))
    assert empty.nll(np.array([-3.0]), empty.data) == 0.0
    assert empty.toy(np.array([-3.0]), rng(1)).counts[0] == 0.0
    assert empty.asimov(np.array([-3.0])).counts[0] == 0.0


def test_data_are_asked_for():
    spec = counting()
    model = Model(replace(spec, channels=(replace(spec.channels[0], data=None),)))
    with pytest.raises(InputError, match=r"QL-FIT-004.*no data in channel SR"):
        _ = model.data
    with pytest.raises(InputError, match="did you mean `mu`"):
        model.index("mue")
