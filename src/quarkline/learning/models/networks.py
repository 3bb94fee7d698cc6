"""Networks from their settings, with weights that are a pure function of a seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from quarkline.engine.core.rng import library_seed
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.geometry import Geometry
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.models.config import NetworkConfig

WEIGHTS = "weights.safetensors"
PREPARED = 65_536
"""Events that are scaled and coded at once."""
BATCH = 2048
"""Events that a network sees at once: as many as processors keep near."""


def build_network(
    config: NetworkConfig, geometry: Geometry, classes: int, *, seed: int
) -> nn.Module:
    """A network with initial weights drawn from `seed`, leaving torch's global state alone.

    Its `forward(continuous, missing, categories, *objects)` takes the tensors of
    `Preprocess.tensors` and gives logits, with shape (N, classes).

    Args:
        config: Kind and shape of the network.
        geometry: Sizes of its inputs.
        classes: Number of classes.
        seed: Seed of the weights.

    Raises:
        ValueError: If there is nothing to learn from, or the network cannot read such inputs.
    """
    if not (geometry.continuous or geometry.categories or geometry.objects):
        msg = "a network needs at least one feature"
        raise ValueError(msg)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(library_seed(seed, "weights"))
        return config.build(geometry, classes)


@dataclass(frozen=True)
class Network:
    """A trained network.

    Attributes:
        module: The network, on the CPU, without dropout.
    """

    module: nn.Module

    def probabilities(
        self, preprocess: Preprocess, arrays: FeatureArrays, *, device: str
    ) -> NDArray[np.float32]:
        """Probabilities of events, with shape (N, classes)."""
        module = self.module.to(device)
        parts: list[Tensor] = []
        with torch.inference_mode():
            for start in range(0, len(arrays), PREPARED):
                tensors = preprocess.tensors(arrays[start : start + PREPARED])
                batches = (torch.split(tensor.to(device), BATCH) for tensor in tensors)
                parts += [
                    torch.softmax(module(*inputs), dim=1).cpu()
                    for inputs in zip(*batches, strict=True)
                ]
        return torch.cat(parts).numpy()

    def save(self, folder: Path) -> None:
        """Write the weights."""
        save_file(self.module.state_dict(), folder / WEIGHTS)

    @classmethod
    def load(cls, config: NetworkConfig, geometry: Geometry, classes: int, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ValueError: If a weight is missing, unknown, or has another shape.
        """
        module = build_network(config, geometry, classes, seed=0)
        try:
            module.load_state_dict(load_file(folder / WEIGHTS))
        except (RuntimeError, SafetensorError) as error:
            raise ValueError(str(error)) from error
        return cls(module.eval())
