"""Limits by toys: a counting experiment, whose CLs can be written down."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import poisson

from quarkline.statistics.likelihood.cls import BANDS
from quarkline.statistics.likelihood.limits import asymptotic_limit
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.spec import ChannelSpec, LikelihoodSpec, SampleSpec, Scale
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


def test_without_sensitivity_it_is_said():
    model = experiment(signal=0.0)
    found = toy_limit(model, model.data, toys=5)
    assert found.observed is None
    assert not found.complete
    assert "say nothing" in found.note
