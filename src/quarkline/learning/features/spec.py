"""What a model is told of an event: features by name, with the expressions that make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Feature:
    """One value a model sees.

    Attributes:
        name: What it is called.
        expression: How it follows from the columns of a table.
        missing: Values that stand for "none", such as -999.
    """

    name: str
    expression: str
    missing: tuple[float, ...] = ()


@dataclass(frozen=True)
class ObjectGroup:
    """Features of objects of one kind, of which events have different numbers.

    Attributes:
        name: What the objects are called.
        length: Most objects that are looked at, the first ones.
        features: Features of each object; their expressions have a value an object.
    """

    name: str
    length: int
    features: tuple[Feature, ...]


@dataclass(frozen=True)
class FeatureSpec:
    """All features of a model, in its order.

    Attributes:
        continuous: Features that are numbers.
        categorical: Features that are kinds, such as a particle's code.
        objects: Features of objects.
    """

    continuous: tuple[Feature, ...]
    categorical: tuple[Feature, ...] = ()
    objects: tuple[ObjectGroup, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The features as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FeatureSpec:
        """Rebuild from `as_json()`."""
        return cls(
            tuple(_feature(item) for item in data["continuous"]),
            tuple(_feature(item) for item in data["categorical"]),
            tuple(
                ObjectGroup(group["name"], group["length"], tuple(map(_feature, group["features"])))
                for group in data["objects"]
            ),
        )


def _feature(data: Mapping[str, Any]) -> Feature:
    return Feature(data["name"], data["expression"], tuple(data["missing"]))
