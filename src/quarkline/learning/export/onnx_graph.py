"""A classifier's whole chain as one torch module: physical values in, probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from quarkline.learning.features.arrays import MISSING
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.scaling import REACH, FeatureScale
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.networks import Network


class WholeChain(nn.Module):
    """A network with its preprocessing and the softmax behind it."""

    def __init__(self, model: EventModel) -> None:
        super().__init__()
        self.prepare = _Prepare(model.preprocess)
        self.network = cast("Network", model.predictor).module

    def forward(self, *inputs: Tensor) -> Tensor:
        """Probabilities (N, classes) of numbers, kinds, and values and presence of objects."""
        return torch.softmax(self.network(*self.prepare(*inputs)), dim=1)


class _Prepare(nn.Module):
    """What `Preprocess.tensors` does."""

    def __init__(self, preprocess: Preprocess) -> None:
        super().__init__()
        self.continuous = _Scale(preprocess.scales)
        self.codes = _Codes(preprocess.codes)
        self.objects = nn.ModuleList(_Scale(scales) for scales in preprocess.object_scales)

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        numbers, kinds, *objects = inputs
        prepared = [self.continuous(numbers), numbers.isnan(), self.codes(kinds)]
        for scale, values, present in zip(self.objects, objects[::2], objects[1::2], strict=True):
            prepared += [scale(values), present]
        return prepared


class _Scale(nn.Module):
    """Scaled values within the reach of the scales, 0 where missing."""

    none: Tensor
    log: Tensor
    offset: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, scales: Sequence[FeatureScale]) -> None:
        super().__init__()
        self.register_buffer("none", torch.tensor([scale.kind == "none" for scale in scales]))
        self.register_buffer("log", torch.tensor([scale.kind == "log" for scale in scales]))
        for name in ("offset", "mean", "deviation"):
            values = [getattr(scale, name) for scale in scales]
            self.register_buffer(name, torch.tensor(values, dtype=torch.float64))

    def forward(self, values: Tensor) -> Tensor:
        shifted = values.double() + self.offset
        positive = shifted > 0
        logarithm = torch.log(torch.where(positive, shifted, 1.0))
        unscaled = torch.where(self.log, logarithm, values.double())
        scaled = ((unscaled - self.mean) / self.deviation).clamp(-REACH, REACH)
        lowest = self.log & ~positive
        bounded = torch.where(lowest, -REACH, scaled)
        finite = torch.where(values.isinf(), 0.0, values.double())
        chosen = torch.where(self.none, finite, bounded)
        return torch.where(values.isnan(), 0.0, chosen).float()


class _Codes(nn.Module):
    """Codes of known values, which count from 1; 0 for all others."""

    known: Tensor
    code: Tensor

    def __init__(self, values: Sequence[Sequence[int]]) -> None:
        super().__init__()
        longest = max((len(known) for known in values), default=0)
        known = torch.full((len(values), longest), MISSING, dtype=torch.int64)
        code = torch.zeros_like(known)
        for row, found in enumerate(values):
            known[row, : len(found)] = torch.tensor(found, dtype=torch.int64)
            code[row, : len(found)] = torch.arange(1, len(found) + 1)
        self.register_buffer("known", known)
        self.register_buffer("code", code)

    def forward(self, kinds: Tensor) -> Tensor:
        return torch.where(kinds[:, :, None] == self.known, self.code, 0).sum(dim=2)
