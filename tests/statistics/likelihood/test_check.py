"""Likelihoods that are refused, by message."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood import (
    BinScale,
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    Model,
    NormShift,
    Parameter,
    Poisson,
    SampleSpec,
    Scale,
    ShapeShift,
)

MU = Parameter("mu", "norm-factor", 1.0, 0.0, 10.0)


def spec(*modifiers, contents=(1.0, 2.0), data=None, parameters=(MU,), poi=None, more=()):
    sample = SampleSpec("top", contents, modifiers)
    channel = ChannelSpec("SR", (sample, *more), data)
    return LikelihoodSpec("x", (channel,), parameters, poi)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (spec(contents=(1.0, math.nan)), "sample `top` of channel `SR`  bin 1 holds nan"),
        (spec(data=(1.0, -2.0)), "data are negative: -2"),
        (spec(data=(1.0,)), "QL-FIT-003  data of channel `SR`  1 bins where the channel has 2"),
        (spec(Scale("mue")), "`mue` on sample `top` of channel `SR`.*\n   did you mean `mu`"),
        (spec(NormShift("mu", 1.1, -0.1)), "norm factors are 1.1 at \\+1 and -0.1 at -1"),
        (spec(ShapeShift("mu", (1.0, math.inf), (1.0, 1.0))), "bin 1 holds inf"),
        (spec(ShapeShift("mu", (1.0,), (1.0, 1.0))), "1 bins where the channel has 2"),
        (spec(BinScale(("mu",))), "1 bins where the channel has 2"),
        (spec(poi="m"), "the parameter of interest is called `m`"),
        (spec(parameters=(MU, MU)), "2 parameters are called `mu`"),
        (spec(more=(SampleSpec("top", (1.0, 1.0)),)), "2 samples are called `top`"),
        (spec(more=(SampleSpec("W", (1.0,)),)), "sample `W` of channel `SR`  1 bins where"),
        (spec(parameters=(replace(MU, initial=11.0),)), "initial value 11 is outside the bounds"),
        (spec(parameters=(replace(MU, initial=math.nan),)), "not a number: initial nan"),
        (spec(parameters=(replace(MU, constraint=Gaussian(0.0, 0.0)),)), "errors are positive"),
        (
            spec(parameters=(replace(MU, constraint=Poisson(0.0)),)),
            "expects 0; it must be positive",
        ),
        (LikelihoodSpec("x", (), (MU,)), "the likelihood has no channels"),
        (LikelihoodSpec("x", (ChannelSpec("a", ()),), (MU,)), "no samples or no bins"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(wrong, message):
    with pytest.raises(InputError, match=message):
        Model(wrong)


def test_everything_is_said_at_once():
    with pytest.raises(InputError) as caught:
        Model(spec(Scale("a"), Scale("b"), contents=(math.nan, 1.0)))
    assert len(caught.value.findings) == 3
