"""The NumPy set against lq-asym's recipe, written plainly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from quarkline.events.sources import open_source
from quarkline.learning.export.numpy_set import EventColumns, write_numpy_set
from quarkline.learning.features.arrays import MISSING, FeatureArrays
from quarkline.learning.features.reader import FeatureReader
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup

SLOTS = 6


def features(*names: str, missing: tuple[float, ...] = ()) -> tuple[Feature, ...]:
    return tuple(Feature(name, name, missing) for name in names)


def columns(number: int, label: np.ndarray | None = None) -> EventColumns:
    return EventColumns(
        np.zeros(number, np.int64) if label is None else label,
        np.linspace(-1, 2, number),
        np.arange(number) % 3 == 0,
        np.arange(number, dtype=np.uint64) + 10**15,
    )


def load(folder: Path) -> dict[str, Any]:
    return {path.stem: np.load(path, allow_pickle=False) for path in folder.glob("*.npy")}


def test_the_set_is_what_the_published_recipe_means(data_folder: Path, tmp_path: Path) -> None:
    scalars = ("HT", "tau_Pt_0", "lep_Pt_0", "lep_nTrackParticles_0", "xs")
    kinds = ("lep_ID_0", "total_charge")
    jets = ("jets_pt", "jets_eta")
    group = ObjectGroup("jets", SLOTS, features(*jets))
    spec = FeatureSpec(
        (*features(*scalars[:3], missing=(-99,)), *features(scalars[3], "xs", missing=(-1,))),
        features(*kinds),
        (group,),
    )
    path = data_folder / "lq_ntuples" / "mc20a" / "p6266" / "545824.root"
    with open_source(path, tree="nominal") as source:
        reader = FeatureReader.of(spec, source.schema)
        table = source.read(sorted(reader.columns))
    number = len(table)
    arrays = reader.arrays(table)
    write_numpy_set(tmp_path, spec, arrays, columns(number), ["lq"])
    found = load(tmp_path)

    # The recipe: pad the jets, mark what is missing as NaN (there the mask was dropped and the
    # list of invalid values always empty: the two mistakes), standardise, drop what is constant.
    plain: dict[str, np.ndarray] = {}
    for name in scalars:
        values = np.asarray(table[name], dtype=float)
        values[values == (-1 if name in scalars[3:] else -99)] = np.nan
        plain[name] = values
    for name in jets:
        padded = ak.fill_none(ak.pad_none(table[name], SLOTS, clip=True), np.nan)
        for slot in range(SLOTS):
            plain[f"{name}_{slot}"] = np.asarray(padded[:, slot], dtype=float)
    plain.pop("xs")  # the same in all events of one file
    assert sorted(found["x_names_continuous"]) == sorted(plain)
    assert np.isnan(found["x_continuous"]).any()
    for column, name in enumerate(found["x_names_continuous"]):
        values = plain[name]
        mean, deviation = np.nanmean(values), np.nanstd(values)
        assert found["mean"][column] == pytest.approx(mean)
        assert found["std"][column] == pytest.approx(deviation)
        standardised = (values - mean) / deviation
        np.testing.assert_allclose(found["x_continuous"][:, column], standardised, atol=1e-5)
    told = json.loads((tmp_path / "map_categorical.json").read_text())
    for column, name in enumerate(kinds):
        occurring = sorted(set(np.asarray(table[name]).astype(int).tolist()))
        expected = [occurring.index(int(value)) for value in table[name]]
        assert found["x_categorical"][:, column].tolist() == expected
        assert told[name] == {str(i): f"{name}={value}" for i, value in enumerate(occurring)}


def test_types_and_shapes_are_those_that_notebooks_expect(tmp_path: Path) -> None:
    spec = FeatureSpec(features("x", "same"), features("kind"))
    arrays = FeatureArrays(
        np.array([[1, 5], [np.nan, 5], [3, 5]], dtype=np.float32),
        np.array([[4], [MISSING], [-2]]),
    )
    label = np.array([1, 0, 1])
    files = write_numpy_set(tmp_path, spec, arrays, columns(3, label), ["signal", "t#bar{t}H"])
    found = load(tmp_path)
    assert {path.name for path in files} == {f"{name}.npy" for name in found} | {
        "map_categorical.json"
    }
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in files}
    np.testing.assert_array_equal(found["x_continuous"], np.array([[-1], [np.nan], [1]]))
    assert found["x_continuous"].dtype == np.float32
    assert found["x_categorical"].tolist() == [[2], [0], [1]]
    assert json.loads((tmp_path / "map_categorical.json").read_text()) == {
        "kind": {"0": "kind=missing", "1": "kind=-2", "2": "kind=4"}
    }
    assert found["y"].tolist() == [1, 0, 1]
    assert found["w"].tolist() == [-1, 0.5, 2]
    assert found["selected"].dtype == bool
    assert found["event_numbers"].tolist() == [10**15, 10**15 + 1, 10**15 + 2]
    assert found["y_names"].tolist() == ["signal", "t#bar{t}H"]
    assert (found["mean"].tolist(), found["std"].tolist()) == ([2], [1])


@pytest.mark.parametrize(
    ("number", "label", "message"),
    [(2, [0, 0], "3 events"), (3, [0, 1, 2], "labels from 0 to 2 of 2 classes")],
    ids=["length", "label"],
)
def test_columns_that_do_not_belong_to_the_events_are_refused(
    tmp_path: Path, number: int, label: list[int], message: str
) -> None:
    arrays = FeatureArrays(np.zeros((3, 1), np.float32), np.empty((3, 0), np.int64))
    with pytest.raises(ValueError, match=message):
        write_numpy_set(
            tmp_path, FeatureSpec(features("x")), arrays, columns(number, np.array(label)), "ab"
        )
    assert not list(tmp_path.iterdir())
