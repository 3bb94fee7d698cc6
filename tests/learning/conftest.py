"""A small conditional data set with a known density, and a flow trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.learning.features.scaling import FeatureScale, Scaler
from quarkline.learning.models.flow import ConditionalFlow
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import fit

SHAPE = {"transforms": 1, "hidden": [16], "spline_bins": 6}
CONFIG = FitConfig(
    batch_size=128, learning_rate=5e-3, average_decay=0.9, epochs=6, patience=6, least_gain=1e-3
)


def changed(**keys: Any) -> FitConfig:
    return FitConfig(**CONFIG.model_dump() | keys)


def sample(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features x ~ normal(c, 1), y = log-normal, for a condition c ~ uniform(-1, 1)."""
    generator = np.random.default_rng(seed)
    condition = generator.uniform(-1, 1, count)
    first = condition + generator.normal(size=count)
    second = np.exp(0.5 * generator.normal(size=count))
    return np.stack([first, second], axis=1), condition


def new_flow(seed: int = 1) -> ConditionalFlow:
    features, condition = sample(2000, 1)
    return ConditionalFlow.new(
        Scaler.fit(["x", "y"], features), FeatureScale.fit("c", condition), SHAPE, seed=seed
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> ConditionalFlow:
    flow = new_flow()
    train, held_out = sample(2000, 1), sample(500, 2)
    fit(
        flow.module,
        flow.tensors(*train),
        flow.tensors(*held_out),
        CONFIG,
        seed=1,
        folder=tmp_path_factory.mktemp("fit"),
    )
    return flow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "model"
