"""Learning classes: cross-entropy, and the metrics that a classifier is followed by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from quarkline.learning.training.rows import MAIN, Rows
from quarkline.learning.training.task import Batch, Step, step_of
from quarkline.statistics import auc

Probabilities = NDArray[np.float64]
Weights = NDArray[np.float64]


@dataclass(frozen=True)
class Classification:
    """Classes of events, from logits with shape (N, classes).

    Rows are the module's inputs, then labels (N,), int64, then weights of the loss (N,), float32;
    held-out rows also have the events' own weights (N,), float64.

    Attributes:
        classes: Names of the classes.
        signal: Number of the class that is looked for.
        inputs: How many tensors the module takes.
        rows_at_once: Held-out rows that are evaluated together.
        binary: Whether only the signal's logit is trained, against all other classes.
    """

    classes: tuple[str, ...]
    signal: int
    inputs: int
    rows_at_once: int
    binary: bool = False
    fused: bool = True

    @property
    def steps(self) -> Sequence[Step]:
        """One step a batch."""
        return (step_of(self.losses),)

    def losses(self, module: nn.Module, rows: Rows) -> Tensor:
        """Weighted cross-entropy of each row in nats, with shape (N,)."""
        label, weight = rows[self.inputs : self.inputs + 2]
        return weight * self._entropy(module(*rows[: self.inputs]), label)

    def outputs(self, module: nn.Module, stream: str, rows: Rows) -> Tensor:  # noqa: ARG002
        """The logits, with shape (N, classes)."""
        logits: Tensor = module(*rows[: self.inputs])
        return logits

    def measure(self, outputs: Mapping[str, Tensor], known: Batch) -> dict[str, float]:
        """Loss, accuracies, and areas under the ROC curves of each class against the others.

        Names with `raw` count events; the others take the events' own weights.
        """
        label, weight, own = known[MAIN][-3:]
        logits = outputs[MAIN]
        losses = self._entropy(logits, label)
        loss = float((weight * losses).sum(dtype=torch.float64) / weight.sum(dtype=torch.float64))
        found = {"validation_loss": loss}
        return found | self._judged(logits, label.numpy(), own.numpy())

    def _entropy(self, logits: Tensor, label: Tensor) -> Tensor:
        if self.binary:
            target = (label == self.signal).to(logits.dtype)
            odds = logits[:, self.signal]
            return functional.binary_cross_entropy_with_logits(odds, target, reduction="none")
        return functional.cross_entropy(logits, label, reduction="none")

    def _judged(self, logits: Tensor, label: NDArray[np.int64], own: Weights) -> dict[str, float]:
        if self.binary:
            scores = torch.sigmoid(logits[:, self.signal].double()).numpy()
            right = (scores > 0.5) == (label == self.signal)
            columns = {self.signal: scores}
        else:
            scores = torch.softmax(logits.double(), dim=1).numpy()
            right = scores.argmax(axis=1) == label
            columns = {number: scores[:, number] for number in self._judged_classes}
        found = {"accuracy": _share(right, own), "accuracy_raw": float(right.mean())}
        for number, column in columns.items():
            suffix = "" if number == self.signal else f"_{self.classes[number]}"
            order = np.argsort(column)  # what is in order costs both areas little
            scores, positive = column[order], label[order] == number
            found[f"auc{suffix}"] = area(scores, positive, own[order])
            found[f"auc_raw{suffix}"] = area(scores, positive)
        return found

    @property
    def _judged_classes(self) -> list[int]:
        """The signal first, then the other classes; of two, the signal alone says all."""
        others = [number for number in range(len(self.classes)) if number != self.signal]
        return [self.signal, *(others if len(others) > 1 else ())]


def area(scores: Weights, positive: NDArray[np.bool_], weight: Weights | None = None) -> float:
    """Area under the ROC curve of one class against the others.

    NaN where one of them has no events or a total weight that is not positive.

    Args:
        scores: With shape (N,).
        positive: Which events are of the class, with shape (N,).
        weight: Weights of the events, with shape (N,); None for one each.
    """
    given = np.ones_like(scores) if weight is None else weight
    sides = [given[positive], given[~positive]]
    if min(side.sum() for side in sides) <= 0:
        return float("nan")
    with np.errstate(invalid="ignore", divide="ignore"):  # an error of signed weights, not used
        return auc(
            scores[positive], scores[~positive], signal_weight=sides[0], background_weight=sides[1]
        )


def _share(right: NDArray[np.bool_], weight: Weights) -> float:
    total = float(weight.sum())
    return float(weight[right].sum()) / total if total > 0 else float("nan")
