"""Arrays that are written in parts are ordinary arrays, whatever the parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.store.npy import NpyWriter, load_mapped


@pytest.mark.parametrize("cuts", [[], [3], [1, 2, 900]])
def test_parts_give_the_bytes_of_the_whole(tmp_path: Path, cuts: list[int]) -> None:
    whole = np.random.default_rng(1).normal(size=(1000, 3)).astype(np.float32)
    with NpyWriter(tmp_path / "parts.npy", np.float32, (3,)) as writer:
        for part in np.split(whole, cuts):
            writer.append(part)
    np.save(tmp_path / "whole.npy", whole)
    assert (tmp_path / "parts.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
    mapped = load_mapped(tmp_path / "parts.npy")
    assert isinstance(mapped, np.memmap)
    assert np.array_equal(mapped, whole)


def test_nothing_is_an_array_too(tmp_path: Path) -> None:
    with NpyWriter(tmp_path / "none.npy", np.int64, (2,)):
        pass
    assert load_mapped(tmp_path / "none.npy").shape == (0, 2)


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    with (
        NpyWriter(tmp_path / "x.npy", np.int64, (2,)) as writer,
        pytest.raises(ValueError, match="instead of"),
    ):
        writer.append(np.zeros((4, 3)))


def test_what_is_no_array_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="pickle"):
        load_mapped(tmp_path / "x.npy")
