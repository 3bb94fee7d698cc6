"""Long short-term memory with Keras's parameters: one bias a gate, and its initial weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Lstm(nn.Module):
    """Sequences in, states after each step out; the first state is zero.

    With z = W x + U h + b split into i, f, g, o: c = s(f) c + s(i) tanh(g) and h = s(o) tanh(c),
    where s is the logistic function. torch's own module has two biases, of which only the sum
    matters: an optimiser with steps of a given size would move that sum twice as fast.
    """

    zero: Tensor

    def __init__(self, features: int, nodes: int) -> None:
        super().__init__()
        self.nodes = nodes
        self.weight = nn.Parameter(torch.empty(4 * nodes, features))
        self.recurrent = nn.Parameter(torch.empty(4 * nodes, nodes))
        self.bias = nn.Parameter(torch.zeros(4 * nodes))
        self.register_buffer("zero", torch.zeros(4 * nodes), persistent=False)
        nn.init.xavier_uniform_(self.weight)
        nn.init.orthogonal_(self.recurrent)
        nn.init.ones_(self.bias[nodes : 2 * nodes])

    def forward(self, sequence: Tensor) -> Tensor:
        """Sequences (N, L, features) to states (N, L, nodes)."""
        start = sequence.new_zeros(1, sequence.shape[0], self.nodes)
        weights = [self.weight, self.recurrent, self.bias, self.zero]
        states, _, _ = torch.lstm(
            sequence, (start, start), weights, True, 1, 0.0, self.training, False, True
        )
        return states


def to_front(objects: Tensor, present: Tensor) -> Tensor:
    """Objects (N, L, F) with those that are present first, in their order.

    Args:
        objects: With shape (N, L, F).
        present: Which places hold an object, with shape (N, L).
    """
    places = torch.arange(present.shape[1], device=present.device)
    order = torch.where(present, places, places + present.shape[1]).argsort(dim=1)
    return taken(objects, order)


def turned(objects: Tensor, count: Tensor) -> Tensor:
    """Objects (N, L, F) with the first `count` (N,) of each sequence in reverse."""
    places = torch.arange(objects.shape[1], device=objects.device)[None, :]
    count = count[:, None]
    return taken(objects, torch.where(places < count, count - 1 - places, places))


def last(states: Tensor, count: Tensor) -> Tensor:
    """State after `count` (N,) of the steps (N, L, F), with shape (N, F); 0 after none."""
    at = (count - 1).clamp(min=0)
    found = taken(states, at[:, None])[:, 0]
    return torch.where(count[:, None] > 0, found, 0.0)


def taken(objects: Tensor, places: Tensor) -> Tensor:
    """Objects (N, L, F) at some places (N, K), with shape (N, K, F)."""
    return objects.gather(1, places[:, :, None].expand(-1, -1, objects.shape[2]))
