"""Jets of the stage `features` as the rows of a training, with their weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.features.choice import Split
from quarkline.studies.tagging.features.folder import ScaledJets
from quarkline.studies.tagging.jets import JetSet
from quarkline.studies.tagging.rows import JetRows
from quarkline.studies.tagging.train.config import TrainConfig
from quarkline.studies.tagging.train.weights import control_weights, main_weights
from quarkline.studies.tagging.watch.quantities import WatchedJets

DATA = 2
"""Label of data in a control region."""


@dataclass(frozen=True)
class TrainedJets:
    """Jets of one set that are trained on, and those held out; test jets are left alone.

    Attributes:
        jets: All jets of the set.
        train: Which are trained on, as numbers.
        held_out: Which are held out, as numbers.
        target: What is to be found of each jet of the set: its class, or 1 for data.
        weight: Weights in the loss; those of test jets mean nothing.
        momenta: In GeV.
    """

    jets: JetSet
    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    momenta: NDArray[np.float32]

    def rows(self, chosen: NDArray[np.int64]) -> JetRows:
        """Some jets as rows; a jet may be there more than once."""
        weight = self.weight[chosen].astype(np.float32)
        return JetRows(self.jets, chosen, self.target[chosen], weight)

    @property
    def watched(self) -> WatchedJets:
        """What is known of the jets held out."""
        out = self.held_out
        return WatchedJets(self.target[out], self.weight[out], self.momenta[out].astype(np.float64))

    @property
    def counts(self) -> tuple[int, int]:
        """Jets trained on, and held out."""
        return len(self.train), len(self.held_out)


def read_main(folder: Path, config: TrainConfig) -> TrainedJets:
    """The main set, with weights for the classifier's loss."""
    scaled = ScaledJets.load(folder)
    return _weighed(scaled, np.asarray(scaled.jets.label), partial(main_weights, config=config))


def read_control(folder: Path, config: TrainConfig) -> TrainedJets:
    """The control region, with weights that match simulation to data."""
    scaled = ScaledJets.load(folder)
    data = np.asarray(scaled.jets.label) == DATA
    return _weighed(scaled, data, partial(control_weights, config=config))


def _weighed(
    scaled: ScaledJets, target: NDArray[Any], weigh: Callable[..., NDArray[Any]]
) -> TrainedJets:
    """Jets with weights that are found without the test jets."""
    split, wanted = np.asarray(scaled.split), target.astype(np.int64)
    known, held_out = split != Split.TEST, split == Split.VALIDATION
    own = np.asarray(scaled.jets.weight, dtype=np.float64)
    weight = np.zeros(len(own))
    weight[known] = weigh(wanted[known], own[known], held_out[known])
    train, out = scaled.rows(Split.TRAIN), scaled.rows(Split.VALIDATION)
    return TrainedJets(scaled.jets, train, out, wanted, weight, scaled.momenta)


def mirrored(rows: int, length: int) -> NDArray[np.int64]:
    """Numbers of rows, forth and back again until there are so many, or cut: upstream's filling.

    Args:
        rows: How many there are, at least 1.
        length: How many there shall be.
    """
    both = np.concatenate([np.arange(rows), np.arange(rows)[::-1]])
    return np.resize(both, length)
