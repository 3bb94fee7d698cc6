"""Weights in Keras's layout: there and back, out of both its files, and refused where wrong."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import cast

import h5py
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from quarkline.engine.core.findings import InputError
from quarkline.learning.features.geometry import Geometry
from quarkline.learning.models.config import StreamConfig, StreamNetworkConfig
from quarkline.learning.models.keras_layers import (
    Weights,
    keras_weights,
    load_keras_weights,
    read_keras_weights,
)
from quarkline.learning.models.networks import build_network
from quarkline.learning.models.streams import StreamNetwork

GROUPS = ("cells", "tracks")
CONFIG = StreamNetworkConfig(
    streams=(
        StreamConfig(filters=(4, 3, 2), nodes=2, layers=2),
        StreamConfig(filters=(3,), nodes=1),
    ),
    hidden=(5,),
    absent="zeros",
)


def network(seed: int) -> StreamNetwork:
    geometry = Geometry(2, (), ((4, 3), (3, 2)))
    return cast("StreamNetwork", build_network(CONFIG, geometry, 3, seed=seed).eval())


def weights(seed: int = 1) -> dict[str, np.ndarray]:
    return keras_weights(network(seed), GROUPS)


def test_layers_have_the_names_and_shapes_of_keras() -> None:
    shapes = {name: array.shape for name, array in weights().items() if "bias" not in name}
    assert shapes == {
        "conv1d/kernel": (1, 3, 4),
        "conv1d_1/kernel": (1, 4, 3),
        "cells_final_conv1d/kernel": (1, 3, 2),
        "lstm/kernel": (2, 8),
        "lstm/recurrent_kernel": (2, 8),
        "lstm_1/kernel": (2, 8),
        "lstm_1/recurrent_kernel": (2, 8),
        "tracks_final_conv1d/kernel": (1, 2, 3),
        "lstm_2/kernel": (3, 4),
        "lstm_2/recurrent_kernel": (1, 4),
        "dense_1/kernel": (5, 5),
        "main_output/kernel": (5, 3),
    }


def test_weights_come_back() -> None:
    other = network(2)
    load_keras_weights(other, GROUPS, weights(1))
    state, expected = other.state_dict(), network(1).state_dict()
    assert all(torch.equal(state[name], value) for name, value in expected.items())


def test_weights_are_read_from_hdf5_and_from_an_archive(tmp_path: Path) -> None:
    """As Keras 2.13 lays them out: by name, and numbered in the order of the layers."""
    held = weights()
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        for name, array in held.items():
            layer, _, part = name.partition("/")
            cell = "/lstm_cell" if layer.startswith("lstm") else ""
            file[f"{layer}/{layer}{cell}/{part}:0"] = array
    layers, numbers = [], {"Conv1D": 0, "LSTM": 0, "Dense": 0}
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        for layer in dict.fromkeys(name.partition("/")[0] for name in held):
            kind = "Conv1D" if "conv" in layer else "LSTM" if "lstm" in layer else "Dense"
            layers.append({"class_name": kind, "config": {"name": layer}})
            number = f"_{2 * numbers[kind]}" if numbers[kind] else ""
            numbers[kind] += 1
            parts = ["kernel", "recurrent_kernel", "bias"] if kind == "LSTM" else ["kernel", "bias"]
            folder = f"{kind.lower()}{number}/{'cell/' if kind == 'LSTM' else ''}vars"
            for place, part in enumerate(parts):
                file[f"_layer_checkpoint_dependencies/{folder}/{place}"] = held[f"{layer}/{part}"]
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": layers}}))
        archive.write(tmp_path / "model.weights.h5", "model.weights.h5")
    for name in ("weights.h5", "model.keras"):
        found = read_keras_weights(tmp_path / name)
        assert found.keys() == held.keys()
        assert all(np.array_equal(found[key], array) for key, array in held.items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lstm/bias": None}, "`lstm/bias` is missing"),
        ({"lstm_9/bias": np.zeros(4)}, "`lstm_9/bias` is of no layer"),
        (
            {"dense_1/kernel": np.zeros((5, 6))},
            r"`dense_1/kernel` has shape \(5, 6\), not \(5, 5\)",
        ),
        ({"main_output/bias": np.array([0, np.nan, 0])}, "`main_output/bias` is not finite"),
    ],
    ids=["missing", "left-over", "shape", "nan"],
)
def test_weights_of_another_network_are_refused(change: Weights, message: str) -> None:
    held = {name: array for name, array in (weights() | dict(change)).items() if array is not None}
    module = network(2)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with pytest.raises(InputError, match=message):
        load_keras_weights(module, GROUPS, held)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("weights")
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr("config.json", "{}")
    for name in ("text", "archive", "absent"):
        with pytest.raises(InputError, match="cannot be read as Keras's"):
            read_keras_weights(tmp_path / name)
