"""The transformer of tabular features and objects."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from quarkline.learning.features.geometry import Geometry
from quarkline.learning.models.config import FTTransformerConfig
from quarkline.learning.models.inputs import (
    CategoryVectors,
    MissingNumbers,
    join_heads,
    slots,
    split_heads,
    split_objects,
    with_slots,
)
from quarkline.learning.models.lstm import to_front

PARTS = 8
"""Parts of a batch that each have a length of their own."""


class FTTransformer(nn.Module):
    """Each feature and each object is a token; the logits are read from one of them.

    That is a learned token of its own, or the first feature's, as networks before it did.

    References:
        Gorishniy et al., Revisiting Deep Learning Models for Tabular Data, 2021.
    """

    def __init__(self, config: FTTransformerConfig, geometry: Geometry, classes: int) -> None:
        super().__init__()
        if config.readout == "first" and not (geometry.continuous or geometry.categories):
            msg = "`readout: first` needs a feature that every event has; write `readout: token`"
            raise ValueError(msg)
        width = config.width
        self.slots = config.objects == "slots"
        numbers = geometry.continuous + (slots(geometry) if self.slots else 0)
        self.missing = MissingNumbers(numbers, config.missing)
        self.slope = nn.Parameter(torch.randn(numbers, width))
        self.constant = nn.Parameter(torch.randn(numbers, width))
        self.vectors = CategoryVectors(geometry.categories, width)
        groups = () if self.slots else geometry.objects
        self.groups = nn.ModuleList(nn.Linear(features, width) for _, features in groups)
        self.token = nn.Parameter(torch.randn(width)) if config.readout == "token" else None
        self.blocks = nn.ModuleList(
            _Block(width, config.heads, config.dropout) for _ in range(config.blocks)
        )
        self.read_out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, classes))

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
        numbers = self.missing(continuous, missing)[:, :, None] * self.slope + self.constant
        tokens = [numbers, self.vectors(categories)]
        if self.token is not None:
            tokens.insert(0, self.token.expand(continuous.shape[0], 1, -1))
        always = torch.cat(tokens, dim=1)
        if not len(self.groups):
            return self._read(always, None)
        groups = split_objects(objects)
        found = [embed(values) for embed, (values, _) in zip(self.groups, groups, strict=True)]
        present = torch.cat([present for _, present in groups], dim=1)
        if self.training and not torch.compiler.is_compiling():
            return self._in_parts(always, torch.cat(found, dim=1), present)
        return self._read(torch.cat([always, *found], dim=1), _mask(always, present))

    def _in_parts(self, always: Tensor, objects: Tensor, present: Tensor) -> Tensor:
        """Logits, events with similar numbers of objects together: padding takes less time."""
        order = present.sum(dim=1).argsort(stable=True)
        objects, present = (
            to_front(objects, present)[order],
            present.sort(descending=True)[0][order],
        )
        size = -(-len(order) // PARTS) or 1
        chunks = (torch.split(tensor, size) for tensor in (always[order], objects, present))
        parts = []
        for own, theirs, there in zip(*chunks, strict=True):
            longest = int(there.any(dim=0).sum())
            tokens = torch.cat([own, theirs[:, :longest]], dim=1)
            parts.append(self._read(tokens, _mask(own, there[:, :longest])))
        return torch.cat(parts)[order.argsort()]

    def _read(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Logits of tokens (N, T, width), of which those that the mask names attend."""
        for block in self.blocks[:-1]:
            tokens = block(tokens, mask, tokens.shape[1])
        tokens = self.blocks[-1](tokens, mask, 1)  # of the other tokens nothing is read
        return cast("Tensor", self.read_out(tokens[:, 0]))


def _mask(always: Tensor, present: Tensor) -> Tensor:
    """Which tokens are looked at: those (N, T, width) that always are, and objects (N, L)."""
    return functional.pad(present, (always.shape[1], 0), value=True)[:, None, None, :]


class _Block(nn.Module):
    """t = t + attention(LN(t)), then t = t + W2 GELU(W1 LN(t)), with dropout in each."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before_attention = nn.LayerNorm(width)
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.project = nn.Sequential(nn.Linear(width, width, bias=False), nn.Dropout(dropout))
        self.feed = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.GELU(approximate="tanh"),
            nn.Linear(4 * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor, mask: Tensor | None, asking: int) -> Tensor:
        """The first `asking` of the tokens (N, T, width) after they attended to all of them."""
        seen = self.before_attention(tokens)
        query = split_heads(self.query(seen[:, :asking]), self.heads)
        key, value = (split_heads(part, self.heads) for part in self.key_value(seen).chunk(2, -1))
        attended = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=self.dropout if self.training else 0.0
        )
        summed = tokens[:, :asking] + self.project(join_heads(attended))
        return cast("Tensor", summed + self.feed(summed))
