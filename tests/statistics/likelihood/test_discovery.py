"""Significances: pyhf's numbers, and data without signal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyhf
import pytest
from scipy.stats import kstest, norm

from quarkline.engine.core.rng import rng
from quarkline.statistics.likelihood.discovery import discovery, discovery_statistic
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.signal import Signal
from quarkline.statistics.likelihood.spec import (
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    Parameter,
    SampleSpec,
    Scale,
    ShapeShift,
)
from quarkline.statistics.significance import binomial_interval
from tests.statistics.likelihood.likelihoods import (
    counting,
    mu,
    pyhf_counting,
    pyhf_shapes,
    shapes,
)

EXCESS = (70.0, 66.0)


@pytest.mark.parametrize(("ours", "theirs"), [(counting, pyhf_counting), (shapes, pyhf_shapes)])
def test_the_significance_is_that_of_pyhf(ours, theirs):
    model = Model(ours(EXCESS))
    reference, data = theirs(EXCESS)
    p, expected = pyhf.infer.hypotest(0.0, data, reference, test_stat="q0", return_expected=True)
    found = discovery(model, model.data)
    assert found.p == pytest.approx(float(p), rel=1e-3)
    assert found.z == pytest.approx(norm.isf(float(p)), rel=1e-3)
    assert found.z_expected == pytest.approx(norm.isf(float(expected)), rel=1e-3)


def test_a_deficit_has_no_significance():
    for low in (0.0, -5.0):
        model = Model(counting((40.0, 40.0), poi=mu(low=low)))
        found = discovery(model, model.data)
        assert (found.q0, found.z, found.p) == (0.0, 0.0, 0.5)


def test_what_is_expected_is_what_data_with_that_signal_have():
    model = Model(counting())
    asimov = model.asimov(np.array([1.5, 1.0, 1.0]))
    found = discovery(model, None, expected_with=1.5)
    assert found.q0 is found.z is found.p is None
    assert found.z_expected == pytest.approx(discovery(model, asimov).z, rel=1e-4)


def test_a_one_sided_variation_is_looked_at_on_both_sides():
    """Without signal the lowest minimum is on the side that the best fit is not on."""
    background = SampleSpec("b", (20.0, 26.0), (ShapeShift("a", (26.0, 25.0), (28.0, 30.0)),))
    samples = (SampleSpec("s", (9.0, 5.0), (Scale("mu"),)), background)
    one_sided = Parameter("a", "systematic", 0.0, -5.0, 5.0, constraint=Gaussian())
    channel = ChannelSpec("SR", samples, (46.0, 36.0))
    model = Model(LikelihoodSpec("one-sided", (channel,), (mu(), one_sided), "mu"))
    # From a scan of both parameters in steps of 0.005; the near minimum gives 14.25.
    assert discovery(model, model.data).q0 == pytest.approx(6.2855, abs=1e-3)


def test_a_signal_without_events_is_told():
    spec = counting()
    channels = tuple(
        replace(
            channel,
            samples=tuple(
                replace(sample, contents=(0.0,) * channel.bins)
                if any(isinstance(one, Scale) and one.parameter == "mu" for one in sample.modifiers)
                else sample
                for sample in channel.samples
            ),
        )
        for channel in spec.channels
    )
    model = Model(replace(spec, channels=channels))
    found = discovery(model, model.data)
    assert (found.z, found.z_expected) == (0.0, 0.0)
    assert "`mu` = 1 changes nothing" in found.note
    assert discovery(Model(spec), None).note == ""


def test_an_upper_bound_does_not_hold_the_signal_back():
    free, held = Model(counting(EXCESS)), Model(counting(EXCESS, poi=mu(high=0.5, initial=0.1)))
    found = discovery(held, held.data)
    assert found.z == pytest.approx(discovery(free, free.data).z, rel=1e-5)
    assert "the best fit lies above the upper bound of `mu`, 0.5" in found.note


@pytest.mark.slow
def test_p_values_of_data_without_signal_are_uniform_above_their_atom():
    model = Model(counting())
    truth = np.array([0.0, 1.0, 1.0])
    number = 2000
    signal = Signal.of(model)
    q0 = np.array(
        [discovery_statistic(signal, model.toy(truth, rng(3, "null", i))) for i in range(number)]
    )
    positive = q0[q0 > 1e-9]
    low, high = binomial_interval(len(positive), number, level=0.999)
    assert low < 0.5 < high
    # q0 of the other half is that of a normal variable above 0: p is uniform from 0 to 1/2
    assert kstest(2.0 * norm.sf(np.sqrt(positive)), "uniform").pvalue > 1e-3
    assert not signal.notes
