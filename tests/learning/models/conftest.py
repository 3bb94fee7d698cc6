"""Features of two hundred events, and small models of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

pytest.importorskip("torch")

from quarkline.learning.features.arrays import MISSING, FeatureArrays, Objects
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup
from quarkline.learning.models.boosted import BoostedTrees, fit_trees
from quarkline.learning.models.config import ModelConfig
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.folded import FoldedModel
from quarkline.learning.models.networks import Network, build_network

GROUP, IDENTITY = ("mcChannelNumber", "genEventID"), ("mcChannelNumber", "eventNumber")
CLASSES = ("lq", "ttH", "VV")
SPEC = FeatureSpec(
    continuous=(Feature("ht", "HT"), Feature("met", "met_met", (-99.0,))),
    categorical=(Feature("charge", "total_charge"), Feature("lepton", "abs(lep_ID_0)")),
    objects=(ObjectGroup("jets", 3, (Feature("pt", "jets_pt"), Feature("eta", "jets_eta"))),),
)
SETTINGS: dict[str, dict[str, Any]] = {
    "resnet": {"kind": "resnet", "blocks": 2, "width": 16},
    "ft-transformer": {"kind": "ft-transformer", "blocks": 1, "width": 16, "heads": 2},
    "lstm-streams": {
        "kind": "lstm-streams",
        "streams": [{"filters": [6, 5], "nodes": 4, "layers": 2}],
        "hidden": [8],
        "bidirectional": True,
    },
    "bdt": {"kind": "bdt", "trees": 8, "leaves": 4, "min_leaf": 5},
}


def arrays(count: int = 200, seed: int = 1) -> FeatureArrays:
    """Features with what is missing; the first event has no jets."""
    draw = np.random.default_rng(seed)
    continuous = draw.lognormal(11, 1, (count, 2)).astype(np.float32)
    continuous[draw.random((count, 2)) < 0.1] = np.nan
    categorical = np.stack([draw.choice([-2, 0, 2, MISSING], count), draw.choice([11, 13], count)])
    number = draw.integers(0, 4, count)
    number[0] = 0
    present = np.arange(3) < number[:, None]
    values = draw.lognormal(10, 1, (count, 3, 2)).astype(np.float32)
    values[~present] = np.nan
    return FeatureArrays(continuous, categorical.T, {"jets": Objects(values, present)})


def event_model(kind: str, seed: int = 1) -> EventModel:
    """A model of random weights, or of a few trees."""
    config = TypeAdapter(ModelConfig).validate_python(SETTINGS[kind])
    events = arrays(seed=seed)
    preprocess = Preprocess.fit(SPEC, events)
    if kind == "bdt":
        label = np.digitize(np.nan_to_num(events.continuous[:, 0]), [4e4, 1e5])
        fitted = fit_trees(
            config,
            preprocess.matrix(events),
            label,
            np.ones(len(events)),
            np.arange(len(events)) % 4 == 0,
            classes=len(CLASSES),
            categories=preprocess.matrix_categories,
            seed=seed,
        )
        return EventModel(config, CLASSES, preprocess, BoostedTrees(fitted.text), events[:20])
    module = build_network(config, preprocess.geometry, len(CLASSES), seed=seed).eval()
    return EventModel(config, CLASSES, preprocess, Network(module), events[:20])


def folded_model(kind: str, folds: int = 3, members: int = 1) -> FoldedModel:
    """Folds of models of different weights."""
    models = tuple(
        tuple(event_model(kind, 1 + fold + folds * member) for member in range(members))
        for fold in range(folds)
    )
    return FoldedModel(models, GROUP, IDENTITY, 7, "0" * 32)
