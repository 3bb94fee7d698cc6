"""Layers of Keras for a trained network, if Keras and frugally-deep can say what it does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, cast

import numpy as np

from quarkline.engine.core.findings import InputError, Rule
from quarkline.learning.export.frugally_deep.layers import (
    Example,
    Layer,
    LayeredNetwork,
    in_order_of_keras,
)
from quarkline.learning.models.config import StreamNetworkConfig
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.keras_layers import KerasLayer, keras_layers
from quarkline.learning.models.networks import Network
from quarkline.learning.models.streams import Stream, StreamNetwork

NOT_EXPRESSIBLE = Rule(
    "QL-EXPORT-005",
    "frugally-deep's format can say what the network does",
    "The format knows dense layers, convolutions and LSTMs on numbers. It has no masks: its LSTM "
    "reads padding as objects. It knows no logarithms, bounds or missing values, so scaling has to "
    "be done before. A network that needs any of this would give other scores in C++, and no "
    "error; `onnx` and `cpp` hold all of it.",
)
SUFFIX = "_input_cr"
"""Ends the names of inputs in the files of the CalRatio trainer; frugally-deep goes by order."""
JET = "jet"


def layered_network(model: EventModel) -> LayeredNetwork:
    """The layers of a network, named and ordered as the CalRatio trainer's.

    Args:
        model: The model.

    Raises:
        InputError: If the format cannot express what the model does, with the reasons.
    """
    if reasons := list(_reasons(model)):
        raise InputError(
            NOT_EXPRESSIBLE.finding(
                f"frugally-deep cannot express this model: {'; '.join(reasons)}",
                suggestion="export it with `--format cpp` or `--format onnx`",
            )
        )
    config = cast("StreamNetworkConfig", model.config)
    layers = _Layers(config.dropout)
    ends = [layers.stream(model, number) for number in range(len(model.spec.objects))]
    if model.spec.continuous:
        ends.append(layers.add(f"{JET}{SUFFIX}", "InputLayer", shape=[len(model.spec.continuous)]))
    ends = [layers.add("concatenate", "Concatenate", ends, axis=-1)] if len(ends) > 1 else ends
    (end,) = ends
    *hidden, read_out = [layer for layer in _keras(model) if layer.kind == "Dense"]
    for layer in hidden:
        end = layers.dropped(layers.dense(layer, end, "relu"))
    output = layers.dense(read_out, end, "softmax")
    inputs = tuple(layer.name for layer in layers.made if layer.kind == "InputLayer")
    return LayeredNetwork(in_order_of_keras(layers.made), inputs, output, _examples(model))


def _reasons(model: EventModel) -> Iterator[str]:
    """Why the format cannot express a model."""
    config = model.config
    if not isinstance(config, StreamNetworkConfig):
        yield f"`kind: {config.kind}` is not made of its layers"
        return
    if config.absent == "skipped":
        yield "`absent: skipped` needs masks, which the format does not have"
    if config.bidirectional:
        yield "`bidirectional: true` is not written, since no reader of ours has checked it"
    if model.spec.categorical:
        yield "categorical features become flags, for which it has no layer"
    scales = [*model.preprocess.scales, *(s for g in model.preprocess.object_scales for s in g)]
    if scaled := [scale.name for scale in scales if scale.kind != "none"]:
        more = f" and {len(scaled) - 1} more" if len(scaled) > 1 else ""
        yield f"the scaling of `{scaled[0]}`{more} has bounds, for which it has no layer"


class _Layers:
    """Layers while they are made, with the numbers that Keras gives them."""

    def __init__(self, dropout: float) -> None:
        self.dropout, self.dropouts = dropout, count()
        self.made: list[Layer] = []

    def add(self, name: str, kind: str, inputs: list[str] | None = None, **settings: Any) -> str:
        self.made.append(Layer(name, kind, settings, tuple(inputs or ())))
        return name

    def weighted(self, layer: KerasLayer, before: str, **settings: Any) -> str:
        weights = {name.partition("/")[2]: array for name, array in layer.weights().items()}
        self.made.append(Layer(layer.name, layer.kind, settings, (before,), weights))
        return layer.name

    def dropped(self, before: str) -> str:
        number = next(self.dropouts)
        name = f"dropout_{number}" if number else "dropout"
        return self.add(name, "Dropout", [before], rate=self.dropout)

    def dense(self, layer: KerasLayer, before: str, activation: str) -> str:
        units = layer.module.bias.shape[0]
        return self.weighted(layer, before, units=units, activation=activation, use_bias=True)

    def stream(self, model: EventModel, number: int) -> str:
        """The stream of one group of objects; the layer it ends with."""
        group = model.spec.objects[number]
        shape = [group.length, len(group.features)]
        end = self.add(f"{group.name}{SUFFIX}", "InputLayer", shape=shape)
        own = _of_stream(model, number)
        convolutions = [layer for layer in own if layer.kind == "Conv1D"]
        for place, layer in enumerate(convolutions):
            end = self.weighted(layer, end, **_convolution(layer))
            end = self.dropped(end) if place else end
        lstms = [layer for layer in own if layer.kind == "LSTM"]
        for layer in lstms:
            end = self.dropped(self.weighted(layer, end, **_lstm(layer, layer is not lstms[-1])))
        if not lstms:
            name = f"{group.name}_mean"
            end = self.dropped(self.add(name, "GlobalAveragePooling1D", [end], keepdims=False))
        return end


def _convolution(layer: KerasLayer) -> dict[str, Any]:
    return {
        "filters": layer.module.bias.shape[0],
        "kernel_size": [1],
        "strides": [1],
        "padding": "valid",
        "dilation_rate": [1],
        "use_bias": True,
        "activation": "relu",
        "data_format": "channels_last",
        "groups": 1,
    }


def _lstm(layer: KerasLayer, sequences: bool) -> dict[str, Any]:
    return {
        "units": layer.module.bias.shape[0] // 4,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": True,
        "return_sequences": sequences,
        "return_state": False,
        "stateful": False,
        "go_backwards": False,
        "unroll": False,
    }


def _keras(model: EventModel) -> list[KerasLayer]:
    return keras_layers(_module(model), [group.name for group in model.spec.objects])


def _of_stream(model: EventModel, number: int) -> list[KerasLayer]:
    """The layers of one stream."""
    own = {id(module) for module in cast("Stream", _module(model).streams[number]).modules()}
    return [layer for layer in _keras(model) if id(layer.module) in own]


def _module(model: EventModel) -> StreamNetwork:
    return cast("StreamNetwork", cast("Network", model.predictor).module)


def _examples(model: EventModel) -> tuple[Example, ...]:
    """The model's examples, as the network takes them."""
    numbers, _, _, *objects = [
        tensor.numpy() for tensor in model.preprocess.tensors(model.examples)
    ]
    scores = model.probabilities(model.examples)
    arrays = [*objects[::2], *([numbers] if model.spec.continuous else [])]
    return tuple(
        Example(tuple(array[jet] for array in arrays), np.asarray(scores[jet]))
        for jet in range(len(scores))
    )
