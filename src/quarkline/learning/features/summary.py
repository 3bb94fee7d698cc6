"""What features look like over some events, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.results import Result
from quarkline.learning.features.arrays import MISSING, FeatureArrays, Objects
from quarkline.learning.features.spec import FeatureSpec


@dataclass(frozen=True)
class FeatureRow:
    """One feature over some events.

    Attributes:
        name: The feature.
        kind: What it is.
        group: The objects it belongs to, "" if it is a feature of the event.
        values: Number of events, or of objects.
        missing: How many of them have no value; infinite ones are among them.
        infinities: How many values were infinite.
        least: Smallest value, in the feature's unit; NaN if there is none, or of kinds.
        mean: Mean of the values there are.
        deviation: Their standard deviation.
        largest: Largest value.
        kinds: Of a categorical feature each value with its number of events, rising.
    """

    name: str
    kind: Literal["number", "kind"]
    group: str
    values: int
    missing: int
    infinities: int
    least: float = np.nan
    mean: float = np.nan
    deviation: float = np.nan
    largest: float = np.nan
    kinds: tuple[tuple[int, int], ...] = ()

    @property
    def constant(self) -> float | None:
        """The only value there is; None if there are several, or none."""
        if self.kind == "kind":
            return float(self.kinds[0][0]) if len(self.kinds) == 1 else None
        return self.least if self.least == self.largest else None


@dataclass(frozen=True)
class FeatureSummary(Result, kind="feature-summary"):
    """The features of some events.

    Attributes:
        events: Number of events.
        features: One row a feature, in the order of the features.
    """

    events: int
    features: tuple[FeatureRow, ...]


def summarise(
    spec: FeatureSpec, arrays: FeatureArrays, infinities: Mapping[str, int] | None = None
) -> FeatureSummary:
    """The table of the features of some events.

    Args:
        spec: The features.
        arrays: Their values.
        infinities: Infinite values by feature, as a `FeatureReader` counts them.
    """
    counted = infinities or {}
    return FeatureSummary(len(arrays), tuple(_rows(spec, arrays, counted)))


def object_values(objects: Objects) -> NDArray[np.float32]:
    """Features of the objects there are, with shape (objects, F)."""
    return objects.values[objects.present]


def _rows(
    spec: FeatureSpec, arrays: FeatureArrays, infinities: Mapping[str, int]
) -> Iterator[FeatureRow]:
    for feature, column in zip(spec.continuous, arrays.continuous.T, strict=True):
        yield _number(feature.name, "", column, infinities.get(feature.name, 0))
    for feature, codes in zip(spec.categorical, arrays.categorical.T, strict=True):
        yield _kind(feature.name, codes, infinities.get(feature.name, 0))
    for group in spec.objects:
        held = object_values(arrays.objects[group.name])
        for feature, column in zip(group.features, held.T, strict=True):
            yield _number(feature.name, group.name, column, infinities.get(feature.name, 0))


def _number(name: str, group: str, column: NDArray[np.float32], infinities: int) -> FeatureRow:
    there = column[~np.isnan(column)].astype(np.float64)
    missing = len(column) - len(there)
    if not len(there):
        return FeatureRow(name, "number", group, len(column), missing, infinities)
    return FeatureRow(
        name,
        "number",
        group,
        len(column),
        missing,
        infinities,
        float(there.min()),
        float(there.mean()),
        float(there.std()),
        float(there.max()),
    )


def _kind(name: str, codes: NDArray[np.int64], infinities: int) -> FeatureRow:
    values, counts = np.unique(codes[codes != MISSING], return_counts=True)
    kinds = tuple(zip(values.tolist(), counts.tolist(), strict=True))
    missing = len(codes) - int(counts.sum())
    return FeatureRow(name, "kind", "", len(codes), missing, infinities, kinds=kinds)
