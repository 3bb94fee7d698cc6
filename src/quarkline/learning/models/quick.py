"""The recurrent network while it is trained on a processor: the same sums in less time.

Places without an object hold zeros, so up to the first dropout all of them are one and the same
object: these layers see it once. From there on each place has its own dropout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from quarkline.learning.models.dropped import Noise, relu_layers, spread
from quarkline.learning.models.lstm import Lstm
from quarkline.learning.models.scan import Sequences, last_states

if TYPE_CHECKING:
    from quarkline.learning.models.streams import Stream, StreamNetwork

UNDROPPED = 2
"""Layers of a stream up to the first dropout."""


def is_quick(network: StreamNetwork, numbers: Tensor) -> bool:
    """Whether a network in its present mode can compute a batch of these numbers this way."""
    if not network.training:  # before `len`, which would fix the batch's size in an export
        return False
    config = network.config
    plain = config.absent == "zeros" and not config.bidirectional and config.dropout > 0
    shaped = all(
        stream.nodes and stream.layers == 1 and len(stream.filters) >= UNDROPPED
        for stream in config.streams
    )
    here = (
        numbers.device.type == "cpu" and len(numbers) > 0 and not torch.is_autocast_enabled("cpu")
    )
    return plain and shaped and here and not torch.compiler.is_compiling()


def quick_logits(
    network: StreamNetwork, numbers: Tensor, groups: Sequence[tuple[Tensor, Tensor]]
) -> Tensor:
    """Logits (N, classes) of numbers (N, C) and groups of objects, with dropout."""
    noise = Noise(network.config.dropout)
    streams = [cast("Stream", stream) for stream in network.streams]
    sequences = [_sequences(one, noise, *group) for one, group in zip(streams, groups, strict=True)]
    lstms = [cast("Lstm", next(stream.recurrent[0].children())) for stream in streams]
    ends = last_states(lstms, sequences, noise.kept)
    ends = ends * torch.from_numpy(noise.keep(*ends.shape)) / noise.kept
    rows = torch.cat([ends, numbers], dim=1)
    share = 1.0
    for layer in network.hidden:
        keep = noise.keep(len(numbers), cast("nn.Linear", layer).out_features)
        rows = relu_layers(rows, [keep], _weights([layer], share))
        share = noise.kept
    ((weight, bias),) = _weights([network.read_out], share)
    return torch.addmm(bias, rows, weight.t())


def _sequences(stream: Stream, noise: Noise, values: Tensor, present: Tensor) -> Sequences:
    """The last layer's rows, those of objects first, and which of them each step sees."""
    before, behind = stream.layers[:UNDROPPED], stream.layers[UNDROPPED:]
    objects = values[present]
    rows = torch.cat([objects, objects.new_zeros(1, objects.shape[1])])
    rows = relu_layers(rows, [None] * UNDROPPED, _weights(before, 1.0))
    rows = spread(rows, noise.keep(present.numel(), rows.shape[1]))
    layers = _weights(behind, noise.kept)
    keeps = [noise.keep(len(rows), len(bias)) for _, bias in layers]
    return Sequences(relu_layers(rows, keeps, layers) if layers else rows, _order(present))


def _order(present: Tensor) -> Tensor:
    """The row of each place (N, L), with shape (L, N): those with an object come first."""
    there = present.flatten().long()
    with_object = there.cumsum(0) - 1
    without = there.sum() + (1 - there).cumsum(0) - 1
    return torch.where(present, with_object.view_as(present), without.view_as(present)).t()


def _weights(layers: Iterable[nn.Module], kept: float) -> list[tuple[Tensor, Tensor]]:
    """W and b of layers, of whose inputs dropout kept a share."""
    linear = [cast("nn.Linear", layer) for layer in layers]
    return [(layer.weight / kept, layer.bias) for layer in linear]
