"""A layer that turns gradients around, and a bound on what a classifier gains by them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def reversed_gradient(values: Tensor, weight: float | Tensor) -> Tensor:
    """The values themselves, whose gradient is -weight times what arrives.

    References:
        Ganin et al., arXiv:1505.07818.
    """
    found: Tensor = _Reversed.apply(values, weight)  # type: ignore[no-untyped-call]
    return found


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: float | Tensor) -> Tensor:
        ctx.weight = weight
        return values.view_as(values)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * -ctx.weight, None


def bounded_mean(losses: Tensor, weight: Tensor, bound: float | None) -> Tensor:
    """Mean over rows of weight times loss, at most that of a bound, where there is no gradient.

    Args:
        losses: With shape (N,).
        weight: With shape (N,).
        bound: Of a loss; None for no bound.
    """
    mean = (weight * losses).mean()
    return mean if bound is None else torch.minimum(mean, bound * weight.mean())
