"""Likelihoods side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood.combine import combined
from quarkline.statistics.likelihood.spec import (
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    Parameter,
    Poisson,
    SampleSpec,
    Scale,
)

MU = Parameter("mu", "norm-factor", 1.0, 0.0, 10.0)
ALPHA = Parameter("alpha", "systematic", 0.0, -5.0, 5.0, constraint=Gaussian())


def spec(channel: str, *parameters: Parameter, poi: str | None = "mu") -> LikelihoodSpec:
    sample = SampleSpec("s", (1.0,), tuple(Scale(item.name) for item in parameters))
    return LikelihoodSpec(channel, (ChannelSpec(channel, (sample,), (1.0,)),), parameters, poi)


def test_shared_parameters_are_one():
    other = Parameter("only", "norm-factor", 1.0, 0.0, 2.0)
    whole = combined([spec("a", MU, ALPHA), spec("b", ALPHA, other)])
    assert [channel.name for channel in whole.channels] == ["a", "b"]
    assert whole.parameters == (MU, ALPHA, other)
    assert whole.poi == "mu"


def test_a_parameter_is_fixed_only_if_all_fix_it():
    fixed = replace(MU, fixed=True)
    assert combined([spec("a", fixed), spec("b", MU)]).parameters == (MU,)
    assert combined([spec("a", fixed), spec("b", fixed)]).parameters == (fixed,)


def test_events_are_not_counted_twice():
    with pytest.raises(InputError, match="channel `a` is in a and a"):
        combined([spec("a", MU), spec("a", MU)])


def test_a_name_has_one_meaning():
    gamma = replace(ALPHA, role="gamma", constraint=Poisson(10.0))
    with pytest.raises(InputError, match="parameter `alpha` is gamma"):
        combined([spec("a", ALPHA), spec("b", gamma)])
