"""Weights of a recurrent network under the names and in the layout that Keras gives them."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import cast

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.learning.models.lstm import Lstm
from quarkline.learning.models.streams import Stream, StreamNetwork

Weights = Mapping[str, NDArray[np.float32]]
"""Arrays by `layer/kernel`, `layer/recurrent_kernel` and `layer/bias`, with shapes as Keras has."""

LARGEST = 1 << 30
"""Most bytes of weights in a Keras archive: an archive may claim any size."""

NOT_THE_NETWORK = Rule(
    "QL-MODEL-004",
    "weights from Keras are those of the network they are read into",
    "A Keras file holds arrays by the names of layers. Each layer of the network needs its own, "
    "with its own shape, and nothing may be left over: weights that went to another layer would "
    "give scores that look right.",
)


@dataclass(frozen=True)
class KerasLayer:
    """A layer with weights.

    Attributes:
        name: What Keras calls it.
        kind: Its class in Keras.
        module: The layer itself.
    """

    name: str
    kind: str
    module: nn.Linear | Lstm

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Its weights in Keras's layout."""
        found = {f"{self.name}/{part}": view for part, view in self._views().items()}
        return {name: np.ascontiguousarray(view.detach().numpy()) for name, view in found.items()}

    def load(self, weights: Weights) -> None:
        """Take over weights of the right shapes."""
        with torch.no_grad():
            for part, view in self._views().items():
                view.copy_(torch.from_numpy(np.array(weights[f"{self.name}/{part}"])))

    def _views(self) -> dict[str, Tensor]:
        """The parameters as Keras shapes them; writing there writes the parameters."""
        if isinstance(self.module, Lstm):
            return {
                "kernel": self.module.weight.t(),
                "recurrent_kernel": self.module.recurrent.t(),
                "bias": self.module.bias,
            }
        kernel = self.module.weight.t()
        return {
            "kernel": kernel[None] if self.kind == "Conv1D" else kernel,
            "bias": self.module.bias,
        }


def keras_layers(network: StreamNetwork, groups: Sequence[str]) -> list[KerasLayer]:
    """The layers with weights, in the order in which the CalRatio trainer makes them.

    Args:
        network: The network; it reads forward only.
        groups: Names of its groups of objects.
    """
    convolutions, lstms, dense = count(), count(), count(1)
    found = []
    for group, stream in zip(groups, network.streams, strict=True):
        layers = cast("Stream", stream).layers
        for number, layer in enumerate(layers):
            final = number == len(layers) - 1
            name = f"{group}_final_conv1d" if final else _numbered("conv1d", next(convolutions))
            found.append(KerasLayer(name, "Conv1D", cast("nn.Linear", layer)))
        for directions in cast("Stream", stream).recurrent:
            (only,) = directions.children()
            found.append(KerasLayer(_numbered("lstm", next(lstms)), "LSTM", cast("Lstm", only)))
    for layer in network.hidden:
        name = _numbered("dense", next(dense))
        found.append(KerasLayer(name, "Dense", cast("nn.Linear", layer)))
    found.append(KerasLayer("main_output", "Dense", network.read_out))
    return found


def keras_weights(network: StreamNetwork, groups: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """The weights in Keras's layout."""
    layers = keras_layers(network, groups)
    return {name: array for layer in layers for name, array in layer.weights().items()}


def load_keras_weights(
    network: StreamNetwork, groups: Sequence[str], weights: Weights, *, place: Place | None = None
) -> None:
    """Take over weights in Keras's layout.

    Args:
        network: Takes them.
        groups: Names of its groups of objects.
        weights: The weights.
        place: Where they come from.

    Raises:
        InputError: If one is missing, left over, not finite or of another shape.
    """
    layers = keras_layers(network, groups)
    shapes = {name: array.shape for name, array in keras_weights(network, groups).items()}
    wrong = [f"`{name}` is missing" for name in shapes.keys() - weights.keys()]
    wrong += [f"`{name}` is of no layer" for name in weights.keys() - shapes.keys()]
    for name in shapes.keys() & weights.keys():
        if weights[name].shape != shapes[name]:
            wrong.append(f"`{name}` has shape {weights[name].shape}, not {shapes[name]}")
        elif not np.isfinite(weights[name]).all():
            wrong.append(f"`{name}` is not finite")
    if wrong:
        raise _refused("; ".join(sorted(wrong)), place)
    for layer in layers:
        layer.load(weights)


def read_keras_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Weights of a Keras file: HDF5 weights, or an archive of Keras 2.13 and newer.

    Args:
        path: The file; nothing in it is run.

    Raises:
        InputError: If it is neither.
    """
    try:
        if zipfile.is_zipfile(path):
            return _archive(path)
        with h5py.File(path) as file:
            return _named(file)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        msg = f"the file cannot be read as Keras's: {error}"
        raise _refused(msg, Place(path)) from error


def _named(file: h5py.Group) -> dict[str, NDArray[np.float32]]:
    """Weights of an HDF5 file, whose groups have the names of the layers."""
    found: dict[str, NDArray[np.float32]] = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            layer, *_, weight = name.split("/")
            found[f"{layer}/{weight.partition(':')[0]}"] = np.asarray(item, dtype=np.float32)

    file.visititems(visit)
    return found


def _archive(path: Path) -> dict[str, NDArray[np.float32]]:
    """Weights of an archive, whose groups are numbered in the order of the config's layers."""
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("model.weights.h5").file_size
        if size > LARGEST:
            msg = f"its weights claim {size} bytes"
            raise ValueError(msg)
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
        held = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(held) as file:
        groups = file["_layer_checkpoint_dependencies"]
        found = {}
        for kind, parts in _PARTS.items():
            names = [layer["config"]["name"] for layer in layers if layer["class_name"] == kind]
            own = sorted(filter(re.compile(rf"{kind.lower()}(_\d+)?").fullmatch, groups), key=_rank)
            for name, group in zip(names, own, strict=True):
                arrays = groups[group]["cell/vars" if kind == "LSTM" else "vars"]
                for number, part in enumerate(parts):
                    found[f"{name}/{part}"] = np.asarray(arrays[str(number)], dtype=np.float32)
    return found


_PARTS = {
    "Conv1D": ("kernel", "bias"),
    "LSTM": ("kernel", "recurrent_kernel", "bias"),
    "Dense": ("kernel", "bias"),
}


def _rank(group: str) -> int:
    return int(group.partition("_")[2] or 0)


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def _refused(why: str, place: Place | None) -> InputError:
    return InputError(
        NOT_THE_NETWORK.finding(
            f"these weights are not of this network: {why}",
            place=place,
            suggestion="read them into a network of the widths they were trained with",
        )
    )
