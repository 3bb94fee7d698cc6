"""The CalRatio trainer's network: its inputs, its shape, and models made of its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Place
from quarkline.engine.core.rng import rng
from quarkline.learning.features.arrays import FeatureArrays, Objects
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup
from quarkline.learning.models.config import StreamConfig, StreamNetworkConfig
from quarkline.studies.tagging.columns import JET, STREAMS, Label

if TYPE_CHECKING:
    from quarkline.learning.models.event_model import EventModel
    from quarkline.learning.models.keras_layers import Weights
    from quarkline.learning.models.streams import StreamNetwork

Array = NDArray[np.float32]

CLASSES = tuple(label.name.lower() for label in Label)
"""The network's outputs, in order, which are the labels 0, 1 and 2 of its files, too."""


def _features(names: tuple[str, ...]) -> tuple[Feature, ...]:
    return tuple(Feature(name, name) for name in names)


INPUTS = FeatureSpec(
    continuous=_features(JET),
    objects=tuple(
        ObjectGroup(stream.name, stream.rows, _features(stream.columns)) for stream in STREAMS
    ),
)
"""What the network is told of a jet, in its order."""

NETWORK = StreamNetworkConfig(
    streams=(
        StreamConfig(filters=(64, 32, 32, 16), nodes=10),
        StreamConfig(filters=(64, 32, 32, 16), nodes=10),
        StreamConfig(filters=(32, 16, 8), nodes=5),
    ),
    hidden=(512, 64),
    dropout=0.2,
    absent="zeros",
)
"""The network with the trainer's default settings: 60,067 parameters."""


def upstream_model(weights: Weights, *, place: Place | None = None) -> EventModel:
    """A model of weights in Keras's layout, as `read_keras_weights` gives them.

    Its inputs are those of the trainer's main training file: already scaled by its build step, and
    read without any further scaling.

    Args:
        weights: The weights of the trainer's default network.
        place: Where they come from.

    Raises:
        InputError: If they are not those of the network.
    """
    from quarkline.learning.models.event_model import EventModel
    from quarkline.learning.models.keras_layers import load_keras_weights
    from quarkline.learning.models.networks import Network, build_network

    preprocess = Preprocess.none(INPUTS)
    module = build_network(NETWORK, preprocess.geometry, len(CLASSES), seed=0)
    groups = [group.name for group in INPUTS.objects]
    load_keras_weights(cast("StreamNetwork", module), groups, weights, place=place)
    return EventModel(NETWORK, CLASSES, preprocess, Network(module.eval()), examples())


def jets(jet: Array, constit: Array, track: Array, segment: Array) -> FeatureArrays:
    """The trainer's arrays as features: a place that is zero throughout holds nothing.

    Args:
        jet: With shape (N, 3).
        constit: Clusters, with shape (N, 30, 12).
        track: Tracks, with shape (N, 20, 10).
        segment: Muon segments, with shape (N, 30, 6).
    """
    groups = {"constit": constit, "track": track, "MSeg": segment}
    objects = {name: Objects(array, (array != 0).any(axis=2)) for name, array in groups.items()}
    return FeatureArrays(jet, np.zeros((len(jet), 0), np.int64), objects)


def examples(number: int = 8) -> FeatureArrays:
    """Jets that stand in a model's test vectors: an empty one, a full one, and some between."""
    draw = rng(0, "tagging", "examples")
    share = np.linspace(0, 1, number)
    groups = []
    for group in INPUTS.objects:
        values = draw.normal(size=(number, group.length, len(group.features)))
        there = np.arange(group.length) < np.round(share * group.length)[:, None]
        groups.append(np.where(there[:, :, None], values, 0).astype(np.float32))
    jet = draw.normal(size=(number, len(INPUTS.continuous)))
    return jets(jet.astype(np.float32), *groups)
