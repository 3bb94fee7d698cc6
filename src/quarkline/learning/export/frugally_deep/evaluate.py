"""Computes a network of Keras's layers with NumPy, as frugally-deep does with Eigen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.learning.export.frugally_deep.layers import Layer, LayeredNetwork

Array = NDArray[np.float64]


def scores(network: LayeredNetwork, inputs: Sequence[NDArray[Any]]) -> Array:
    """Scores of jets, with shape (N, classes).

    Args:
        network: The network.
        inputs: An array for each of its inputs, in order; the first axis counts the N jets.

    Raises:
        ValueError: If an array has another shape than the network takes.
    """
    values: dict[str, Array] = {}
    given = dict(zip(network.inputs, inputs, strict=True))
    for layer in network.layers:
        if layer.kind == "InputLayer":
            array = np.asarray(given[layer.name], dtype=np.float64)
            if list(array.shape[1:]) != layer.settings["shape"]:
                msg = f"`{layer.name}` takes {layer.settings['shape']}, not {array.shape[1:]}"
                raise ValueError(msg)
            values[layer.name] = array
        else:
            parts = [values[name] for name in layer.inputs]
            values[layer.name] = _COMPUTED[layer.kind](layer, parts)
    return values[network.output]


def _dense(layer: Layer, inputs: list[Array]) -> Array:
    kernel = layer.weights["kernel"].astype(np.float64)
    if layer.kind == "Conv1D":
        (kernel,) = kernel
    out: Array = inputs[0] @ kernel + layer.weights["bias"]
    if layer.settings["activation"] == "relu":
        return np.maximum(out, 0.0)
    raised = np.exp(out - out.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _lstm(layer: Layer, inputs: list[Array]) -> Array:
    units = layer.settings["units"]
    (sequence,) = inputs
    state, cell = np.zeros((2, len(sequence), units))
    states = []
    for step in range(sequence.shape[1]):
        z = sequence[:, step] @ layer.weights["kernel"].astype(np.float64)
        z += state @ layer.weights["recurrent_kernel"] + layer.weights["bias"]
        entering, forgotten, new, leaving = np.split(z, 4, axis=1)
        cell = _logistic(forgotten) * cell + _logistic(entering) * np.tanh(new)
        state = _logistic(leaving) * np.tanh(cell)
        states.append(state)
    return np.stack(states, axis=1) if layer.settings["return_sequences"] else state


def _logistic(x: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


_COMPUTED: Mapping[str, Callable[[Layer, list[Array]], Array]] = {
    "Conv1D": _dense,
    "Dense": _dense,
    "LSTM": _lstm,
    "Dropout": lambda _, inputs: inputs[0],
    "Concatenate": lambda _, inputs: np.concatenate(inputs, axis=-1),
    "GlobalAveragePooling1D": lambda _, inputs: inputs[0].mean(axis=1),
}
