"""The recurrent network while it is trained on a processor: the same sums in less time.

Places without an object that are read hold zeros, so up to the first dropout all of them are one
and the same object: these layers see it once. From there on each place has its own dropout. Where
they are skipped, layers see objects only, and LSTMs begin with the first of an event.
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
    shaped = all(
        stream.nodes and stream.layers == 1 and len(stream.filters) >= UNDROPPED
        for stream in network.config.streams
    )
    here = numbers.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
    eager = not torch.compiler.is_compiling()
    return network.training and shaped and here and eager and len(numbers) > 0


def quick_logits(
    network: StreamNetwork, numbers: Tensor, groups: Sequence[tuple[Tensor, Tensor]]
) -> Tensor:
    """Logits (N, classes) of numbers (N, C) and groups of objects, with dropout."""
    noise = Noise(network.config.dropout)
    streams = [cast("Stream", stream) for stream in network.streams]
    read = zip(streams, groups, strict=True)
    sequences = [one for stream, group in read for one in _sequences(stream, noise, *group)]
    lstms = [cast("Lstm", one) for stream in streams for one in stream.recurrent[0].children()]
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


def _sequences(stream: Stream, noise: Noise, values: Tensor, present: Tensor) -> list[Sequences]:
    """What the LSTM of each direction reads: the last layer's rows in the order of its steps."""
    if stream.skips:
        rows, orders = _present_rows(stream, noise, values[present]), _present_orders(present)
    else:
        rows, orders = _all_rows(stream, noise, values, present), _all_orders(present)
    directions = len(list(stream.recurrent[0].children()))
    return [Sequences(rows, order) for order in orders[:directions]]


def _present_rows(stream: Stream, noise: Noise, objects: Tensor) -> Tensor:
    """Rows of the objects there are."""
    first, *others = stream.layers
    keeps = [noise.keep(len(objects), cast("nn.Linear", one).out_features) for one in others]
    layers = [*_weights([first, others[0]], 1.0), *_weights(others[1:], noise.kept)]
    return relu_layers(objects, [None, *keeps], layers)


def _all_rows(stream: Stream, noise: Noise, values: Tensor, present: Tensor) -> Tensor:
    """Rows of objects, then those of places without."""
    before, behind = stream.layers[:UNDROPPED], stream.layers[UNDROPPED:]
    objects = values[present]
    rows = torch.cat([objects, objects.new_zeros(1, objects.shape[1])])
    rows = relu_layers(rows, [None] * UNDROPPED, _weights(before, 1.0))
    rows = spread(rows, noise.keep(present.numel(), rows.shape[1]))
    layers = _weights(behind, noise.kept)
    keeps = [noise.keep(len(rows), len(bias)) for _, bias in layers]
    return relu_layers(rows, keeps, layers) if layers else rows


def _all_orders(present: Tensor) -> list[Tensor]:
    """The row of each place (N, L), with shape (L, N), forwards and backwards."""
    there = present.flatten().long()
    with_object = there.cumsum(0) - 1
    without = there.sum() + (1 - there).cumsum(0) - 1
    order = torch.where(present, with_object.view_as(present), without.view_as(present)).t()
    return [order, order.flip(0)]


def _present_orders(present: Tensor) -> list[Tensor]:
    """The row of each object at one of the last of L steps, with shape (L, N), both ways."""
    length, events = present.shape[1], present.nonzero()[:, 0]
    number, count = present.cumsum(1), present.sum(dim=1, keepdim=True)
    steps = (length - 1 - count + number, length - number)
    empty = torch.full((length, len(present)), len(events))
    rows = torch.arange(len(events))
    return [empty.index_put((step[present], events), rows) for step in steps]


def _weights(layers: Iterable[nn.Module], kept: float) -> list[tuple[Tensor, Tensor]]:
    """W and b of layers, of whose inputs dropout kept a share."""
    linear = [cast("nn.Linear", layer) for layer in layers]
    return [(layer.weight / kept, layer.bias) for layer in linear]
