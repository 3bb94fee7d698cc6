"""A training that never was: outputs of validation jets after a few epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quarkline.studies.tagging.watch.config import WatchConfig
from quarkline.studies.tagging.watch.quantities import WatchedJets
from quarkline.studies.tagging.watch.watcher import Watcher

TRAINING = {"adv_loss": 0.6, "adv_acc": 0.5, "original_lossf": 1.0, "original_acc": 0.6}


def outputs_of(epoch: int, number: int = 300) -> dict[str, np.ndarray]:
    """Probabilities of the classes, and of data in the control region."""
    random = np.random.default_rng(epoch)
    return {
        "": random.dirichlet((1, 1, 1), number).astype(np.float32),
        "control": np.column_stack(
            [random.dirichlet((3, 1, 1), number), random.uniform(size=number)]
        ).astype(np.float32),
    }


@pytest.fixture
def main() -> WatchedJets:
    random = np.random.default_rng(1)
    label = np.arange(300) % 3
    return WatchedJets(label, random.lognormal(0, 1, 300), random.uniform(40, 500, 300))


@pytest.fixture
def control() -> WatchedJets:
    random = np.random.default_rng(2)
    label = (np.arange(300) < 140).astype(np.int64)
    return WatchedJets(label, random.lognormal(0, 1, 300), random.uniform(40, 500, 300))


@pytest.fixture
def watcher(tmp_path: Path, main: WatchedJets, control: WatchedJets) -> Watcher:
    return Watcher(tmp_path / "training", main, control, WatchConfig(permutations=20))
