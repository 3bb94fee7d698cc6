"""From physical values to what models take: scales and codes fitted on training events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quarkline.learning.features.arrays import MISSING, FeatureArrays
from quarkline.learning.features.geometry import Geometry
from quarkline.learning.features.scaling import FeatureScale
from quarkline.learning.features.spec import Feature, FeatureSpec

if TYPE_CHECKING:
    from torch import Tensor


BLOCK = 8192
"""Events whose features fit the processor's cache."""


@dataclass(frozen=True)
class Preprocess:
    """What training events say about scales and kinds; it travels with the model.

    Attributes:
        spec: The features.
        scales: Scale of each continuous feature.
        codes: Values of each categorical feature in training, rising; the first has code 1.
        object_scales: Scales of the features of each group of objects.
    """

    spec: FeatureSpec
    scales: tuple[FeatureScale, ...]
    codes: tuple[tuple[int, ...], ...]
    object_scales: tuple[tuple[FeatureScale, ...], ...]

    @classmethod
    def fit(cls, spec: FeatureSpec, arrays: FeatureArrays) -> Preprocess:
        """Find scales and codes; the order of the events does not matter, to the last bit.

        Args:
            spec: The features.
            arrays: Training events only.
        """
        groups = ((group.features, arrays.objects[group.name].values) for group in spec.objects)
        return cls(
            spec,
            _fitted(spec.continuous, arrays.continuous),
            tuple(_values(column) for column in arrays.categorical.T),
            tuple(_fitted(features, _flat(values)) for features, values in groups),
        )

    @classmethod
    def none(cls, spec: FeatureSpec) -> Preprocess:
        """Leave all values as they are, for networks that were trained on them.

        Args:
            spec: The features; none of them is categorical.
        """
        return cls(
            spec,
            tuple(FeatureScale.none(feature.name) for feature in spec.continuous),
            (),
            tuple(
                tuple(FeatureScale.none(feature.name) for feature in group.features)
                for group in spec.objects
            ),
        )

    @property
    def geometry(self) -> Geometry:
        """Sizes of what `tensors` gives."""
        return Geometry(
            len(self.scales),
            tuple(1 + len(values) for values in self.codes),
            tuple((group.length, len(group.features)) for group in self.spec.objects),
        )

    def tensors(self, arrays: FeatureArrays) -> tuple[Tensor, ...]:
        """What networks take.

        Returns:
            Scaled continuous features (N, C), float32, 0 where missing; where they are missing
            (N, C), bool; codes (N, K), int64, 0 where missing or never seen in training; and for
            each group of objects scaled features (N, L, F), float32, 0 where missing or absent,
            and where there is an object (N, L), bool.
        """
        import torch

        parts = [scaled(self.scales, arrays.continuous), np.isnan(arrays.continuous)]
        parts.append(self._codes(arrays.categorical))
        for group, scales in zip(self.spec.objects, self.object_scales, strict=True):
            held = arrays.objects[group.name]
            parts.append(scaled(scales, _flat(held.values)).reshape(held.values.shape))
            parts.append(held.present)
        return tuple(torch.from_numpy(np.ascontiguousarray(part)) for part in parts)

    def matrix(self, arrays: FeatureArrays) -> NDArray[np.float64]:
        """What trees take: physical values in one row an event, with shape (N, C + K + sum L*F).

        Categorical features are their codes; NaN stands for what is missing or absent, and for a
        kind that training did not see.
        """
        codes = self._codes(arrays.categorical).astype(np.float64)
        codes[codes == 0] = np.nan
        parts: list[NDArray[Any]] = [arrays.continuous, codes, *slots(self.spec, arrays)]
        return np.concatenate(parts, axis=1, dtype=np.float64)

    @property
    def matrix_names(self) -> tuple[str, ...]:
        """Name of each column of `matrix`; of objects `<feature>_<number>`."""
        flat = (*self.spec.continuous, *self.spec.categorical)
        return (*(feature.name for feature in flat), *slot_names(self.spec))

    @property
    def matrix_categories(self) -> tuple[int, ...]:
        """Which columns of `matrix` are codes."""
        first = len(self.scales)
        return tuple(range(first, first + len(self.codes)))

    def _codes(self, categorical: NDArray[np.int64]) -> NDArray[np.int64]:
        found = np.zeros(categorical.shape, dtype=np.int64)
        for column, values in enumerate(self.codes):
            if values:
                known, asked = np.array(values), categorical[:, column]
                at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
                found[:, column] = np.where(known[at] == asked, at + 1, 0)
        return found

    def as_json(self) -> dict[str, Any]:
        """The scales and codes as JSON values, from which they come back to the last bit."""
        return {
            "spec": self.spec.as_json(),
            "scales": [asdict(scale) for scale in self.scales],
            "codes": [list(values) for values in self.codes],
            "object_scales": [[asdict(scale) for scale in group] for group in self.object_scales],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Preprocess:
        """Rebuild from `as_json()`."""
        return cls(
            FeatureSpec.from_json(data["spec"]),
            tuple(FeatureScale(**item) for item in data["scales"]),
            tuple(tuple(values) for values in data["codes"]),
            tuple(tuple(FeatureScale(**item) for item in group) for group in data["object_scales"]),
        )


def slots(spec: FeatureSpec, arrays: FeatureArrays) -> list[NDArray[np.float32]]:
    """Objects in one row an event, object after object, with shape (N, L*F) for each group."""
    held = (arrays.objects[group.name].values for group in spec.objects)
    return [values.reshape(len(values), values.shape[1] * values.shape[2]) for values in held]


def slot_names(spec: FeatureSpec) -> Iterator[str]:
    """Names of the columns of `slots`: `<feature>_<number>`."""
    for group in spec.objects:
        for number in range(group.length):
            yield from (f"{feature.name}_{number}" for feature in group.features)


def _fitted(features: Sequence[Feature], values: NDArray[np.float32]) -> tuple[FeatureScale, ...]:
    columns = (values[:, column] for column in range(len(features)))
    return tuple(
        FeatureScale.of_training(feature.name, column)
        for feature, column in zip(features, columns, strict=True)
    )


def _values(column: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(value) for value in np.unique(column) if value != MISSING)


def _flat(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features of objects with one row an object, with shape (N * L, F)."""
    return values.reshape(-1, values.shape[-1])


def scaled(scales: Sequence[FeatureScale], values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scaled values, within the reach of the scales, 0 where missing.

    Args:
        scales: Scale of each feature.
        values: With shape (N, F); NaN where missing.
    """
    found = np.empty(values.shape, dtype=np.float32)
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        for column, scale in enumerate(scales):
            own = block[:, column].astype(np.float64)
            there = ~np.isnan(own)
            found[start : start + BLOCK, column] = np.where(there, scale.bounded(own), 0.0)
    return found
