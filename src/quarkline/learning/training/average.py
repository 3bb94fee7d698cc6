"""A running average of a module's weights, which scores better than the last ones."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn


class RunningAverage:
    """An exponential average whose first steps weigh more, so that the start is forgotten.

    Buffers, such as the sums of a normalisation, are those of the module itself.

    Args:
        module: The module whose weights move.
        decay: Weight of the past in each step; 0 keeps no average but the weights themselves.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.module = copy.deepcopy(module) if decay else module
        self._moving = [weight.detach() for weight in module.parameters()]
        self._weights = [weight.detach() for weight in self.module.parameters()]
        self._buffers = list(zip(self.module.buffers(), module.buffers(), strict=True))

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        if not self.decay:
            return
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps)) if self.steps else 0.0
        torch._foreach_lerp_(self._weights, self._moving, 1 - decay)
        for buffer, moving in self._buffers:
            buffer.copy_(moving)
        self.steps += 1

    def state(self) -> dict[str, Any]:
        """What a continuation needs."""
        return {"steps": self.steps, "weights": self.module.state_dict() if self.decay else {}}

    def load(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""
        self.steps = state["steps"]
        if self.decay:
            self.module.load_state_dict(state["weights"])


def copied(module: nn.Module) -> dict[str, Tensor]:
    """The module's weights and buffers as they are now, on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
