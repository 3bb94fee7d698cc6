"""Weights of jets in the losses of a training: one for each jet, found once, kept beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Rule, WorkError
from quarkline.learning.training.class_weights import loss_weights
from quarkline.learning.training.config import TrainingConfig
from quarkline.studies.tagging.train.config import TrainConfig
from quarkline.studies.tagging.upstream import CLASSES

Weights = NDArray[np.float64]
SIGNAL = "signal"
SIDES = ("simulation", "data")

NO_SIDE = Rule(
    "QL-TAG-041",
    "a control region has jets of data and of simulation, with weights",
    "An adversary learns to tell data from simulation, so it needs both, in training and in "
    "validation, and weights of each that add up to more than zero. Without a control region train "
    "with `adversary: {kind: none}`.",
)


def main_weights(
    label: NDArray[np.int64], weight: Weights, validation: NDArray[np.bool_], config: TrainConfig
) -> Weights:
    """Weights of jets in the classifier's loss, with mean 1 over the training jets.

    Generator weights of multijets spread over many orders; what counts is their share of their
    class, so each class is scaled as a whole: with `balance: classes` to the same total.

    Args:
        label: Class of each jet, with shape (N,).
        weight: Its own weight, with shape (N,).
        validation: Which jets are held out, with shape (N,).
        config: `weights`, `balance`, `weight_cap` and `compatibility`.

    Returns:
        With shape (N,); with `compatibility: upstream` the jets' own weights.
    """
    if config.compatibility == "upstream":
        return weight
    used = TrainingConfig(weights=config.weights, balance=config.balance)
    own = capped(label, weight, ~validation, config.weight_cap)
    return loss_weights(label, own, validation, classes=CLASSES, signal=SIGNAL, config=used)


def capped(
    label: NDArray[np.int64], weight: Weights, training: NDArray[np.bool_], cap: float | None
) -> Weights:
    """Weights that are no larger than a multiple of the mean size in the training of their class.

    Args:
        label: Class of each jet, with shape (N,).
        weight: With shape (N,).
        training: Which jets the means are of, with shape (N,).
        cap: The multiple; None for no limit.
    """
    if cap is None:
        return weight
    size = np.abs(weight)
    sums = np.bincount(label[training], size[training], minlength=int(label.max()) + 1)
    counts = np.bincount(label[training], minlength=len(sums))
    most = cap * (sums / np.maximum(counts, 1))[label]
    return np.clip(weight, -most, most)


def control_weights(
    side: NDArray[np.int64], weight: Weights, validation: NDArray[np.bool_], config: TrainConfig
) -> Weights:
    """Weights of the control region, in which simulation adds up to what data do.

    Args:
        side: 1 for data, 0 for simulation, with shape (M,).
        weight: The jet's own weight, with shape (M,).
        validation: Which jets are held out, with shape (M,).
        config: `weight_cap` and `compatibility`.

    Returns:
        With shape (M,) and mean 1 over the training jets; with `compatibility: upstream` data keep
        their weights, and the sums are those of all jets.

    Raises:
        WorkError: If data or simulation are missing.
    """
    upstream = config.compatibility == "upstream"
    training = ~validation
    own = weight if upstream else capped(side, weight, training, config.weight_cap)
    counted = np.ones_like(training) if upstream else training
    sums = np.bincount(side[counted], own[counted], minlength=2)
    held_out = np.bincount(side[validation], own[validation], minlength=2)
    for name, told in (("training", sums), ("validation", held_out)):
        if lacking := [kind for kind, total in zip(SIDES, told, strict=True) if not total > 0]:
            raise WorkError(
                NO_SIDE.finding(
                    f"{' and '.join(lacking)} of the control region: no weight in {name}",
                    suggestion="give a control region with more jets of label 0 (simulation) and "
                    "2 (data), or none and `adversary: {kind: none}`",
                )
            )
    matched = np.where(side == 1, own, own * (sums[1] / sums[0]))
    return matched if upstream else matched / matched[training].mean()
