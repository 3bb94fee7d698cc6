"""A conditional density: a neural spline flow of features given one condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from zuko.flows import NSF

from quarkline.engine.core.rng import library_seed
from quarkline.learning.features.scaling import FeatureScale, Scaler

Floats = NDArray[np.float64]

WEIGHTS = "weights.safetensors"
BATCH = 16_384


class FlowModule(nn.Module):
    """Scaled features and condition in, negative log-densities out.

    References:
        Durkan et al., Neural Spline Flows, 2019; implementation: zuko.
    """

    def __init__(
        self, features: int, *, transforms: int, hidden: Sequence[int], spline_bins: int
    ) -> None:
        super().__init__()
        self.flow = NSF(
            features,
            1,
            transforms=transforms,
            hidden_features=tuple(hidden),
            bins=spline_bins,
            activation=nn.Tanh,  # smooth: the density is interpolated in the condition
        )

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """-log p(features | condition); features (N, F), condition (N, 1), result (N,)."""
        return cast("Tensor", -self.flow(condition).log_prob(features))

    def generate(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Standard normal noise (N, F) to scaled features (N, F)."""
        return cast("Tensor", self.flow(condition).transform.inv(noise))

    def noise(self, features: Tensor, condition: Tensor) -> Tensor:
        """Scaled features (N, F) to the noise (N, F) that `generate` makes them of."""
        return cast("Tensor", self.flow(condition).transform(features))


@dataclass(frozen=True)
class ConditionalFlow:
    """p(features | condition) with the scaling that belongs to it.

    Attributes:
        scaler: Scaling of the features.
        condition: Scaling of the condition.
        shape: Arguments of the module.
        module: The trained module.
    """

    kind: ClassVar[str] = "conditional-flow"

    scaler: Scaler
    condition: FeatureScale
    shape: dict[str, Any]
    module: FlowModule

    @classmethod
    def new(
        cls, scaler: Scaler, condition: FeatureScale, shape: dict[str, Any], *, seed: int
    ) -> Self:
        """A flow with initial weights drawn from `seed`, leaving torch's global state alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(library_seed(seed, "weights"))
            module = FlowModule(len(scaler.scales), **shape)
        return cls(scaler, condition, shape, module)

    def tensors(self, features: Floats, condition: Floats) -> tuple[Tensor, Tensor]:
        """What the module takes: scaled features (N, F) and condition (N, 1) as float32."""
        scaled = self.scaler.forward(features)
        return (
            torch.as_tensor(scaled, dtype=torch.float32),
            torch.as_tensor(self.condition.forward(condition)[:, None], dtype=torch.float32),
        )

    def log_prob(self, features: Floats, condition: Floats) -> Floats:
        """Log p(features | condition) in nats per event, a density in the features' own units.

        Args:
            features: With shape (N, F).
            condition: With shape (N,).
        """
        rows, masses = self.tensors(features, condition)
        with torch.no_grad():
            batches = zip(_batches(rows), _batches(masses), strict=True)
            parts = [-self.module(*batch) for batch in batches]
        scaled = torch.cat(parts).numpy().astype(np.float64)
        return scaled + self.scaler.log_slope(features)

    def sample(self, condition: Floats, generator: np.random.Generator) -> Floats:
        """One set of features for each value of the condition, with shape (N, F)."""
        shape = (len(condition), len(self.scaler.scales))
        noise = torch.as_tensor(generator.standard_normal(shape), dtype=torch.float32)
        scaled = torch.as_tensor(self.condition.forward(condition)[:, None], dtype=torch.float32)
        with torch.no_grad():
            batches = zip(_batches(noise), _batches(scaled), strict=True)
            parts = [self.module.generate(*batch) for batch in batches]
        values = torch.cat(parts) if parts else noise
        return self.scaler.inverse(values.numpy().astype(np.float64))

    def latent(self, features: Floats, condition: Floats) -> Floats:
        """The noise (N, F) that the flow makes these features of.

        For events the flow has learned it is standard normal at every value of the condition, so
        that it holds nothing of the condition (Hallin et al., arXiv:2210.14924).

        Args:
            features: With shape (N, F).
            condition: With shape (N,).
        """
        rows = torch.as_tensor(self.scaler.bounded(features), dtype=torch.float32)
        scaled = torch.as_tensor(self.condition.forward(condition)[:, None], dtype=torch.float32)
        with torch.no_grad():
            batches = zip(_batches(rows), _batches(scaled), strict=True)
            parts = [self.module.noise(*batch) for batch in batches]
        return torch.cat(parts).numpy().astype(np.float64)

    def describe(self) -> dict[str, Any]:
        """Arguments and scaling as JSON values."""
        return {
            "shape": self.shape,
            "features": self.scaler.as_json(),
            "condition": Scaler((self.condition,)).as_json()[0],
        }

    def save_weights(self, folder: Path) -> None:
        """Write the weights."""
        save_file(self.module.state_dict(), folder / WEIGHTS)

    @classmethod
    def load(cls, description: dict[str, Any], folder: Path) -> Self:
        """Rebuild from `describe()` and the weights."""
        scaler = Scaler.from_json(description["features"])
        condition = FeatureScale(**description["condition"])
        flow = cls.new(scaler, condition, description["shape"], seed=0)
        flow.module.load_state_dict(load_file(folder / WEIGHTS))
        flow.module.eval()
        return flow

    def test_vectors(self) -> dict[str, NDArray[Any]]:
        """Inputs and outputs that a loaded copy must reproduce."""
        generator = np.random.Generator(np.random.Philox(key=1))
        condition = self.condition.inverse(np.linspace(-1.5, 1.5, 16))
        features = self.sample(condition, generator)
        return {
            "condition": condition,
            "features": features,
            "log_prob": self.log_prob(features, condition),
        }

    def agrees(self, vectors: dict[str, NDArray[Any]]) -> bool:
        """Whether this flow reproduces test vectors."""
        found = self.log_prob(vectors["features"], vectors["condition"])
        return bool(np.allclose(found, vectors["log_prob"], rtol=1e-4, atol=1e-4))


def _batches(rows: Tensor) -> tuple[Tensor, ...]:
    return torch.split(rows, BATCH)
