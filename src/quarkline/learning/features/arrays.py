"""Events as a model's inputs before any scaling: physical values in rectangular arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = np.iinfo(np.int64).min
"""The categorical value of an event that has none."""


@dataclass(frozen=True)
class Objects:
    """Up to L objects of one kind in each of N events, such as jets.

    Attributes:
        values: With shape (N, L, F), float32; NaN where missing, and where there is no object.
        present: Which places hold an object, with shape (N, L).
    """

    values: NDArray[np.float32]
    present: NDArray[np.bool_]

    def __getitem__(self, rows: Any) -> Objects:
        return Objects(self.values[rows], self.present[rows])


@dataclass(frozen=True)
class FeatureArrays:
    """Features of N events.

    Attributes:
        continuous: With shape (N, C), float32; NaN where missing.
        categorical: With shape (N, K), int64; `MISSING` where missing.
        objects: Objects by the name of their group.
    """

    continuous: NDArray[np.float32]
    categorical: NDArray[np.int64]
    objects: Mapping[str, Objects] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.continuous)

    def __getitem__(self, rows: Any) -> FeatureArrays:
        """The features of some events, by mask, index or slice."""
        objects = {name: group[rows] for name, group in self.objects.items()}
        return FeatureArrays(self.continuous[rows], self.categorical[rows], objects)

    @classmethod
    def concatenated(cls, parts: Sequence[FeatureArrays]) -> FeatureArrays:
        """The events of several parts, one after the other.

        Args:
            parts: At least one; all of the same features.
        """
        groups = parts[0].objects
        return cls(
            np.concatenate([part.continuous for part in parts]),
            np.concatenate([part.categorical for part in parts]),
            {
                name: Objects(
                    np.concatenate([part.objects[name].values for part in parts]),
                    np.concatenate([part.objects[name].present for part in parts]),
                )
                for name in groups
            },
        )
