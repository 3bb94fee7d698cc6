"""Limits by toys: a counting experiment, whose CLs can be written down."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import poisson

from quarkline.statistics.likelihood.cls import BANDS
from quarkline.statistics.likelihood.limits import asymptotic_limit
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.spec import (
    ChannelSpec,
    LikelihoodSpec,
    Parameter,
    SampleSpec,
    Scale,
)
from quarkline.statistics.likelihood.toy_limits import toy_limit
from tests.statistics.likelihood.likelihoods import mu

SIGNAL, BACKGROUND, COUNT = 2.0, 3.0, 4.0


def experiment(signal: float = SIGNAL) -> Model:
    samples = (
        SampleSpec("signal", (signal,), (Scale("mu"),)),
        SampleSpec("background", (BACKGROUND,)),
    )
    return Model(LikelihoodSpec("one", (ChannelSpec("SR", samples, (COUNT,)),), (mu(),), "mu"))


def exact(value: float) -> float:
    """CLs: chance of at most that many counts, with signal over without."""
    with_signal = poisson.cdf(COUNT, value * SIGNAL + BACKGROUND)
    return float(with_signal / poisson.cdf(COUNT, BACKGROUND))


@pytest.mark.slow
def test_the_limit_is_that_of_counting():
    model = experiment()
    found = toy_limit(model, model.data, toys=400)
    truth = brentq(lambda value: exact(value) - 0.05, 0.1, 20.0)
    assert found.complete
    assert found.method == "toys"
    assert found.observed == pytest.approx(truth, rel=0.15)
    for point in found.points:
        error = 4.0 * np.sqrt(exact(point.value) / 400) + 0.02
        assert point.observed == pytest.approx(exact(point.value), abs=error)
    median = found.expected[BANDS.index(0)]
    expected = [x for x in found.expected if x is not None]
    assert expected == sorted(expected)
    assert median == pytest.approx(asymptotic_limit(model, model.data).expected[2], rel=0.2)


def test_a_few_toys_give_a_result_that_repeats():
    model = experiment()
    one, other = (toy_limit(model, model.data, toys=4, seed=3) for _ in range(2))
    assert one == other
    assert [point.value for point in one.points] == sorted(point.value for point in one.points)


def test_data_that_are_not_tested_only_give_the_background():
    """Toys are as those of the data in every way, but for the limit of the data itself."""
    model = with_free_background()
    data = model.asimov(np.array([0.0, 4.0]))
    seen, hidden = (
        toy_limit(model, data, toys=6, seed=3, observed=observed) for observed in (True, False)
    )
    shared = {point.value: point.expected for point in seen.points}
    assert hidden.observed is None
    assert {point.observed for point in hidden.points} == {None}
    assert all(point.expected == shared[point.value] for point in hidden.points)
    nominal = {point.value: point for point in toy_limit(model, None, toys=6, seed=3).points}
    assert not nominal.keys() & shared.keys()


def with_free_background() -> Model:
    samples = (
        SampleSpec("signal", (SIGNAL,), (Scale("mu"),)),
        SampleSpec("background", (BACKGROUND,), (Scale("k"),)),
    )
    control = ChannelSpec("CR", (SampleSpec("background", (90.0,), (Scale("k"),)),), (90.0,))
    k = Parameter("k", "norm-factor", 1.0, 0.0, 10.0)
    channels = (ChannelSpec("SR", samples, (COUNT,)), control)
    return Model(LikelihoodSpec("two", channels, (mu(), k), "mu"))


def test_without_sensitivity_it_is_said():
    model = experiment(signal=0.0)
    found = toy_limit(model, model.data, toys=5)
    assert found.observed is None
    assert not found.complete
    assert "say nothing" in found.note
