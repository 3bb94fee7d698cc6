"""The layers of a network with their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

COUNTER = "num_batches_tracked"
"""A buffer of batch normalisation that is no parameter."""


@dataclass(frozen=True)
class Layer:
    """A layer that has parameters of its own.

    Attributes:
        name: Its place in the network.
        kind: Its class.
        shapes: Shape of each parameter by name.
        trained: Parameters that a training moves.
        fixed: Others, such as running means.
    """

    name: str
    kind: str
    shapes: dict[str, tuple[int, ...]]
    trained: int
    fixed: int


def layers_of(module: nn.Module) -> list[Layer]:
    """The layers of a network, in the order in which it holds them."""
    found = []
    for name, part in module.named_modules():
        own = dict(part.named_parameters(recurse=False))
        buffers = dict(part.named_buffers(recurse=False))
        kept = {key: value for key, value in buffers.items() if key in part.state_dict()}
        kept.pop(COUNTER, None)
        if own or kept:
            trained = {key: value for key, value in own.items() if value.requires_grad}
            everything = {**own, **kept}
            size = sum(value.numel() for value in everything.values())
            moved = sum(value.numel() for value in trained.values())
            shapes = {key: tuple(value.shape) for key, value in everything.items()}
            found.append(Layer(name, type(part).__name__, shapes, moved, size - moved))
    return found
