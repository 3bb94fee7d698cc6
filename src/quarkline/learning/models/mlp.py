"""Multi-layer perceptrons (PyTorch) as a family of classifiers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from quarkline.engine.core.results import pretty_json
from quarkline.engine.core.rng import library_seed, uniform_per_row
from quarkline.learning.features.scaling import Scaler
from quarkline.learning.models.folds import Floats, Grouped
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import fit

BATCH = 65_536
LEAST_GAIN = 1e-4
"""In nats: a faint signal changes the loss by less than it changes a flow's."""


class Perceptron(nn.Module):
    """Scaled features in, log-odds of class 1 out; smooth, as densities are."""

    def __init__(self, features: int, hidden: Sequence[int]) -> None:
        super().__init__()
        widths = [features, *hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

    def forward(self, features: Tensor) -> Tensor:
        """Log-odds of events (N, F), with shape (N,)."""
        return cast("Tensor", self.layers(features).squeeze(-1))


class _Loss(nn.Module):
    """What `fit` minimises: weighted cross-entropy of each row."""

    def __init__(self, perceptron: Perceptron) -> None:
        super().__init__()
        self.perceptron = perceptron

    def forward(self, features: Tensor, label: Tensor, weight: Tensor) -> Tensor:
        odds = self.perceptron(features)
        return weight * binary_cross_entropy_with_logits(odds, label, reduction="none")


@dataclass(frozen=True)
class Network:
    """A trained network with the scaling that belongs to it.

    Attributes:
        scaler: Scaling of the features.
        hidden: Widths of the hidden layers.
        module: The trained module.
    """

    scaler: Scaler
    hidden: tuple[int, ...]
    module: Perceptron

    @classmethod
    def new(cls, scaler: Scaler, hidden: Sequence[int], *, seed: int) -> Network:
        """A network with initial weights drawn from `seed`, leaving torch's global state alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(library_seed(seed, "weights"))
            module = Perceptron(len(scaler.scales), hidden)
        return cls(scaler, tuple(hidden), module)

    def tensor(self, features: Floats) -> Tensor:
        """What the module takes: scaled features (N, F) as float32."""
        return torch.as_tensor(self.scaler.bounded(features), dtype=torch.float32)

    def tensors(self, features: Floats, label: Floats) -> tuple[Tensor, Tensor, Tensor]:
        """What the loss takes: scaled features (N, F), label and balancing weight (N,)."""
        columns = [
            torch.as_tensor(column, dtype=torch.float32) for column in (label, balanced(label))
        ]
        return self.tensor(features), columns[0], columns[1]

    def probability(self, features: Floats) -> Floats:
        """Probability of class 1 of events (N, F), with shape (N,)."""
        with torch.no_grad():
            odds = [self.module(batch) for batch in torch.split(self.tensor(features), BATCH)]
        return torch.sigmoid(torch.cat(odds)).numpy().astype(np.float64)

    def save(self, stem: Path) -> None:
        """Write weights, widths and scaling."""
        save_file(self.module.state_dict(), stem.with_name(f"{stem.name}.safetensors"))
        made = {"hidden": self.hidden, "features": self.scaler.as_json()}
        stem.with_name(f"{stem.name}.json").write_text(pretty_json(made))


@dataclass(frozen=True)
class PerceptronConfig:
    """Shape and training of one classifier.

    Attributes:
        hidden: Widths of the hidden layers.
        batch_size: Events in a batch.
        learning_rate: Adam's step size.
        average_decay: Decay of the running average of the weights.
        max_epochs: Most epochs of training.
        patience: Stop after so many epochs that gain less than `LEAST_GAIN` in all.
        validation: Fraction of the training events that are held out to decide when to stop.
    """

    kind: ClassVar[str] = "mlp"

    hidden: Sequence[int]
    batch_size: int
    learning_rate: float
    average_decay: float
    max_epochs: int
    patience: int
    validation: float

    def fit(
        self, candidates: Grouped, templates: Grouped, *, features: Sequence[str], seed: int
    ) -> Network:
        """Train candidates (class 1) against templates (class 0), both of equal total weight.

        Raises:
            ValueError: If a feature is constant or not finite.
        """
        rows = np.concatenate([candidates.features, templates.features])
        label = np.repeat([1.0, 0.0], [len(candidates.features), len(templates.features)])
        group = np.concatenate([candidates.group, templates.group])
        held_out = uniform_per_row(seed, "validation", group) < self.validation
        scaler = Scaler.fit(features, rows[(label == 1) & ~held_out])  # generated tails may be odd
        network = Network.new(scaler, self.hidden, seed=seed)
        fit(
            _Loss(network.module),
            network.tensors(rows[~held_out], label[~held_out]),
            network.tensors(rows[held_out], label[held_out]),
            FitConfig(
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                average_decay=self.average_decay,
                epochs=self.max_epochs,
                patience=self.patience,
                least_gain=LEAST_GAIN,
            ),
            seed=library_seed(seed, "fit"),
        )
        return network

    @staticmethod
    def load(stem: Path) -> Network:
        """Read what `Network.save` wrote."""
        made = json.loads(stem.with_name(f"{stem.name}.json").read_text())
        network = Network.new(Scaler.from_json(made["features"]), made["hidden"], seed=0)
        network.module.load_state_dict(load_file(stem.with_name(f"{stem.name}.safetensors")))
        network.module.eval()
        return network


def balanced(label: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of mean 1 that give both classes the same total."""
    share = float(label.mean())
    return np.asarray(np.where(label == 1, 0.5 / share, 0.5 / (1 - share)))
