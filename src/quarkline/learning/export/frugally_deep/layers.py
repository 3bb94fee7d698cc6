"""A network as layers of Keras: the values that stand in a file, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        name: Its name.
        kind: Its class in Keras.
        settings: What the class needs to know, as Keras names it; of an input its `shape`.
        inputs: Names of the layers whose outputs it takes.
        weights: Its arrays in Keras's layout: `kernel`, `recurrent_kernel`, `bias`.
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    weights: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """A jet and its scores, with which a file tests itself.

    Attributes:
        inputs: One array for each input, without the axis of the jets.
        outputs: The scores.
    """

    inputs: tuple[Floats, ...]
    outputs: Floats


@dataclass(frozen=True)
class LayeredNetwork:
    """A network.

    Attributes:
        layers: Its layers, each behind those it takes.
        inputs: Names of the input layers, in the order in which arrays are given.
        output: Name of the layer that gives the scores.
        examples: What a file tests itself with.
    """

    layers: tuple[Layer, ...]
    inputs: tuple[str, ...]
    output: str
    examples: tuple[Example, ...] = ()

    def keras_weights(self) -> dict[str, Floats]:
        """All weights by `layer/kernel` and so on, as `load_keras_weights` takes them."""
        return {
            f"{layer.name}/{part}": array
            for layer in self.layers
            for part, array in layer.weights.items()
        }


def in_order_of_keras(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Layers by their distance from the output, farthest first; equal ones as they were made."""
    depth: dict[str, int] = {}
    for layer in reversed(layers):
        depth.setdefault(layer.name, 0)
        for name in layer.inputs:
            depth[name] = max(depth.get(name, 0), depth[layer.name] + 1)
    return tuple(sorted(layers, key=lambda layer: -depth[layer.name]))
