"""The quantities of upstream's history, each on all validation jets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quarkline.statistics.tagging import OUTPUTS, OutputAgreement

Floats = NDArray[np.float64]

KS = {output: f"ks_{output}_hist" for output in OUTPUTS}
"""Sums of the K-S distances over the bins of jet pT, by output."""

WORST = "ks_worst"
"""The largest K-S distance of all outputs and bins, which upstream's history does not have."""

TRAINING = (
    *("adv_loss", "adv_acc", "original_lossf", "original_acc"),
    *("original_adv_lossf", "original_adv_acc"),
)
"""What only the training knows, under these names among its metrics: means over the epoch."""

VALIDATION = (
    *("val_adv_loss", "val_adv_acc", "val_original_lossf", "val_original_acc"),
    *("val_original_adv_lossf", "val_original_adv_acc"),
)
HISTORY = (*KS.values(), *TRAINING, *VALIDATION, WORST)
SMALLEST = 1e-7
"""Probabilities below are taken as this, as Keras does."""


@dataclass(frozen=True, eq=False)
class WatchedJets:
    """What is known of the validation jets of a stream, in the order of its rows.

    Attributes:
        label: Class of each jet (0 QCD, 1 signal, 2 BIB); in the control region 1 for data and 0
            for simulation; with shape (N,).
        weight: Weights in the loss, with shape (N,).
        jet_pt: In GeV, with shape (N,).
    """

    label: NDArray[np.integer]
    weight: Floats
    jet_pt: Floats


def main_quantities(scores: ArrayLike, jets: WatchedJets) -> dict[str, float]:
    """Loss and accuracy of the classifier.

    Args:
        scores: Probabilities of the classes, with shape (N, 3).
        jets: The validation jets.

    Returns:
        `val_original_lossf`, the weighted mean of the cross entropy, and `val_original_acc`, the
        share of jets whose largest output is that of their class.
    """
    outputs = np.asarray(scores, dtype=np.float64).reshape(-1, len(OUTPUTS))
    right = outputs[np.arange(jets.label.size), jets.label]
    return {
        "val_original_lossf": _mean(_cross_entropy(right), jets.weight),
        "val_original_acc": _mean(outputs.argmax(axis=1) == jets.label),
    }


def adversary_quantities(probability: ArrayLike, jets: WatchedJets) -> dict[str, float]:
    """Loss and accuracy of the adversary on the control region.

    On all validation jets the adversary alone and the adversary behind the classifier are one, so
    `val_original_adv_...` equal `val_adv_...`; upstream takes the former from one piece of them.

    Args:
        probability: That a jet is data, with shape (N,).
        jets: The validation jets of the control region.
    """
    data = np.asarray(probability, dtype=np.float64).ravel()
    right = np.where(jets.label == 1, data, 1.0 - data)
    loss, accuracy = _mean(_cross_entropy(right), jets.weight), _mean((data > 0.5) == jets.label)
    return {
        "val_adv_loss": loss,
        "val_adv_acc": accuracy,
        "val_original_adv_lossf": loss,
        "val_original_adv_acc": accuracy,
    }


def ks_quantities(agreement: OutputAgreement) -> dict[str, float]:
    """The sums over the bins, under the names of upstream's history, and the largest distance."""
    sums = {KS[one.name]: one.value for one in agreement.sums}
    return {**sums, WORST: agreement.worst.value}


def ordered(quantities: Mapping[str, float]) -> dict[str, float]:
    """In the order of upstream's history; what it does not have comes after."""
    names = [*(name for name in HISTORY if name in quantities), *quantities]
    return {name: float(quantities[name]) for name in dict.fromkeys(names)}


def _cross_entropy(probability: Floats) -> Floats:
    return -np.log(np.clip(probability, SMALLEST, 1.0 - SMALLEST))


def _mean(values: ArrayLike, weight: Floats | None = None) -> float:
    known = np.asarray(values, dtype=np.float64)
    weights = np.ones(known.size) if weight is None else weight
    total = float(weights.sum())
    return float(known @ weights / total) if total > 0.0 else float("nan")
