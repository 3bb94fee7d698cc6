"""Features as the folder of NumPy arrays that lq-asym's notebooks read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.atomic import atomic_path, write_atomic
from quarkline.learning.features.arrays import MISSING, FeatureArrays
from quarkline.learning.features.preprocess import slot_names, slots
from quarkline.learning.features.spec import FeatureSpec


@dataclass(frozen=True)
class EventColumns:
    """What the set says of N events beside their features.

    Attributes:
        label: Index of the class, with shape (N,).
        weight: Weight with the luminosity in it, with shape (N,); of any sign.
        selected: Whether the event passes the selection, with shape (N,).
        event_number: With shape (N,), integers.
    """

    label: NDArray[np.int64]
    weight: NDArray[np.float64]
    selected: NDArray[np.bool_]
    event_number: NDArray[Any]


def write_numpy_set(
    folder: Path,
    spec: FeatureSpec,
    arrays: FeatureArrays,
    events: EventColumns,
    classes: Sequence[str],
) -> tuple[Path, ...]:
    """Write features and what belongs to them, one array a file.

    Continuous features are standardised over all events, objects among them as columns
    `<feature>_<number>`; NaN stays where a value is missing. Columns without two different values
    are left out. Kinds are numbered from 0 in rising order, where "missing" comes before all.

    Args:
        folder: Where the files go; it is made.
        spec: The features.
        arrays: The features of N events.
        events: Label, weight, selection and number of the N events.
        classes: Names of the classes.

    Returns:
        The files.

    Raises:
        ValueError: If the columns differ in length, or a label has no class.
    """
    _check(len(arrays), events, classes)
    names, columns = _columns(spec, arrays)
    mean, deviation = _moments(columns)
    kept = deviation > 0
    codes, kinds = _codes(spec, arrays)
    files: dict[str, ArrayLike] = {
        "x_continuous": ((columns[:, kept] - mean[kept]) / deviation[kept]).astype(np.float32),
        "x_categorical": codes,
        "y": events.label,
        "w": events.weight,
        "selected": events.selected,
        "event_numbers": events.event_number,
        "mean": mean[kept],
        "std": deviation[kept],
        "x_names_continuous": np.array(names, dtype=np.str_)[kept],
        "x_names_categorical": np.array(list(kinds), dtype=np.str_),
        "y_names": np.array(classes, dtype=np.str_),
    }
    written = [_save(folder / f"{name}.npy", array) for name, array in files.items()]
    return (*written, write_atomic(folder / "map_categorical.json", pretty_json(kinds)))


def _check(number: int, events: EventColumns, classes: Sequence[str]) -> None:
    lengths = {name: len(column) for name, column in vars(events).items()}
    if set(lengths.values()) != {number}:
        msg = f"{number} events, and columns of other lengths: {lengths}"
        raise ValueError(msg)
    if number and not 0 <= events.label.min() <= events.label.max() < len(classes):
        msg = f"labels from {events.label.min()} to {events.label.max()} of {len(classes)} classes"
        raise ValueError(msg)


def _columns(spec: FeatureSpec, arrays: FeatureArrays) -> tuple[list[str], NDArray[np.float32]]:
    names = [*(feature.name for feature in spec.continuous), *slot_names(spec)]
    return names, np.concatenate([arrays.continuous, *slots(spec, arrays)], axis=1)


def _moments(columns: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of the values there are; deviation 0 where no two differ."""
    mean, deviation = np.zeros(columns.shape[1]), np.zeros(columns.shape[1])
    for column, values in enumerate(columns.T):
        there = values[~np.isnan(values)].astype(np.float64)
        if there.size and there.min() < there.max():
            mean[column], deviation[column] = there.mean(), there.std()
    return mean, deviation


def _codes(
    spec: FeatureSpec, arrays: FeatureArrays
) -> tuple[NDArray[np.int64], Mapping[str, Mapping[int, str]]]:
    """Codes, with shape (N, K), and what they mean, by feature."""
    codes = np.empty_like(arrays.categorical, order="C")
    kinds: dict[str, dict[int, str]] = {}
    for column, feature in enumerate(spec.categorical):
        values, codes[:, column] = np.unique(arrays.categorical[:, column], return_inverse=True)
        shown = ("missing" if value == MISSING else str(value) for value in values)
        kinds[feature.name] = {code: f"{feature.name}={value}" for code, value in enumerate(shown)}
    return codes, kinds


def _save(path: Path, array: ArrayLike) -> Path:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.asarray(array), allow_pickle=False)
    return path
