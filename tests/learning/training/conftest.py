"""Small networks, tasks and samples to train, and kills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from quarkline.learning.features.arrays import FeatureArrays, Objects
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup
from quarkline.learning.training.classification import Classification
from quarkline.learning.training.classifier import ClassifierData, held_out
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import FitResult, fit
from quarkline.learning.training.steps import Mover

SPEC = FeatureSpec(
    tuple(Feature(f"x{number}", f"x{number}") for number in range(3)),
    (Feature("kind", "kind"),),
    (ObjectGroup("jets", 3, (Feature("pt", "jets_pt"), Feature("eta", "jets_eta"))),),
)
CLASSES = ("ttH", "lq", "VV")


class Killed(BaseException):
    """Stands for a signal that nothing catches."""


def network(seed: int = 1, *, dropout: float = 0.0, normalised: bool = False) -> nn.Module:
    """A small network of four features and three classes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = [nn.Linear(4, 8), nn.GELU(), nn.Dropout(dropout)]
        layers += [nn.BatchNorm1d(8)] if normalised else [nn.LayerNorm(8)]
        return nn.Sequential(*layers, nn.Linear(8, 3))


def rows(count: int, seed: int, *, own: bool = False) -> list[Tensor]:
    """Features (N, 4), labels and weights of three classes a width apart; `own`: twice weights."""
    generator = np.random.default_rng(seed)
    label = generator.integers(0, 3, count)
    features = generator.normal(label[:, None], 1.0, (count, 4))
    weight = torch.from_numpy(generator.exponential(1.0, count))
    made = [torch.from_numpy(features).float(), torch.from_numpy(label), weight.float()]
    return [*made, weight] if own else made


def task(rows_at_once: int = 64) -> Classification:
    return Classification(CLASSES, 1, 1, rows_at_once)


def train(folder: Path | None, config: FitConfig, module: nn.Module, **keys: Any) -> FitResult:
    """Fit 200 rows, with 90 held out."""
    arguments = {"task": task(), "seed": 3} | keys
    return fit(module, rows(200, 1), rows(90, 2, own=True), config, folder=folder, **arguments)


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, when: int | Path) -> Iterator[None]:
    """Let the process die before a step, counted from 0, or in the first after a file is there."""
    made = Mover.move

    def dies(self: Mover, state: Any, given: Any, indices: Any, rate: float, name: str) -> Any:
        if name == str(when) or (isinstance(when, Path) and when.exists() and when.stat().st_size):
            raise Killed
        return made(self, state, given, indices, rate, name)

    with monkeypatch.context() as patch:
        patch.setattr(Mover, "move", dies)
        with pytest.raises(Killed):
            yield


def assert_equal(first: nn.Module, second: nn.Module) -> None:
    """Every weight and buffer is the same to the last bit."""
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


@dataclass(frozen=True)
class Shift:
    """How far apart the classes of `classifier_data` are."""

    continuous: float = 0.8
    objects: float = 0.3


def classifier_data(
    count: int = 600, seed: int = 1, classes: Sequence[str] = CLASSES, shift: Shift = Shift()
) -> ClassifierData:
    """Events with all kinds of features, some of them missing; `lq` is the signal."""
    generator = np.random.default_rng(seed)
    label = generator.integers(0, len(classes), count)
    x = generator.normal(shift.continuous * label[:, None], 1, (count, 3)).astype(np.float32)
    x[generator.random(x.shape) < 0.1] = np.nan
    kind = np.where(generator.random(count) < 0.3, label, generator.integers(0, 3, count))
    values = generator.normal(shift.objects * label[:, None, None], 1, (count, 3, 2))
    present = np.arange(3) < generator.integers(0, 4, count)[:, None]
    jets = Objects(np.where(present[:, :, None], values, np.nan).astype(np.float32), present)
    return ClassifierData(
        arrays=FeatureArrays(x, kind[:, None].astype(np.int64), {"jets": jets}),
        label=label,
        weight=generator.exponential(1.0, count),
        validation=held_out(np.arange(count, dtype=np.uint64), 0.25, seed=seed),
        classes=tuple(classes),
        signal="lq",
        spec=SPEC,
    )
