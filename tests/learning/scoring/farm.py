"""Small ntuples that the models of the tests can read, and a model in a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.events.sinks import open_sink
from quarkline.learning.features.arrays import MISSING, FeatureArrays, Objects
from quarkline.learning.models.folded import FoldedModel

TREE = "nominal"


def events(count: int, seed: int = 1) -> dict[str, Any]:
    """Columns of some simulated events, each of which passed the detector about three times."""
    draw = np.random.default_rng(seed)
    number = draw.integers(0, 5, count)
    return {
        "eventNumber": draw.permutation(count).astype(np.uint64) + np.uint64(1000 * seed),
        "mcChannelNumber": np.full(count, 545824, np.int32),
        "genEventID": draw.integers(0, count // 3 + 1, count).astype(np.int32),
        "HT": draw.lognormal(11, 1, count).astype(np.float32),
        "met_met": np.where(draw.random(count) < 0.1, -99, 5e4).astype(np.float32),
        "total_charge": draw.choice([-2, 0, 2], count).astype(np.int32),
        "lep_ID_0": draw.choice([-11.0, 13.0], count).astype(np.float32),
        "jets_pt": ak.unflatten(draw.lognormal(10, 1, number.sum()).astype(np.float32), number),
        "jets_eta": ak.unflatten(draw.normal(size=number.sum()).astype(np.float32), number),
    }


def write(path: Path, columns: dict[str, Any], *, tree: str = TREE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_sink(path, tree=tree) as sink:
        sink.write(ak.Array(columns) if len(columns["HT"]) else _empty(columns))
    return path


def _empty(columns: dict[str, Any]) -> ak.Array:
    return ak.Array({name: values[:0] for name, values in columns.items()})


def without(columns: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: values for name, values in columns.items() if name not in names}


def features(columns: dict[str, Any]) -> FeatureArrays:
    """The features of `tests.learning.models.conftest.SPEC`, event by event."""
    count = len(columns["HT"])
    met = columns["met_met"].astype(np.float32)
    met[met == -99] = np.nan
    values = np.full((count, 3, 2), np.nan, np.float32)
    present = np.zeros((count, 3), bool)
    for index in range(count):
        for number in range(min(3, len(columns["jets_pt"][index]))):
            values[index, number] = [
                columns[name][index][number] for name in ("jets_pt", "jets_eta")
            ]
            present[index, number] = True
    kinds = np.stack([columns["total_charge"], np.abs(columns["lep_ID_0"])], axis=1)
    return FeatureArrays(
        np.stack([columns["HT"], met], axis=1),
        np.where(np.isnan(kinds), MISSING, kinds).astype(np.int64),
        {"jets": Objects(values, present)},
    )


def as_data(columns: dict[str, Any]) -> dict[str, Any]:
    """The same events as data have them: without truth, and of no simulated dataset."""
    channel = np.zeros_like(columns["mcChannelNumber"])
    return without(columns, "genEventID") | {"mcChannelNumber": channel}


def fold(columns: dict[str, Any], model: FoldedModel) -> NDArray[np.int64]:
    """The fold of each event, by its definition; columns without `genEventID` are data."""
    rows, last = [], "genEventID" if "genEventID" in columns else "eventNumber"
    for channel, number in zip(columns["mcChannelNumber"], columns[last], strict=True):
        text = b"".join(
            int(x).to_bytes(8, "little", signed=True) for x in (model.seed, channel, number)
        )
        rows.append(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little"))
    return np.array([row % model.folds for row in rows])


def expected(columns: dict[str, Any], model: FoldedModel) -> NDArray[Any]:
    """Probabilities (N, classes), one event at a time, from the model of its fold."""
    own, arrays, rows = fold(columns, model), features(columns), []
    for index in range(len(arrays)):
        members = model.members[own[index]]
        one = [member.probabilities(arrays[index : index + 1])[0] for member in members]
        rows.append(np.mean(one, axis=0))
    return np.array(rows)
