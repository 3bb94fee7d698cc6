"""Optimisers by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW, NAdam, Optimizer

from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.task import Task

EPSILON = 1e-7


def new_optimiser(groups: Iterable[dict[str, Any]], task: Task, config: FitConfig) -> Optimizer:
    """The optimiser that a config names, for groups of weights with their decay.

    AdamW's fused kernel takes no gradients that a scaler has to unscale before clipping.
    """
    if config.optimiser == "keras-nadam":
        return KerasNadam(groups)
    if config.optimiser == "nadam":
        return NAdam(groups, decoupled_weight_decay=True, foreach=True)
    fused = task.fused and config.precision != "16-mixed"
    return AdamW(groups, fused=fused or None)


class KerasNadam(Optimizer):
    """Adam with Nesterov's momentum as the compiled steps of Keras 2 make it.

    With t counting steps, u_t = 0.9 (1 - 0.5 * 0.96^t), m = 0.9 m + 0.1 g and
    v = 0.999 v + 0.001 g^2,

        w -= rate * (u_{t+1} m / (1 - P u_{t+1}) + (1 - u_t) g / (1 - P))
             / (sqrt(v / (1 - 0.999^t)) + 1e-7).

    P should be the product of all u up to t. Keras multiplies it by u_t once for each array of
    weights, so that it vanishes within a step or two of a network of many layers, and so does
    this.

    References:
        Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float = 1e-3) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "steps": 0, "product": 1.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Move the weights that have gradients."""
        product: float = self.param_groups[0]["product"]
        for group in self.param_groups:
            group["steps"] += 1
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                product = self._move(group, weights, product)
        for group in self.param_groups:
            group["product"] = product

    def _move(self, group: dict[str, Any], weights: list[Tensor], product: float) -> float:
        """Move weights; the product after them."""
        states = [self._state(weight) for weight in weights]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        first, second = ([state[name] for state in states] for name in ("first", "second"))
        steps, rate = group["steps"], group["lr"]
        now, after = (0.9 * (1 - 0.5 * 0.96**at) for at in (steps, steps + 1))
        products: list[float] = [product * now**place for place in range(1, len(weights) + 1)]
        torch._foreach_lerp_(first, gradients, 0.1)
        torch._foreach_mul_(second, 0.999)
        torch._foreach_addcmul_(second, gradients, gradients, value=0.001)
        moves = torch._foreach_mul(  # noqa: SLF001
            first, [after / (1 - each * after) for each in products]
        )
        shares = [(1 - now) / (1 - each) for each in products]
        torch._foreach_add_(moves, torch._foreach_mul(gradients, shares))  # noqa: SLF001
        sizes = torch._foreach_div(second, 1 - 0.999**steps)  # noqa: SLF001
        torch._foreach_sqrt_(sizes)
        torch._foreach_add_(sizes, EPSILON)
        if group["weight_decay"]:
            torch._foreach_mul_(weights, 1 - rate * group["weight_decay"])
        torch._foreach_addcdiv_(weights, moves, sizes, value=-rate)
        return products[-1]

    def _state(self, weight: Tensor) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.state[weight]
        if not state:
            state["first"] = torch.zeros_like(weight)
            state["second"] = torch.zeros_like(weight)
        return state
