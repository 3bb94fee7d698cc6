"""A network as a C++ header: its weights, its scaling, and a function that gives probabilities."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from quarkline.learning.features.scaling import REACH, FeatureScale
from quarkline.learning.models.config import StreamNetworkConfig
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.lstm import Lstm
from quarkline.learning.models.networks import Network
from quarkline.learning.models.streams import Stream, StreamNetwork

IN_A_LINE = 8

START = """\
// Probabilities of {classes}: a network trained with Quarkline.
// Model {key}.
//
// Needs C++11 and nothing else. Define QUARKLINE_MODEL before including this file to choose another
// namespace, so that one program can hold several models. Compile without -ffast-math: a missing
// value is NaN.
#ifndef QUARKLINE_{guard}_H
#define QUARKLINE_{guard}_H

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#ifndef QUARKLINE_MODEL
#define QUARKLINE_MODEL quarkline_model
#endif

namespace QUARKLINE_MODEL {{

constexpr std::size_t classes = {number};
constexpr double reach = {reach!r};  // of scaled values, in deviations

"""
END = """
}}  // namespace QUARKLINE_MODEL

#undef QUARKLINE_MODEL
#endif  // QUARKLINE_{guard}_H
"""


def cpp_header(model: EventModel, key: str) -> str:
    """The header's text.

    Args:
        model: The model, whose network is one of `lstm-streams` without categorical features.
        key: Its content key.
    """
    module = cast("StreamNetwork", cast("Network", model.predictor).module)
    weights = _Weights()
    body = "".join(_probabilities(model, module, weights))
    guard = f"MODEL_{key[:12].upper()}"
    return "".join(
        (
            START.format(
                classes=", ".join(model.classes),
                key=key,
                guard=guard,
                number=len(model.classes),
                reach=REACH,
            ),
            _event(model),
            "\n",
            importlib.resources.files(__package__).joinpath("runtime.h").read_text(),
            "\nnamespace detail {\n\n",
            "inline const float* weights() {\n  static const float values[] = {\n",
            *weights.lines(),
            "  };\n  return values;\n}\n\n}  // namespace detail\n\n",
            body,
            END.format(guard=guard),
        )
    )


def member(name: str) -> str:
    """A name as C++ can spell it."""
    return re.sub(r"\W", "_", name)


class _Weights:
    """All weights in one array, of which layers know their places."""

    def __init__(self) -> None:
        self.parts: list[NDArray[np.float32]] = []
        self.size = 0

    def at(self, tensor: Tensor) -> str:
        """Adds an array; where it begins, as C++."""
        place = f"w + {self.size}"
        self.parts.append(tensor.detach().numpy().ravel())
        self.size += tensor.numel()
        return place

    def lines(self) -> Iterator[str]:
        """The numbers, with as many digits as bring each back to the last bit."""
        yield from number_lines(np.concatenate(self.parts), "      ")


def number_lines(values: NDArray[np.float32], indent: str) -> Iterator[str]:
    """Numbers as lines of C++, each with the digits that bring it back to the last bit."""
    texts = [number(value) for value in values]
    for start in range(0, len(texts), IN_A_LINE):
        yield f"{indent}{', '.join(texts[start : start + IN_A_LINE])},\n"


def number(value: np.float32) -> str:
    """A number as C++."""
    if np.isfinite(value):
        return f"{np.format_float_scientific(value, unique=True, trim='0')}f"
    return "NAN" if np.isnan(value) else f"{'-' if value < 0 else ''}INFINITY"


def _event(model: EventModel) -> str:
    """The structure that takes an event."""
    spec = model.spec
    numbers = ", ".join(feature.name for feature in spec.continuous)
    lines = ["// What the network is told of an event; NaN where missing.\nstruct Event {\n"]
    if spec.continuous:
        lines.append(f"  std::array<float, {len(spec.continuous)}> numbers;  // {numbers}\n")
    for group in spec.objects:
        names = ", ".join(feature.name for feature in group.features)
        lines.append(
            f"  // Of each: {names}.\n"
            f"  // Those after the first {group.length} count for nothing.\n"
            f"  std::vector<std::array<float, {len(group.features)}>> {member(group.name)};\n"
        )
    return "".join([*lines, "};\n"])


def _probabilities(model: EventModel, module: StreamNetwork, weights: _Weights) -> Iterator[str]:
    """The function that computes."""
    config = cast("StreamNetworkConfig", model.config)
    yield f"// Probability of each class: {', '.join(model.classes)}.\n"
    yield "inline std::array<float, classes> probabilities(const Event& event) {\n"
    yield "  using namespace detail;\n  const float* const w = weights();\n"
    yield "  std::vector<float> hidden;\n"
    parts = zip(model.spec.objects, model.preprocess.object_scales, module.streams, strict=True)
    for group, scales, stream in parts:
        padded = 0 if config.absent == "skipped" else group.length
        yield from (
            f"  append(hidden, stream(first(event.{member(group.name)}, {group.length}),\n",
            f"      {_scales(scales)},\n",
            _stream(cast("Stream", stream), weights),
            f"      {2 if config.bidirectional else 1}, {padded}));\n",
        )
    if model.preprocess.scales:
        yield f"  const std::vector<Scale> scales{_scales(model.preprocess.scales)};\n"
        yield "  for (std::size_t k = 0; k < scales.size(); ++k)\n"
        yield "    hidden.push_back(scaled(scales[k], event.numbers[k]));\n"
    for layer in module.hidden:
        yield f"  hidden = dense({_layer(cast('nn.Linear', layer), weights)}, hidden, 1, true);\n"
    yield "  return softmax<classes>(\n"
    yield f"      dense({_layer(module.read_out, weights)}, hidden, 1, false));\n}}\n"


def _stream(stream: Stream, weights: _Weights) -> str:
    layers = [_layer(cast("nn.Linear", layer), weights) for layer in stream.layers]
    lstms = [
        _lstm(cast("Lstm", lstm), weights)
        for directions in stream.recurrent
        for lstm in directions.children()
    ]
    return f"      {_braced(layers)},\n      {_braced(lstms)},\n"


def _scales(scales: Sequence[FeatureScale]) -> str:
    kinds = {"log": "l", "linear": "x", "none": "-"}
    return _braced(
        f"{{'{kinds[scale.kind]}', {scale.offset!r}, {scale.mean!r}, {scale.deviation!r}}}"
        for scale in scales
    )


def _layer(layer: nn.Linear, weights: _Weights) -> str:
    places = f"{weights.at(layer.weight)}, {weights.at(layer.bias)}"
    return f"Layer{{{places}, {layer.in_features}, {layer.out_features}}}"


def _lstm(lstm: Lstm, weights: _Weights) -> str:
    places = ", ".join(weights.at(item) for item in (lstm.weight, lstm.recurrent, lstm.bias))
    return f"Lstm{{{places}, {lstm.weight.shape[1]}, {lstm.nodes}}}"


def _braced(items: Iterable[str]) -> str:
    return f"{{{', '.join(items)}}}"
