"""A classifier against an adversary that reads it on a control region of another length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from quarkline.learning.training.rows import Rows
from quarkline.learning.training.task import Batch, Step

CONTROL = "control"
Given = dict[str, list[Tensor]]


class Opponents(nn.Module):
    """Three classes from four features, and an adversary with batch normalisation."""

    def __init__(self, seed: int = 5) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers = [nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 3)]
            self.classifier = nn.Sequential(*layers)
            self.adversary = nn.Sequential(
                nn.BatchNorm1d(3), nn.Linear(3, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 1)
            )

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.classifier(features)
        return logits, self.adversary(torch.softmax(logits, dim=1)).squeeze(-1)


@dataclass(frozen=True)
class Contest:
    """The adversary twice, then the classifier against it; `seen` are the rows of each step."""

    seen: list[tuple[int, str, Rows]] = field(default_factory=list)
    fused = True
    rows_at_once = 40

    @property
    def steps(self) -> Sequence[Step]:
        learns = [
            Step(partial(self._adversary, number), "adversary", (CONTROL,), ("classifier",))
            for number in range(2)
        ]
        return (*learns, Step(self._classifier, "", ("", CONTROL), ("adversary",)))

    def _adversary(self, number: int, module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        rows = batch[CONTROL]
        self.seen.append((number, CONTROL, rows))
        odds = module(rows[0])[1]
        return {
            CONTROL: rows[2] * binary_cross_entropy_with_logits(odds, rows[1], reduction="none")
        }

    def _classifier(self, module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        self.seen.extend((2, name, rows) for name, rows in batch.items())
        features, label, weight = batch[""]
        losses = weight * cross_entropy(module(features)[0], label, reduction="none")
        control = self._adversary(2, module, batch)[CONTROL]
        penalty = 1e-3 * module.classifier[0].weight.square().sum()
        return {"": losses, CONTROL: -0.5 * control, "penalty": penalty}

    def outputs(self, module: nn.Module, stream: str, rows: Rows) -> Tensor:
        logits, odds = module(rows[0])
        return torch.cat([torch.softmax(logits, dim=1), odds[:, None]], dim=1)

    def measure(self, outputs: Mapping[str, Tensor], rows: Batch) -> dict[str, float]:
        label, weight = rows[""][-2:]
        target, own = rows[CONTROL][-2:]
        main = -weight * outputs[""].gather(1, label[:, None])[:, 0].log()
        told = binary_cross_entropy_with_logits(outputs[CONTROL][:, 3], target, own)
        return {"validation_loss": float(main.mean()), "adversary_loss": float(told)}


def contest_rows(main: int = 200, control: int = 90, seed: int = 1) -> Given:
    """Rows of both streams; target 1 of the control region is shifted."""
    generator = np.random.default_rng(seed)
    label, target = generator.integers(0, 3, main), generator.integers(0, 2, control)
    features = generator.normal(label[:, None], 1.0, (main, 4))
    shifted = generator.normal(0.5 * target[:, None], 1.0, (control, 4))
    weights = [torch.from_numpy(generator.exponential(1.0, n)).float() for n in (main, control)]
    return {
        "": [torch.from_numpy(features).float(), torch.from_numpy(label), weights[0]],
        CONTROL: [torch.from_numpy(shifted).float(), torch.from_numpy(target).float(), weights[1]],
    }


@dataclass(frozen=True)
class Stored:
    """Rows that come from somewhere else, as those of a memory-mapped file do."""

    tensors: Any
    taken: list[int] = field(default_factory=list, compare=False)

    @property
    def known(self) -> Rows:
        return self.tensors[-2:]

    def __len__(self) -> int:
        return len(self.tensors[0])

    def take(self, indices: Tensor) -> Rows:
        self.taken.append(len(indices))
        return [torch.from_numpy(tensor.numpy()[indices.numpy()]) for tensor in self.tensors]
