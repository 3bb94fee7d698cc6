"""Fits the network of one seed, with its adversary, and keeps what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from torch import Tensor, nn

from quarkline.engine.core.rng import library_seed
from quarkline.learning.adversary.config import Adversarial, NoAdversary
from quarkline.learning.adversary.network import DecorrelatedNetwork, new_adversary
from quarkline.learning.adversary.task import CONTROL, MAIN, Decorrelation
from quarkline.learning.models.artifact import save_model
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.networks import Network, build_network
from quarkline.learning.training.fit import fit
from quarkline.learning.training.rows import RowSource
from quarkline.studies.tagging.features.stage import read_preprocess
from quarkline.studies.tagging.train.config import TrainConfig
from quarkline.studies.tagging.train.data import TrainedJets, mirrored, read_control, read_main
from quarkline.studies.tagging.train.kept import (
    MODEL,
    KeptWeights,
    kept_epochs,
    write_weights,
)
from quarkline.studies.tagging.upstream import CLASSES, examples
from quarkline.studies.tagging.watch.config import WatchConfig
from quarkline.studies.tagging.watch.watcher import (
    Watcher,
    control_agreement,
    history_quantities,
)

if TYPE_CHECKING:
    from quarkline.learning.features.preprocess import Preprocess
    from quarkline.studies.tagging.train.run import TrainStageConfig

MIRRORED = "mirrored"
"""The stream of the control region that upstream's classifier step reads."""
