"""Writes a network as frugally-deep's JSON, in the dialect of its older and newer versions."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from quarkline.learning.export.frugally_deep.layers import Example, Layer, LayeredNetwork

Dialect = Literal["keras2", "keras3"]
"""`keras2` is read by frugally-deep 0.15, `keras3` by 0.20; each refuses the other's."""
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
CHUNK = 1024
"""Characters of coded numbers in one string."""
NAMES = {"kernel": "weights", "recurrent_kernel": "recurrent_weights", "bias": "bias"}


def frugally_deep_json(network: LayeredNetwork, dialect: Dialect) -> str:
    """The network as a file's text.

    Args:
        network: The network, with the examples that the file tests itself with.
        dialect: For which version of frugally-deep.
    """
    shapes = {layer.name: layer.settings.get("shape") for layer in network.layers}
    (output,) = [layer for layer in network.layers if layer.name == network.output]
    held = {layer.name: _weights(layer) for layer in network.layers if layer.weights}
    return json.dumps(
        {
            "architecture": {
                "class_name": "Functional",
                "config": {
                    "name": "model",
                    "layers": [_layer(layer, dialect) for layer in network.layers],
                    "input_layers": [[name, 0, 0] for name in network.inputs],
                    "output_layers": [[network.output, 0, 0]],
                },
            },
            "image_data_format": "channels_last",
            "input_shapes": [shapes[name] for name in network.inputs],
            "output_shapes": [[output.settings["units"]]],
            "tests": [_test(example) for example in network.examples],
            "trainable_params": held,
            "hash": _digest(network),
        },
        separators=(",", ":"),
        allow_nan=False,
    )


def _layer(layer: Layer, dialect: Dialect) -> dict[str, Any]:
    settings = dict(layer.settings)
    if layer.kind == "InputLayer":
        key = "batch_input_shape" if dialect == "keras2" else "batch_shape"
        settings = {"dtype": "float32", key: [None, *settings["shape"]]}
    return {
        "class_name": layer.kind,
        "name": layer.name,
        "config": {"name": layer.name, **settings},
        "inbound_nodes": _inbound(layer.inputs, dialect) if layer.inputs else [],
    }


def _inbound(inputs: tuple[str, ...], dialect: Dialect) -> list[Any]:
    if dialect == "keras2":
        return [[[name, 0, 0, {}] for name in inputs]]
    tensors = [
        {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
        for name in inputs
    ]
    return [{"args": [tensors] if len(tensors) > 1 else tensors, "kwargs": {}}]


def _weights(layer: Layer) -> dict[str, list[str]]:
    """Coded arrays; a convolution's kernel with its outputs first."""
    arrays = dict(layer.weights)
    if layer.kind == "Conv1D":
        arrays["kernel"] = np.moveaxis(arrays["kernel"], -1, 0)
    return {NAMES[part]: _coded(array) for part, array in arrays.items()}


def _test(example: Example) -> dict[str, Any]:
    inputs = [_tensor(array) for array in example.inputs]
    return {"inputs": inputs, "outputs": [_tensor(example.outputs)]}


def _tensor(array: NDArray[Any]) -> dict[str, Any]:
    return {"shape": list(array.shape), "values": _coded(array)}


def _coded(array: NDArray[Any]) -> list[str]:
    """Little-endian float32 in the order of C, as base64 that is cut afterwards."""
    text = base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()
    return [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]


def _digest(network: LayeredNetwork) -> str:
    """What tells networks apart: the hash of all names and weights."""
    digest = hashlib.sha256()
    for name, array in network.keras_weights().items():
        digest.update(name.encode() + np.ascontiguousarray(array, dtype="<f4").tobytes())
    return digest.hexdigest()
