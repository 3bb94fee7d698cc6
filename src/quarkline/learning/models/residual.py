"""The residual network of tabular features."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from quarkline.learning.features.geometry import Geometry
from quarkline.learning.models.config import ResidualNetworkConfig
from quarkline.learning.models.inputs import (
    CategoryVectors,
    MissingNumbers,
    ObjectPool,
    one_hot,
    slots,
    split_objects,
    with_slots,
)


class ResidualNetwork(nn.Module):
    """Features in, logits out: h = W0 x, then h = h + W LN(dropout(GELU(h))) for each block.

    The logits are W LN(GELU(h)) + b. Only this last layer has constants; GELU is its approximation
    by a hyperbolic tangent.
    """

    def __init__(self, config: ResidualNetworkConfig, geometry: Geometry, classes: int) -> None:
        super().__init__()
        self.sizes = geometry.categories
        self.categories = config.categories if self.sizes else "none"
        self.slots = config.objects == "slots"
        numbers = geometry.continuous + (slots(geometry) if self.slots else 0)
        self.missing = MissingNumbers(numbers, config.missing)
        if self.categories == "embed":
            self.vectors = CategoryVectors(self.sizes, config.embedding)
        pooled = () if self.slots else geometry.objects
        self.pools = nn.ModuleList(ObjectPool(features, config.width) for _, features in pooled)
        inputs = numbers + _category_inputs(config, self.sizes) + config.width * len(pooled)
        if not inputs:
            msg = "`categories: one-hot` has no flag to set: no value was seen in training"
            raise ValueError(msg)
        self.enter = nn.Linear(inputs, config.width, bias=False)
        self.blocks = nn.ModuleList(
            _Block(config.width, config.dropout) for _ in range(config.blocks)
        )
        self.read_out = nn.Sequential(
            nn.GELU(approximate="tanh"),
            nn.LayerNorm(config.width),
            nn.Linear(config.width, classes),
        )

    def forward(
        self, continuous: Tensor, missing: Tensor, categories: Tensor, *objects: Tensor
    ) -> Tensor:
        """Logits of a batch, with shape (N, classes).

        Args:
            continuous: Scaled numbers, with shape (N, C).
            missing: Whether they are missing, with shape (N, C).
            categories: Codes, with shape (N, K).
            objects: For each group scaled values (N, L, F) and presence (N, L).
        """
        if self.slots:
            continuous, missing = with_slots(continuous, missing, objects)
        parts = [self.missing(continuous, missing)]
        if self.categories != "none":
            parts.append(self._coded(categories))
        groups = () if self.slots else split_objects(objects)
        parts += [pool(*group) for pool, group in zip(self.pools, groups, strict=True)]
        hidden = self.enter(torch.cat(parts, dim=1))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return cast("Tensor", self.read_out(hidden))

    def _coded(self, categories: Tensor) -> Tensor:
        if self.categories == "embed":
            return cast("Tensor", self.vectors(categories).flatten(1))
        if self.categories == "one-hot":
            return one_hot(categories, self.sizes)
        return (categories - 1).to(torch.float32)  # known values count from 0


class _Block(nn.Sequential):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(
            nn.GELU(approximate="tanh"),
            nn.Dropout(dropout),
            nn.LayerNorm(width),
            nn.Linear(width, width, bias=False),
        )


def _category_inputs(config: ResidualNetworkConfig, sizes: tuple[int, ...]) -> int:
    if config.categories == "embed":
        return config.embedding * len(sizes)
    return sum(size - 1 for size in sizes) if config.categories == "one-hot" else len(sizes)
