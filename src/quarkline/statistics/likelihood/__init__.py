"""Binned likelihoods of HistFactory's kind: the model, its fits, and what follows from them."""

from __future__ import annotations

from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.minimum import Minimum, minimum
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.results import FitQuality, FittedParameter, LikelihoodFit
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
from quarkline.statistics.likelihood.workspace import (
    patched,
    spec_from_workspace,
    workspace_from_spec,
)

__all__ = [
    "BinScale",
    "ChannelSpec",
    "Data",
    "FitQuality",
    "FittedParameter",
    "Gaussian",
    "LikelihoodFit",
    "LikelihoodSpec",
    "Minimum",
    "Model",
    "NormShift",
    "Parameter",
    "Poisson",
    "SampleSpec",
    "Scale",
    "ShapeShift",
    "fit",
    "minimum",
    "patched",
    "spec_from_workspace",
    "workspace_from_spec",
]
