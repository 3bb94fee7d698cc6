"""Small likelihoods for tests, and the same ones in pyhf."""

from __future__ import annotations

from dataclasses import replace

import pyhf

from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.spec import (
    BinScale,
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    NormShift,
    Parameter,
    Poisson,
    SampleSpec,
    Scale,
    ShapeShift,
)

SIGNAL, BACKGROUND, ERRORS = (12.0, 11.0), (50.0, 52.0), (3.0, 7.0)
UP, DOWN = (54.0, 60.0), (46.0, 45.0)


def mu(low: float = 0.0, high: float = 10.0, initial: float = 1.0) -> Parameter:
    return Parameter("mu", "norm-factor", initial, low, high)


def counting(
    data: tuple[float, ...] = (51.0, 48.0),
    *,
    signal: tuple[float, ...] = SIGNAL,
    poi: Parameter | None = None,
) -> LikelihoodSpec:
    """Two bins, whose backgrounds are known from counts of their own."""
    samples = (
        SampleSpec("signal", signal, (Scale("mu"),)),
        SampleSpec("background", BACKGROUND, (BinScale(("gamma_0", "gamma_1")),)),
    )
    gammas = [
        Parameter(f"gamma_{i}", "gamma", 1.0, 1e-10, 10.0, constraint=Poisson((b / e) ** 2))
        for i, (b, e) in enumerate(zip(BACKGROUND, ERRORS, strict=True))
    ]
    channel = ChannelSpec("SR", samples, data)
    return LikelihoodSpec("counting", (channel,), (poi or mu(), *gammas), "mu")


def shapes(data: tuple[float, ...] = (55.0, 53.0)) -> LikelihoodSpec:
    """Two bins with a shape, a normalisation and a free background."""
    samples = (
        SampleSpec("signal", SIGNAL, (Scale("mu"), NormShift("scale", 1.1, 0.95))),
        SampleSpec("background", BACKGROUND, (ShapeShift("shape", UP, DOWN),)),
        SampleSpec("other", (5.0, 20.0), (Scale("other"), NormShift("scale", 1.2, 0.85))),
    )
    control = ChannelSpec("CR", (SampleSpec("other", (200.0,), (Scale("other"),)),), (210.0,))
    parameters = (
        mu(),
        Parameter("shape", "systematic", 0.0, -5.0, 5.0, constraint=Gaussian()),
        Parameter("scale", "systematic", 0.0, -5.0, 5.0, constraint=Gaussian()),
        Parameter("other", "norm-factor", 1.0, 0.0, 10.0),
    )
    signal_region = ChannelSpec("SR", samples, data)
    return LikelihoodSpec("shapes", (signal_region, control), parameters, "mu")


def with_mu(spec: LikelihoodSpec, parameter: Parameter) -> LikelihoodSpec:
    return replace(spec, parameters=(parameter, *spec.parameters[1:]))


def pyhf_counting(data: tuple[float, ...] = (51.0, 48.0)) -> tuple[pyhf.Model, list[float]]:
    model = pyhf.simplemodels.uncorrelated_background(
        validate=False, signal=list(SIGNAL), bkg=list(BACKGROUND), bkg_uncertainty=list(ERRORS)
    )
    return model, [*data, *model.config.auxdata]


def pyhf_shapes(data: tuple[float, ...] = (55.0, 53.0)) -> tuple[pyhf.Model, list[float]]:
    free = {"name": "other", "type": "normfactor", "data": None}
    samples = [
        {
            "name": "signal",
            "data": list(SIGNAL),
            "modifiers": [
                {"name": "mu", "type": "normfactor", "data": None},
                {"name": "scale", "type": "normsys", "data": {"hi": 1.1, "lo": 0.95}},
            ],
        },
        {
            "name": "background",
            "data": list(BACKGROUND),
            "modifiers": [
                {
                    "name": "shape",
                    "type": "histosys",
                    "data": {"hi_data": list(UP), "lo_data": list(DOWN)},
                }
            ],
        },
        {
            "name": "other",
            "data": [5.0, 20.0],
            "modifiers": [
                free,
                {"name": "scale", "type": "normsys", "data": {"hi": 1.2, "lo": 0.85}},
            ],
        },
    ]
    control = {"name": "CR", "samples": [{"name": "other", "data": [200.0], "modifiers": [free]}]}
    spec = {"channels": [{"name": "SR", "samples": samples}, control]}
    model = pyhf.Model(spec, validate=False, poi_name="mu")
    counts = {"SR": list(data), "CR": [210.0]}
    ordered = [count for name in model.config.channels for count in counts[name]]
    return model, [*ordered, *model.config.auxdata]


PAIRS = {
    "counting": (lambda: Model(counting()), pyhf_counting),
    "shapes": (lambda: Model(shapes()), pyhf_shapes),
}
"""Likelihoods with what makes the same one in pyhf."""
