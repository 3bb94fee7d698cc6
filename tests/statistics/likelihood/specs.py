"""Likelihoods to test with: every kind of modifier, constraint and interpolation code."""

from __future__ import annotations

from typing import Any

import numpy as np

from quarkline.statistics.likelihood import (
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

NORM_CODES = (4, 1)
SHAPE_CODES = ("4p", "0", "2")


def numbers(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def mixed(
    seed: int = 1,
    *,
    channels: int = 2,
    samples: int = 3,
    bins: int = 4,
    systematics: int = 6,
    smooth: bool = False,
) -> LikelihoodSpec:
    """Signal and backgrounds with norm and shape systematics, gammas shared by all samples.

    Gammas are Gaussian and Poisson by turns, and the last bin has none. With `smooth` only the
    codes 4 and 4p occur, and up and down oppose each other.
    """
    rng = np.random.default_rng(seed)
    parameters = [
        Parameter("mu", "norm-factor", 1.0, 0.0, 10.0),
        *(
            Parameter(f"s{at}", "systematic", 0.0, -5.0, 5.0, constraint=Gaussian())
            for at in range(systematics)
        ),
    ]
    rows = []
    for c in range(channels):
        gammas = [f"gamma_{c}_{at}" for at in range(bins - 1)]
        for at, name in enumerate(gammas):
            constraint = Poisson(400.0 + at) if at % 2 else Gaussian(1.0, 0.05)
            parameters.append(Parameter(name, "gamma", 1.0, 1e-10, 10.0, constraint=constraint))
        drawn = []
        for s in range(samples):
            contents = rng.uniform(20.0, 60.0, bins)
            modifiers: list[Any] = [BinScale((*gammas, None))]
            if s == 0:
                modifiers.append(Scale("mu"))
            for at in range(systematics):
                norm = NORM_CODES[0 if smooth else at % 2]
                shape = SHAPE_CODES[0 if smooth else at % 3]
                up, down = 1 + rng.normal(0.0, 0.08, 2)
                shifts = contents * (1 + rng.normal(0.0, 0.08, (2, bins)))
                if smooth:  # the sides oppose each other, so that there is one minimum
                    down = 1 - (up - 1) * rng.uniform(0.8, 1.2)
                    shifts[1] = contents - (shifts[0] - contents) * rng.uniform(0.8, 1.2)
                modifiers.append(NormShift(f"s{at}", float(up), float(down), norm))
                modifiers.append(ShapeShift(f"s{at}", *map(numbers, shifts), shape))
            drawn.append(SampleSpec(f"S{s}", numbers(contents), tuple(modifiers)))
        data = rng.poisson(40.0 * samples, bins)
        rows.append(ChannelSpec(f"C{c}", tuple(drawn), numbers(data)))
    return LikelihoodSpec("mixed", tuple(rows), tuple(parameters), "mu")


def counting(
    observed: float = 12.0, signal: float = 5.0, background: float = 8.0
) -> LikelihoodSpec:
    """One bin, one free signal strength, nothing else."""
    samples = (
        SampleSpec("signal", (signal,), (Scale("mu"),)),
        SampleSpec("background", (background,)),
    )
    return LikelihoodSpec(
        "counting",
        (ChannelSpec("SR", samples, (observed,)),),
        (Parameter("mu", "norm-factor", 1.0, 0.0, 50.0),),
        "mu",
    )


def workspace() -> dict[str, Any]:
    """A workspace of pyhf with every modifier, and a measurement that changes all it can."""

    def entry(kind: str, name: str, data: Any = None) -> dict[str, Any]:
        return {"type": kind, "name": name, "data": data}

    def sample(name: str, data: list[float], *modifiers: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "data": data, "modifiers": list(modifiers)}

    lumi = entry("lumi", "lumi")
    jes = {"hi_data": [14.0, 22.5, 31.0], "lo_data": [10.5, 17.0, 28.0]}
    one_bin = {"hi_data": [6.0], "lo_data": [5.2]}
    return {
        "channels": [
            {
                "name": "SR",
                "samples": [
                    sample("signal", [2.0, 6.0, 9.0], entry("normfactor", "mu"), lumi),
                    sample(
                        "top",
                        [12.0, 20.0, 30.0],
                        lumi,
                        entry("histosys", "jes", jes),
                        entry("normsys", "jes", {"hi": 1.05, "lo": 0.93}),
                        entry("normsys", "xsec", {"hi": 1.2, "lo": 0.85}),
                        entry("staterror", "mc_SR", [1.0, 1.5, 0.0]),
                    ),
                    sample(
                        "fakes",
                        [5.0, 0.0, 4.0],
                        entry("shapesys", "fake_rate", [1.0, 0.5, 0.8]),
                        entry("staterror", "mc_SR", [0.5, 0.3, 0.0]),
                    ),
                ],
            },
            {
                "name": "CR",
                "samples": [
                    sample("signal", [0.1], entry("normfactor", "mu"), lumi),
                    sample(
                        "top",
                        [55.0],
                        lumi,
                        entry("normsys", "xsec", {"hi": 1.1, "lo": 0.95}),
                        entry("histosys", "scale", {"hi_data": [58.0], "lo_data": [50.0]}),
                        entry("staterror", "mc_CR", [2.0]),
                    ),
                    sample("other", [5.5], entry("histosys", "jes", one_bin)),
                    sample("qcd", [3.0], entry("shapefactor", "qcd_shape")),
                ],
            },
        ],
        "observations": [
            {"name": "CR", "data": [66.0]},
            {"name": "SR", "data": [20.0, 27.0, 46.0]},
        ],
        "measurements": [
            {
                "name": "first",
                "config": {
                    "poi": "mu",
                    "parameters": [
                        {
                            "name": "lumi",
                            "auxdata": [1.0],
                            "bounds": [[0.5, 1.5]],
                            "inits": [1.0],
                            "sigmas": [0.02],
                        }
                    ],
                },
            },
            {
                "name": "second",
                "config": {
                    "poi": "mu",
                    "parameters": [
                        {
                            "name": "lumi",
                            "auxdata": [1.01],
                            "bounds": [[0.5, 1.5]],
                            "inits": [0.99],
                            "sigmas": [0.03],
                        },
                        {"name": "mu", "inits": [0.7], "bounds": [[-1.0, 4.0]]},
                        {"name": "xsec", "auxdata": [0.3], "fixed": True, "inits": [0.2]},
                        {"name": "mc_CR", "sigmas": [0.1], "auxdata": [0.9]},
                        {"name": "fake_rate", "auxdata": [24.0, 1.0, 26.0]},
                        {"name": "unused", "inits": [3.0]},
                    ],
                },
            },
        ],
        "version": "1.0.0",
    }
