"""Ragged objects say what padded arrays say."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.learning.features.arrays import Objects
from quarkline.learning.features.ragged import RaggedObjects

COUNTS = np.array([0, 3, 1, 0, 5, 2])


@pytest.fixture
def objects() -> RaggedObjects:
    values = np.random.default_rng(3).normal(size=(COUNTS.sum(), 4)).astype(np.float32)
    return RaggedObjects.of(values, COUNTS)


def by_loop(objects: RaggedObjects, rows: list[int], length: int) -> Objects:
    values = np.full((len(rows), length, 4), np.nan, np.float32)
    present = np.zeros((len(rows), length), bool)
    for place, row in enumerate(rows):
        own = objects.values[objects.offsets[row] : objects.offsets[row + 1]]
        for number, item in enumerate(own[:length]):
            values[place, number], present[place, number] = item, True
    return Objects(values, present)


@pytest.mark.parametrize("length", [1, 3, 5, 8])
@pytest.mark.parametrize(
    "rows", [slice(None), slice(1, 5), slice(None, None, 2), np.array([4, 0, 4, 1])]
)
def test_padding_is_what_a_loop_gives(
    objects: RaggedObjects, rows: slice | np.ndarray, length: int
) -> None:
    expected = by_loop(objects, list(np.arange(len(objects))[rows]), length)
    for found in (objects.padded(rows, length), objects[rows].padded(slice(None), length)):
        assert np.array_equal(found.values, expected.values, equal_nan=True)
        assert np.array_equal(found.present, expected.present)


def test_there_and_back(objects: RaggedObjects) -> None:
    again = RaggedObjects.from_padded(objects.padded(slice(None), 5))
    assert np.array_equal(again.values, objects.values)
    assert np.array_equal(again.offsets, objects.offsets)


def test_parts_make_the_whole(objects: RaggedObjects) -> None:
    parts = [objects[:0], objects[:2], objects[2:3], objects[3:]]
    again = RaggedObjects.concatenated(parts)
    assert np.array_equal(again.values, objects.values)
    assert np.array_equal(again.offsets, objects.offsets)


def test_a_mask_chooses(objects: RaggedObjects) -> None:
    mask = COUNTS > 1
    assert objects[mask].counts.tolist() == [3, 5, 2]
    assert np.array_equal(objects[mask].values, objects[np.flatnonzero(mask)].values)


def test_a_place_without_object_has_the_value_that_is_asked_for(objects: RaggedObjects) -> None:
    padded = objects.padded(np.array([0, 2]), 2, absent=0.0)
    assert (padded.values[~padded.present] == 0).all()
