"""The recurrent network of objects: one stream of layers and LSTMs for each group of them."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from quarkline.learning.features.geometry import Geometry
from quarkline.learning.models.config import StreamConfig, StreamNetworkConfig
from quarkline.learning.models.inputs import one_hot, split_objects
from quarkline.learning.models.lstm import Lstm, last, to_front, turned
from quarkline.learning.models.quick import is_quick, quick_logits


class StreamNetwork(nn.Module):
    """Features in, logits out: streams, the event's own features beside them, dense layers.

    The layers of a stream are ReLU(W x + b) of one object at a time; dropout follows all but the
    first of them, each LSTM and each layer behind the streams. Of the last LSTM the state after
    the last object counts. With `absent: zeros`, `filters` of [64, 32, 32, 16] and [32, 16, 8] and
    10, 10 and 5 nodes, this is the network of the CalRatio trainer.
    """

    def __init__(self, config: StreamNetworkConfig, geometry: Geometry, classes: int) -> None:
        super().__init__()
        self.config, self.sizes = config, geometry.categories
        settings = config.streams
        if len(settings) == 1:
            settings *= len(geometry.objects)
        if len(settings) != len(geometry.objects):
            msg = f"{len(settings)} `streams` for {len(geometry.objects)} groups of objects"
            raise ValueError(msg)
        streams = [
            Stream(stream, config, features)
            for stream, (_, features) in zip(settings, geometry.objects, strict=True)
        ]
        self.streams = nn.ModuleList(streams)
        flags = sum(size - 1 for size in self.sizes)
        widths = [
            sum(stream.width for stream in streams) + geometry.continuous + flags,
            *config.hidden,
        ]
        if not widths[0]:
            msg = "its flags of kinds have none to set: no value was seen in training"
            raise ValueError(msg)
        self.hidden = nn.ModuleList(dense(before, after) for before, after in pairwise(widths))
        self.read_out = dense(widths[-1], classes)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        continuous: Tensor,
        missing: Tensor,
        categories: Tensor,
        *objects: Tensor,
    ) -> Tensor:
        """Logits of a batch, with shape (N, classes).

        Args:
            continuous: Scaled numbers, with shape (N, C).
            missing: Whether they are missing, so that they are taken as 0, with shape (N, C).
            categories: Codes, with shape (N, K).
            objects: For each group scaled values (N, L, F) and presence (N, L); with
                `absent: zeros` values are 0 where nothing is present.
        """
        groups = split_objects(objects)
        numbers = continuous.masked_fill(missing, 0.0)
        if self.sizes:
            numbers = torch.cat([numbers, one_hot(categories, self.sizes)], dim=1)
        if is_quick(self, numbers):
            return quick_logits(self, numbers, groups)
        parts = [stream(*group) for stream, group in zip(self.streams, groups, strict=True)]
        hidden = torch.cat([*parts, numbers], dim=1)
        for layer in self.hidden:
            hidden = self.dropout(torch.relu(layer(hidden)))
        return cast("Tensor", self.read_out(hidden))


class Stream(nn.Module):
    """Objects of one group to one vector."""

    def __init__(self, stream: StreamConfig, config: StreamNetworkConfig, features: int) -> None:
        super().__init__()
        self.skips = config.absent == "skipped"
        widths = [features, *stream.filters]
        self.layers = nn.ModuleList(dense(before, after) for before, after in pairwise(widths))
        directions = 2 if config.bidirectional else 1
        self.width = directions * stream.nodes or widths[-1]
        inputs = [widths[-1], *([self.width] * (stream.layers - 1))] if stream.nodes else []
        self.recurrent = nn.ModuleList(
            nn.ModuleList(Lstm(width, stream.nodes) for _ in range(directions)) for width in inputs
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, values: Tensor, present: Tensor) -> Tensor:
        """Values (N, L, F) and presence (N, L) to vectors (N, width)."""
        if self.skips:
            values = to_front(values, present)
        else:
            present = torch.ones_like(present)
        for number, layer in enumerate(self.layers):
            values = torch.relu(layer(values))
            if number:
                values = self.dropout(values)
        count = present.sum(dim=1)
        for directions in self.recurrent[:-1]:
            values = self.dropout(_states(directions, values, count))
        ends = _ends(self.recurrent[-1], values, count) if self.recurrent else _mean(values, count)
        return cast("Tensor", self.dropout(ends))


def dense(inputs: int, outputs: int) -> nn.Linear:
    """A layer with Glorot's uniform weights and no constants at first."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _states(directions: nn.Module, values: Tensor, count: Tensor) -> Tensor:
    """States at each object, of one or two directions, with shape (N, L, width)."""
    forward, *backward = directions.children()
    parts = [forward(values)]
    parts += [turned(other(turned(values, count)), count) for other in backward]
    return torch.cat(parts, dim=2)


def _ends(directions: nn.Module, values: Tensor, count: Tensor) -> Tensor:
    """States behind the last object of each direction, with shape (N, width)."""
    forward, *backward = directions.children()
    parts = [last(forward(values), count)]
    parts += [last(other(turned(values, count)), count) for other in backward]
    return torch.cat(parts, dim=1)


def _mean(values: Tensor, count: Tensor) -> Tensor:
    """Mean of the first `count` (N,) objects of (N, L, F); 0 of none."""
    there = torch.arange(values.shape[1], device=values.device) < count[:, None]
    total = torch.where(there[:, :, None], values, 0.0).sum(dim=1)
    return total / count.clamp(min=1)[:, None]
