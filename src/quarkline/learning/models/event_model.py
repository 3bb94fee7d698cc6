"""A trained classifier of events with the preprocessing that belongs to it."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from quarkline.engine.core.results import pretty_json
from quarkline.learning.features.arrays import FeatureArrays, Objects
from quarkline.learning.features.geometry import Geometry
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.spec import FeatureSpec
from quarkline.learning.models.artifact import read_vectors
from quarkline.learning.models.config import ModelConfig, TreesConfig

PREPROCESS = "preprocess.json"
TOLERANCE = 1e-5
"""Largest difference of a probability from the test vectors: computers round differently."""

Probabilities = NDArray[np.float32]


class Predictor(Protocol):
    """What was trained: a network or trees."""

    def probabilities(
        self, preprocess: Preprocess, arrays: FeatureArrays, *, device: str
    ) -> Probabilities:
        """Probabilities of events, with shape (N, classes)."""

    def save(self, folder: Path) -> None:
        """Write the weights."""


@dataclass(frozen=True)
class EventModel:
    """A trained classifier of events.

    Attributes:
        config: Kind and shape of what was trained.
        classes: Names of the classes, in the order of the probabilities.
        preprocess: The features and how they are scaled and coded, fitted to training events.
        predictor: What was trained.
        examples: Some events that a loaded copy is tested with.
    """

    kind: ClassVar[str] = "event-classifier"

    config: ModelConfig
    classes: tuple[str, ...]
    preprocess: Preprocess
    predictor: Predictor
    examples: FeatureArrays

    @property
    def spec(self) -> FeatureSpec:
        """The features."""
        return self.preprocess.spec

    def probabilities(self, arrays: FeatureArrays, *, device: str = "cpu") -> Probabilities:
        """Probability of each class of events, with shape (N, classes).

        Args:
            arrays: Physical values of the features.
            device: Where networks compute, such as `cuda`.
        """
        if not len(arrays):
            return np.zeros((0, len(self.classes)), np.float32)
        return self.predictor.probabilities(self.preprocess, arrays, device=device)

    def describe(self) -> dict[str, Any]:
        """Arguments and schema as JSON values."""
        return {
            "config": self.config.model_dump(mode="json"),
            "classes": self.classes,
            "geometry": asdict(self.preprocess.geometry),
            "inputs": input_schema(self.spec),
            "outputs": output_schema(self.classes),
            "versions": library_versions(),
        }

    def save_weights(self, folder: Path) -> None:
        """Write weights and preprocessing."""
        self.predictor.save(folder)
        (folder / PREPROCESS).write_text(pretty_json(self.preprocess.as_json()))

    @classmethod
    def load(cls, description: dict[str, Any], folder: Path) -> Self:
        """Rebuild from `describe()` and the files.

        Raises:
            ValueError: If the parts do not fit together.
        """
        config = TypeAdapter(ModelConfig).validate_python(description["config"])
        classes = tuple(description["classes"])
        preprocess = Preprocess.from_json(json.loads((folder / PREPROCESS).read_text()))
        told, found = description["geometry"], json.loads(pretty_json(preprocess.geometry))
        if told != found:
            msg = f"it was made for inputs {told}, but its preprocessing gives {found}"
            raise ValueError(msg)
        predictor = _load_predictor(config, preprocess.geometry, len(classes), folder)
        examples = arrays_from(read_vectors(folder))
        return cls(config, classes, preprocess, predictor, examples)

    def test_vectors(self) -> dict[str, NDArray[Any]]:
        """Inputs and outputs that a loaded copy must reproduce."""
        probabilities = self.probabilities(self.examples)
        return arrays_as_dict(self.examples) | {"probabilities": probabilities}

    def agrees(self, vectors: dict[str, NDArray[Any]]) -> bool:
        """Whether this model reproduces test vectors."""
        return close(self.probabilities(arrays_from(vectors)), vectors["probabilities"])


def close(found: Probabilities, expected: NDArray[Any]) -> bool:
    """Whether probabilities are the expected ones, as well as computers agree."""
    same_shape = found.shape == expected.shape
    return same_shape and bool(np.allclose(found, expected, rtol=0, atol=TOLERANCE))


def input_schema(spec: FeatureSpec) -> list[dict[str, Any]]:
    """What a model takes of each event: name, expression, type, shape and padding."""
    scalars = [("float32", spec.continuous), ("int64", spec.categorical)]
    flat = [
        {"name": item.name, "expression": item.expression, "dtype": dtype, "shape": []}
        for dtype, features in scalars
        for item in features
    ]
    return flat + [
        {
            "name": item.name,
            "expression": item.expression,
            "dtype": "float32",
            "shape": [group.length],
            "padding": f"absent {group.name} are NaN",
        }
        for group in spec.objects
        for item in group.features
    ]


def output_schema(classes: tuple[str, ...]) -> dict[str, Any]:
    """What a model gives of each event."""
    return {"name": "probabilities", "dtype": "float32", "shape": [len(classes)], "of": classes}


def library_versions() -> dict[str, str]:
    """Versions of what a model's numbers depend on."""
    names = ("quarkline", "numpy", "torch", "lightgbm")
    return {name: importlib.metadata.version(name) for name in names}


def arrays_as_dict(arrays: FeatureArrays) -> dict[str, NDArray[Any]]:
    """Features of events as arrays by name."""
    groups = {
        f"{part}:{name}": getattr(group, part)
        for name, group in arrays.objects.items()
        for part in ("values", "present")
    }
    return {"continuous": arrays.continuous, "categorical": arrays.categorical, **groups}


def arrays_from(named: Mapping[str, NDArray[Any]]) -> FeatureArrays:
    """What undoes `arrays_as_dict`; other names are left alone."""
    groups = [name.partition(":")[2] for name in named if name.startswith("values:")]
    objects = {name: Objects(named[f"values:{name}"], named[f"present:{name}"]) for name in groups}
    return FeatureArrays(named["continuous"], named["categorical"], objects)


def _load_predictor(
    config: ModelConfig, geometry: Geometry, classes: int, folder: Path
) -> Predictor:
    if isinstance(config, TreesConfig):
        from quarkline.learning.models.boosted import BoostedTrees

        return BoostedTrees.load(folder)
    from quarkline.learning.models.networks import Network

    return Network.load(config, geometry, classes, folder)
