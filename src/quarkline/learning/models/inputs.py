"""First layers that networks share: missing numbers, kinds, and objects in any order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from quarkline.learning.features.geometry import Geometry
from quarkline.learning.models.config import Missing

HEADS = 4
"""Most heads that pool objects; fewer where they would not divide the width."""


def split_objects(objects: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Values (N, L, F) and presence (N, L) of each group, which come one after the other."""
    return list(zip(objects[::2], objects[1::2], strict=True))


def with_slots(
    continuous: Tensor, missing: Tensor, objects: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """Numbers and what of them is missing, with a column for each feature of each place."""
    numbers, gone = [continuous], [missing]
    for values, present in split_objects(objects):
        numbers.append(values.flatten(1))
        gone.append(~present[:, :, None].expand_as(values).flatten(1))
    return torch.cat(numbers, dim=1), torch.cat(gone, dim=1)


def slots(geometry: Geometry) -> int:
    """Number of columns that `with_slots` adds."""
    return sum(length * features for length, features in geometry.objects)


class MissingNumbers(nn.Module):
    """Scaled numbers in, the same with something in the place of those that are missing."""

    def __init__(self, features: int, missing: Missing) -> None:
        super().__init__()
        drawn = torch.randn(features) if missing == "learned" else torch.zeros(features)
        self.value = nn.Parameter(drawn, requires_grad=missing == "learned")

    def forward(self, continuous: Tensor, missing: Tensor) -> Tensor:
        """Numbers and whether they are missing, both (N, C), to numbers (N, C)."""
        return torch.where(missing, self.value, continuous)


class CategoryVectors(nn.Module):
    """Codes in, learned vectors out; code 0 tells nothing but which feature it is of.

    One table holds the vectors of all features; its first row is that of every code 0, fixed at
    zero. Each feature adds a vector of its own.
    """

    offset: Tensor

    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        before = accumulate((size - 1 for size in sizes[:-1]), initial=0) if sizes else ()
        self.register_buffer("offset", torch.tensor(list(before), dtype=torch.int64), False)
        rows = 1 + sum(size - 1 for size in sizes)
        self.table = nn.Embedding(rows, width, padding_idx=0)
        self.feature = nn.Parameter(torch.randn(len(sizes), width))

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (N, K) to vectors (N, K, width)."""
        rows = torch.where(codes > 0, codes + self.offset, 0)
        return cast("Tensor", self.table(rows) + self.feature)


def one_hot(codes: Tensor, sizes: Sequence[int]) -> Tensor:
    """Flags of the known values of each feature, none of them set where the code is 0."""
    flags = [functional.one_hot(codes[:, index], size)[:, 1:] for index, size in enumerate(sizes)]
    return torch.cat(flags, dim=1).to(torch.float32)


class ObjectPool(nn.Module):
    """Objects of an event to one vector, which no order of the objects changes.

    Each head gives the objects that are present, and one learned vector that stands for none,
    their shares in a mean: that vector alone is what an event without objects gives. A learned
    query's product with the key of an object is linear in the object, as is its value; so one
    layer gives the logarithms of the shares, and another the values of the means.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        heads = math.gcd(width, HEADS)
        self.embed = nn.Sequential(nn.Linear(features, width), nn.GELU(approximate="tanh"))
        self.none = nn.Parameter(torch.randn(width))
        self.query = nn.Linear(width, heads, bias=False)
        self.value = nn.Linear(heads * width, width, bias=False)

    def forward(self, values: Tensor, present: Tensor) -> Tensor:
        """Values (N, L, F) and presence (N, L) to vectors (N, width)."""
        none = self.none.expand(values.shape[0], 1, -1)
        tokens = torch.cat([none, self.embed(values)], dim=1)
        absent = functional.pad(~present, (1, 0), value=False)[:, :, None]
        shares = self.query(tokens).masked_fill(absent, -torch.inf).softmax(dim=1)
        means = shares.transpose(1, 2) @ tokens
        return cast("Tensor", self.value(means.flatten(1)))


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """Tokens (N, T, width) to (N, heads, T, width / heads)."""
    return tokens.reshape(*tokens.shape[:2], heads, -1).transpose(1, 2)


def join_heads(tokens: Tensor) -> Tensor:
    """What undoes `split_heads`."""
    return tokens.transpose(1, 2).flatten(2)
