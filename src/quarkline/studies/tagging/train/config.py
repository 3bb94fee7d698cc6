"""What is trained, how, against which adversary, and what is kept of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from quarkline.engine.core.config import Config, ConfigPath
from quarkline.learning.adversary.config import AdversaryConfig, DistanceCorrelation
from quarkline.learning.models.config import ModelConfig, StreamNetworkConfig, TreesConfig
from quarkline.learning.training.config import FitConfig

KS_RULE = re.compile(r"ks\s*<\s*(\d+(?:\.\d*)?|\.\d+)")

EpochWeights = Annotated[str, StringConstraints(pattern=rf"^(all|best|{KS_RULE.pattern})$")]


class TaggerFit(FitConfig):
    """How the networks are fitted."""

    batch_size: int = Field(512, ge=1, description="Jets in a batch.")
    patience: int | None = Field(
        None,
        ge=1,
        description="Stop after so many epochs that gain less than `least_gain` in all.",
    )


class TrainConfig(Config):
    """What is trained, how, against which adversary, and what is kept."""

    model: ModelConfig = Field(
        default_factory=StreamNetworkConfig, description="The network of jets."
    )
    adversary: AdversaryConfig = Field(
        default_factory=DistanceCorrelation,
        description="How outputs are kept equal in data and simulation.",
    )
    fit: TaggerFit = Field(default_factory=TaggerFit)
    seeds: int = Field(1, ge=1, description="Trainings, each from other weights and batches.")
    weights: Literal["none", "absolute", "signed"] = Field(
        "signed", description="Jets' weights in the loss: none, their absolute values, or as is."
    )
    balance: Literal["none", "classes"] = Field(
        "classes", description="Total weight of the classes: as it is, or all equal."
    )
    weight_cap: float | None = Field(
        None,
        gt=1,
        description="Largest weight, as a multiple of the mean of its class; larger ones are cut.",
    )
    epoch_weights: EpochWeights = Field(
        "all",
        description="Epochs whose weights are kept: `all`, `best`, or `ks<0.3`, those whose K-S "
        "distances, summed over pT bins, are below for every output; the best is always kept.",
    )
    penalty: float = Field(0.0, ge=0, description="Weight of |w| + w^2 of the layers' weights.")
    start: ConfigPath | None = Field(
        None, description="Run, as its folder, whose exact state these trainings go on from."
    )
    num_splits: int | None = Field(
        None, ge=1, description="Batches of an epoch, with `compatibility: upstream`."
    )
    compatibility: Literal["none", "upstream"] = Field(
        "none",
        description="`upstream` trains as the CalRatio trainer did: pieces of the tables in their "
        "order as batches, the control region mirrored to the main set's length, raw weights.",
    )

    @model_validator(mode="before")
    @classmethod
    def _as_upstream(cls, data: Any) -> Any:
        """Upstream's values where nothing else is said."""
        if not isinstance(data, Mapping) or data.get("compatibility") != "upstream":
            return data
        return with_defaults(UPSTREAM, data)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if isinstance(self.model, TreesConfig):
            msg = "`model: {kind: bdt}` cannot be trained against an adversary; choose a network"
            raise ValueError(msg)
        if self.num_splits is not None and self.compatibility == "none":
            msg = "`num_splits` goes with `compatibility: upstream`; else set `fit: {batch_size}`"
            raise ValueError(msg)
        return self

    @property
    def ks_limit(self) -> float | None:
        """Below which sum of K-S distances of every output an epoch's weights are kept."""
        found = KS_RULE.fullmatch(self.epoch_weights)
        return float(found[1]) if found else None


UPSTREAM: Mapping[str, Any] = {
    "model": {
        "kind": "lstm-streams",
        "streams": [
            {"filters": [64, 32, 32, 16], "nodes": 10},
            {"filters": [64, 32, 32, 16], "nodes": 10},
            {"filters": [32, 16, 8], "nodes": 5},
        ],
        "hidden": [512, 64],
        "dropout": 0.2,
        "absent": "zeros",
    },
    "adversary": {"kind": "alternating", "weight": 10.0, "steps": 2, "bound": None},
    "fit": {
        "epochs": 100,
        "learning_rate": 8e-4,
        "optimiser": "keras-nadam",
        "clip": None,
        "patience": None,
    },
    "balance": "none",
    "epoch_weights": "all",
    "penalty": 1e-11,
    "num_splits": 50,
}
"""Settings of the CalRatio trainer."""


def with_defaults(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Given values over defaults, map by map; a map of another `kind` replaces the default's."""
    found = {**defaults, **given}
    for key, value in defaults.items():
        own = given.get(key)
        if isinstance(value, Mapping) and isinstance(own, Mapping):
            same = own.get("kind", value.get("kind")) == value.get("kind")
            found[key] = with_defaults(value, own) if same else own
    return found
