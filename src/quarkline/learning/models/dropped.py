"""Layers with dropout while they are trained on a processor: noise that is cheap to draw and use.

What dropout keeps is not scaled: the weights of the layer behind it are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

Kept = NDArray[np.bool_]

LEVELS = 1 << 8
"""One random byte decides on an activation; dropout's share is between two of so many levels."""


class Noise:
    """Which activations dropout keeps: a pure function of torch's global generator.

    Of uniform bytes b, those >= B = floor(256 p) are kept, and of these all but a Poisson number of
    places drawn with replacement, n log(K / (1 - p)) on average with K = 1 - B / 256. So many hit
    each place independently, and spare it with probability (1 - p) / K: the share kept is 1 - p.

    Attributes:
        kept: Expected share of the activations that are kept, 1 - p.
    """

    def __init__(self, dropout: float) -> None:
        self.kept = 1 - dropout
        self._level = int(dropout * LEVELS)
        self._further = math.log((1 - self._level / LEVELS) / self.kept)
        seed = int(torch.randint(2**63 - 1, ()))
        self._generator = np.random.Generator(np.random.SFC64(seed))

    def keep(self, rows: int, features: int) -> Kept:
        """Which activations are kept, with shape (rows, features)."""
        number = rows * features
        words = self._generator.integers(0, 1 << 64, -(-number // 8), dtype=np.uint64)
        keep = words.view(np.uint8)[:number] >= self._level
        hits = self._generator.poisson(number * self._further)
        keep[self._generator.integers(0, max(number, 1), hits)] = False
        return keep.reshape(rows, features)


def relu_layers(
    rows: Tensor, keeps: Sequence[Kept | None], layers: Sequence[tuple[Tensor, Tensor]]
) -> Tensor:
    """Rows through layers y = keep * ReLU(W x + b).

    Args:
        rows: With shape (N, features).
        keeps: What dropout keeps behind each layer, with shape (N, its features); None for all.
        layers: W and b of each.

    Returns:
        The last layer's rows, with shape (N, its features).
    """
    tensors = [tensor for layer in layers for tensor in layer]
    found: Tensor = _ReluLayers.apply(rows, keeps, *tensors)  # type: ignore[no-untyped-call]
    return found


def spread(rows: Tensor, keep: Kept) -> Tensor:
    """Rows (P + 1, F) to N >= P rows: those behind the first P equal the last; with dropout.

    Args:
        rows: Rows of P objects, and that of an object of zeros.
        keep: What dropout keeps, with shape (N, F).
    """
    found: Tensor = _Spread.apply(rows, keep)  # type: ignore[no-untyped-call]
    return found


class _ReluLayers(torch.autograd.Function):
    """Slopes are dz = dy where y > 0, dW = dz' x, db = sum of dz, dx = dz W."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, keeps: Sequence[Kept | None], *tensors: Tensor) -> Tensor:
        held = [rows]
        for keep, weight, bias in zip(keeps, tensors[::2], tensors[1::2], strict=True):
            after = torch.addmm(bias, held[-1], weight.t().contiguous()).relu_()
            if keep is not None:
                np.multiply(after.numpy(), keep, out=after.numpy())
            held.append(after)
        ctx.save_for_backward(*held, *tensors[::2])
        return held[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        layers = len(ctx.saved_tensors) // 2
        held, weights = ctx.saved_tensors[: layers + 1], ctx.saved_tensors[layers + 1 :]
        slopes: list[Tensor] = []
        for number in reversed(range(layers)):
            active = torch.ops.aten.threshold_backward(slope, held[number + 1], 0.0)
            slopes += [active.sum(dim=0), active.t() @ held[number]]
            if number or ctx.needs_input_grad[0]:
                slope = active @ weights[number]
        return slope if ctx.needs_input_grad[0] else None, None, *reversed(slopes)


class _Spread(torch.autograd.Function):
    """The slope of the last row is the sum of those of its copies."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, keep: Kept) -> Tensor:
        ctx.keep, ctx.objects = keep, len(rows) - 1
        found = rows.new_empty(keep.shape)
        for part in (slice(ctx.objects), slice(ctx.objects, None)):
            np.multiply(rows[part].numpy(), keep[part], out=found[part].numpy())
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        kept = torch.from_numpy(slope.numpy() * ctx.keep)
        absent = kept[ctx.objects :].sum(dim=0, keepdim=True)
        return torch.cat([kept[: ctx.objects], absent]), None
