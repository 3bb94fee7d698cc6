"""Reads frugally-deep's JSON, in either dialect, and refuses what it does not know."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean
from quarkline.learning.export.frugally_deep.layers import Example, Floats, Layer, LayeredNetwork

BAD_FILE = Rule(
    "QL-EXPORT-006",
    "a frugally-deep file is whole and of known layers",
    "Each layer of the file must be one that is computed here, with weights of its sizes. Anything "
    "else is refused: a setting that is passed over would give scores that look right.",
)

Shapes = dict[str, tuple[int, ...]]
Reader = Callable[[Mapping[str, Any]], Shapes]


def read_frugally_deep(path: Path) -> LayeredNetwork:
    """The network in a file.

    Args:
        path: The file.

    Raises:
        InputError: If it is damaged, or has layers or settings that are not known here.
    """
    try:
        return parse(json.loads(path.read_text()))
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        why = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(
            BAD_FILE.finding(
                f"the frugally-deep file is refused: {why}",
                place=Place(path),
                suggestion="export the model again with `quarkline export`",
            )
        ) from error


def parse(data: Mapping[str, Any]) -> LayeredNetwork:
    """The network of a file's content.

    Raises:
        ValueError: If a layer, a setting or a size is not as it must be.
        KeyError: If something is missing.
    """
    _expect(data["image_data_format"], "channels_last", "image_data_format")
    config = data["architecture"]["config"]
    layers = tuple(_layer(item, data["trainable_params"]) for item in config["layers"])
    known: set[str] = set()
    for layer in layers:
        if unknown := set(layer.inputs) - known:
            msg = f"`{layer.name}` takes `{min(unknown)}`, which does not stand before it"
            raise ValueError(msg)
        known.add(layer.name)
    if idle := set(data["trainable_params"]) - known:
        msg = f"there are weights of `{min(idle)}`, which is no layer"
        raise ValueError(msg)
    inputs = tuple(name for name, _, _ in config["input_layers"])
    ((output, _, _),) = config["output_layers"]
    shapes = {layer.name: list(layer.settings.get("shape", ())) for layer in layers}
    _expect(data["input_shapes"], [shapes[name] for name in inputs], "input_shapes")
    examples = tuple(_example(test) for test in data.get("tests", ()))
    return LayeredNetwork(layers, inputs, output, examples)


def _layer(item: Mapping[str, Any], weights: Mapping[str, Any]) -> Layer:
    kind, name = item["class_name"], item["name"]
    if kind not in _KINDS:
        raise ValueError(
            f"`{name}` is a {kind}. " + did_you_mean(kind, list(_KINDS), what="known layers")
        )
    settings = dict(item["config"])
    _expect(settings.pop("name"), name, f"name of {name}")
    inputs = _inputs(item["inbound_nodes"])
    if kind == "InputLayer":
        shape = settings.get("batch_shape") or settings["batch_input_shape"]
        return Layer(name, kind, {"shape": list(shape[1:])})
    shapes = _KINDS[kind](settings)
    held = weights.get(name, {})
    if len(held) != len(shapes):
        msg = f"`{name}` has the weights {', '.join(held) or 'none'}"
        raise ValueError(msg)
    arrays = {
        part: _shaped(_numbers(held[_STORED[part]]), shape, name) for part, shape in shapes.items()
    }
    if kind == "Conv1D":
        arrays["kernel"] = arrays["kernel"].transpose(1, 2, 0)  # outputs stand first in the file
    return Layer(name, kind, settings, inputs, arrays)


_STORED = {"kernel": "weights", "recurrent_kernel": "recurrent_weights", "bias": "bias"}


def _inputs(nodes: list[Any]) -> tuple[str, ...]:
    """Names of the layers that a layer takes, in either dialect."""
    if not nodes:
        return ()
    (node,) = nodes
    if isinstance(node, list):
        return tuple(name for name, _, _, _ in node)
    (tensors,) = node["args"]
    several = tensors if isinstance(tensors, list) else [tensors]
    return tuple(tensor["config"]["keras_history"][0] for tensor in several)


def _convolution(settings: Mapping[str, Any]) -> Shapes:
    for key, value in (("kernel_size", [1]), ("strides", [1]), ("dilation_rate", [1])):
        _expect(settings[key], value, key)
    _expect(settings["use_bias"], True, "use_bias")
    _activation(settings)
    return {"kernel": (settings["filters"], 1, -1), "bias": (settings["filters"],)}


def _dense(settings: Mapping[str, Any]) -> Shapes:
    _expect(settings["use_bias"], True, "use_bias")
    _activation(settings)
    return {"kernel": (-1, settings["units"]), "bias": (settings["units"],)}


def _lstm(settings: Mapping[str, Any]) -> Shapes:
    _expect(settings["activation"], "tanh", "activation")
    _expect(settings["recurrent_activation"], "sigmoid", "recurrent_activation")
    _expect(settings["use_bias"], True, "use_bias")
    for key in ("return_state", "stateful", "go_backwards"):
        _expect(settings.get(key, False), False, key)
    units = settings["units"]
    return {"kernel": (-1, 4 * units), "recurrent_kernel": (units, 4 * units), "bias": (4 * units,)}


def _concatenation(settings: Mapping[str, Any]) -> Shapes:
    _expect(settings["axis"], -1, "axis")
    return {}


def _pooling(settings: Mapping[str, Any]) -> Shapes:
    _expect(settings.get("keepdims", False), False, "keepdims")
    return {}


def _nothing(settings: Mapping[str, Any]) -> Shapes:  # noqa: ARG001
    return {}


_KINDS: Mapping[str, Reader] = {
    "InputLayer": _nothing,
    "Conv1D": _convolution,
    "Dense": _dense,
    "LSTM": _lstm,
    "Dropout": _nothing,
    "Concatenate": _concatenation,
    "GlobalAveragePooling1D": _pooling,
}
"""Shapes of the weights of each kind of layer, -1 for the inputs, once its settings are known."""


def _activation(settings: Mapping[str, Any]) -> None:
    if settings["activation"] not in {"relu", "softmax"}:
        msg = f"the activation `{settings['activation']}` is not known"
        raise ValueError(msg)


def _expect(found: Any, expected: Any, key: str) -> None:
    if found != expected:
        msg = f"`{key}` is {found!r}, where only {expected!r} is known"
        raise ValueError(msg)


def _example(test: Mapping[str, Any]) -> Example:
    inputs = tuple(_tensor(item) for item in test["inputs"])
    (output,) = test["outputs"]
    return Example(inputs, _tensor(output))


def _tensor(item: Mapping[str, Any]) -> Floats:
    return _shaped(_numbers(item["values"]), tuple(item["shape"]), "a test")


def _numbers(values: list[Any]) -> Floats:
    """Numbers as they are, or as base64 in pieces."""
    if values and isinstance(values[0], str):
        content = base64.b64decode("".join(values), validate=True)
        found = np.frombuffer(content, dtype="<f4").astype(np.float32)
    else:
        found = np.array(values, dtype=np.float32)
    if not np.isfinite(found).all():
        msg = "a number is not finite"
        raise ValueError(msg)
    return found


def _shaped(numbers: Floats, shape: tuple[int, ...], name: str) -> Floats:
    known = math.prod(size for size in shape if size >= 0)
    if len(numbers) != known and (-1 not in shape or not known or len(numbers) % known):
        msg = f"`{name}` has {len(numbers)} numbers for the shape {shape}"
        raise ValueError(msg)
    return numbers.reshape(shape)
