"""The selected pairs as arrays, as every later stage reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.events.table import read_table

Floats = NDArray[np.float64]
Interval = tuple[float, float]

MASS = "dimu_mass"
SAME_SIGN = "same_sign"
CONTROL = "control"

SIGN_NAMES = {
    "opposite": ("opposite sign", "same sign"),
    "same": ("same sign", "opposite sign"),
}
"""The sign that is searched, and its control."""


@dataclass(frozen=True)
class Pairs:
    """N pairs.

    Attributes:
        mass: In GeV, with shape (N,).
        features: With shape (N, F).
        group: Group of the event, with shape (N,).
        control: Whether the pair is of the sign that is not searched, with shape (N,).
        window: The signal region [low, high) in GeV.
    """

    mass: Floats
    features: Floats
    group: NDArray[np.uint64]
    control: NDArray[np.bool_]
    window: Interval

    def __len__(self) -> int:
        return len(self.mass)

    def __getitem__(self, chosen: Any) -> Pairs:
        return Pairs(
            self.mass[chosen],
            self.features[chosen],
            self.group[chosen],
            self.control[chosen],
            self.window,
        )

    @property
    def in_window(self) -> NDArray[np.bool_]:
        """Which pairs lie in the signal region."""
        return (self.mass >= self.window[0]) & (self.mass < self.window[1])

    def searched(self) -> Pairs:
        """The pairs that are searched."""
        return self[~self.control]


def read_pairs(path: Path, features: Sequence[str], window: Interval) -> Pairs:
    """Read the table of stage `select`."""
    columns = dict.fromkeys([MASS, CONTROL, "_group", *features])
    table = read_table(path, list(columns)).array
    return Pairs(
        mass=ak.to_numpy(table[MASS]),
        features=_side_by_side(table, features),
        group=ak.to_numpy(table["_group"]).view(np.uint64),
        control=ak.to_numpy(table[CONTROL]),
        window=window,
    )


def read_features(path: Path, features: Sequence[str]) -> Floats:
    """The features of a table of generated events, with shape (N, F)."""
    return _side_by_side(read_table(path, list(features)).array, features)


def read_masses(path: Path) -> Floats:
    """The masses of a table of generated events in GeV, with shape (N,)."""
    return np.asarray(ak.to_numpy(read_table(path, [MASS]).array[MASS]), dtype=np.float64)


def _side_by_side(table: ak.Array, features: Sequence[str]) -> Floats:
    columns = [ak.to_numpy(table[name]) for name in features]
    return np.stack(columns, axis=1).astype(np.float64, copy=False)
