"""Features read from events: values, what is missing, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.expressions import Batch, Entries
from quarkline.events.schema import Column, Schema
from quarkline.events.sources import open_source
from quarkline.learning.features.arrays import MISSING, FeatureArrays
from quarkline.learning.features.reader import FeatureReader
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup

TYPES = {
    "pt": "float32",
    "mass": "float64",
    "flag": "int8",
    "passed": "bool",
    "count": "uint32",
    "code": "float32",
}
LISTS = {"jets_pt": "float32", "jets_eta": "float64", "taus_pt": "float32"}
SCHEMA = Schema(
    {name: Column(name, dtype) for name, dtype in TYPES.items()}
    | {name: Column(name, dtype, depth=1) for name, dtype in LISTS.items()}
    | {"cells": Column("cells", "float32", depth=2), "label": Column("label", "string")},
    entries=4,
)


def table() -> dict[str, Any]:
    return {
        "pt": np.array([10.5, -99, np.nan, np.inf], dtype=np.float32),
        "mass": np.array([91.2, 1e300, -999.9, 80.4]),
        "flag": np.array([0, 1, -99, 1], dtype=np.int8),
        "passed": np.array([True, False, True, True]),
        "count": np.array([3, 0, 1, 7], dtype=np.uint32),
        "code": np.array([11, -13, -99, 11], dtype=np.float32),
        "jets_pt": ak.values_astype(ak.Array([[3, 2, 1], [], [5], [9, -99]]), np.float32),
        "jets_eta": ak.Array([[0.3, 0.2, 0.1], [], [0.5], [np.inf, 0.8]]),
        "taus_pt": ak.values_astype(ak.Array([[3, 2, 1], [], [5, 6], [9, 8]]), np.float32),
    }


def features(*made: str | tuple[str, str], missing: tuple[float, ...] = ()) -> tuple[Feature, ...]:
    pairs = [(item, item) if isinstance(item, str) else item for item in made]
    return tuple(Feature(name, text, missing) for name, text in pairs)


def read(spec: FeatureSpec, columns: dict[str, Any] | None = None) -> FeatureArrays:
    return FeatureReader.of(spec, SCHEMA).arrays(columns or table())


def refusal(spec: FeatureSpec, **replaced: str) -> str:
    with pytest.raises(InputError) as caught:
        FeatureReader.of(spec, SCHEMA, replaced=replaced).arrays(table())
    return str(caught.value)


def equal(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(found, np.asarray(expected, dtype=np.float32))


def test_every_type_of_column_is_a_number() -> None:
    spec = FeatureSpec(features("flag", "passed", "count", ("half", "count / 2")))
    found = read(spec).continuous
    assert found.dtype == np.float32
    equal(found.T, [[0, 1, -99, 1], [1, 0, 1, 1], [3, 0, 1, 7], [1.5, 0, 0.5, 3.5]])


def test_values_that_stand_for_none_are_missing_and_infinite_ones_are_counted() -> None:
    spec = FeatureSpec(features("pt", "mass", "flag", missing=(-99.0, -999.9)))
    reader = FeatureReader.of(spec, SCHEMA)
    none = np.nan
    found = reader.arrays(table()).continuous.T
    equal(found, [[10.5, none, none, none], [91.2, none, none, 80.4], [0, 1, none, 1]])
    assert reader.infinities == {"pt": 1, "mass": 1}  # 1e300 is none for float32
    reader.arrays(table())
    assert reader.infinities == {"pt": 2, "mass": 2}


def test_a_value_is_compared_in_the_type_of_its_column() -> None:
    marker = -999.9  # no float32 is equal to it
    columns = table() | {"pt": np.array([1, marker, 2, marker], dtype=np.float32)}
    spec = FeatureSpec(features("pt", "mass", ("tenth", "pt / 10"), missing=(marker,)))
    found = read(spec, columns).continuous
    assert np.isnan(found).T.tolist() == [
        [False, True, False, True],
        [False, True, True, False],  # 1e300 is too large, -999.9 stands for none
        [False, True, False, True],
    ]


def test_arithmetic_with_a_missing_value_is_missing_and_asking_for_it_is_not() -> None:
    made = features(
        ("scaled", "pt / 1e3 + count"),
        ("rooted", "sqrt(abs(pt))"),
        ("asked", "pt != -99"),
        ("chosen", "pt != -99 ? pt : -1"),
        ("counted", "Sum$(jets_pt > 0)"),
        ("second", "jets_pt[1]"),
        missing=(-99.0,),
    )
    none = np.nan
    found = read(FeatureSpec(made)).continuous.T
    equal(found[0], [np.float32(10.5 / 1e3 + 3), none, none, none])
    equal(found[1], [np.sqrt(10.5), none, none, none])
    equal(found[2], [1, 0, 1, 1])
    equal(found[3], [10.5, -1, none, none])
    equal(found[4], [3, 0, 1, 1])
    equal(found[5], [2, none, none, none])


def test_kinds_are_whole_numbers_of_any_type() -> None:
    spec = FeatureSpec((), features("code", "flag", "passed", missing=(-99.0,)))
    found = read(spec).categorical
    assert found.dtype == np.int64
    assert found.T.tolist() == [[11, -13, MISSING, 11], [0, 1, MISSING, 1], [1, 0, 1, 1]]


def test_a_kind_that_is_no_whole_number_is_refused_with_its_entry() -> None:
    reader = FeatureReader.of(FeatureSpec((), features("code")), SCHEMA)
    columns = {"code": np.array([11, 12.5, 11], dtype=np.float32)}
    with pytest.raises(InputError, match=r"`code` is 12\.5 in entry 1001"):
        reader.arrays(Batch(columns, Entries(1000, 5000)))


def test_infinite_kinds_are_missing_and_counted() -> None:
    reader = FeatureReader.of(FeatureSpec((), features("code")), SCHEMA)
    found = reader.arrays({"code": np.array([11, np.inf, np.nan], dtype=np.float32)})
    assert found.categorical.ravel().tolist() == [11, MISSING, MISSING]
    assert reader.infinities == {"code": 1}


def test_objects_are_filled_up_and_cut_off() -> None:
    group = ObjectGroup("jets", 2, features("jets_pt", ("eta", "jets_eta"), missing=(-99.0,)))
    reader = FeatureReader.of(FeatureSpec((), (), (group,)), SCHEMA)
    jets = reader.arrays(table()).objects["jets"]
    none = np.nan
    assert jets.present.tolist() == [[True, True], [False, False], [True, False], [True, True]]
    equal(jets.values[..., 0], [[3, 2], [none, none], [5, none], [9, none]])
    equal(jets.values[..., 1], [[0.3, 0.2], [none, none], [0.5, none], [none, 0.8]])
    assert reader.infinities == {"eta": 1}


def test_features_of_one_object_that_differ_in_number_are_refused_with_the_event() -> None:
    spec = FeatureSpec((), (), (ObjectGroup("jets", 2, features("jets_pt", "taus_pt")),))
    assert "row 2 has 1 values of `jets_pt` and 2 of `taus_pt`" in refusal(spec)
    with pytest.raises(InputError, match="entry 72 has 1 values"):
        FeatureReader.of(spec, SCHEMA).arrays(Batch(table(), Entries(70, 90)))


def test_no_events_give_no_rows() -> None:
    group = ObjectGroup("jets", 2, features("jets_pt"))
    spec = FeatureSpec(features("pt", ("x", "pt / 2"), missing=(-99,)), features("code"), (group,))
    reader = FeatureReader.of(spec, SCHEMA, replaced={"pt": "2 * pt", "jets_pt": "2 * jets_pt"})
    found = reader.arrays({name: column[:0] for name, column in table().items()})
    shapes = (found.continuous.shape, found.categorical.shape, found.objects["jets"].values.shape)
    assert shapes == ((0, 2), (0, 1), (0, 2, 1))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (FeatureSpec(features("ptt", "jets_p")), "did you mean `pt`"),
        (FeatureSpec(features("ptt", "jets_p")), "did you mean `jets_pt`"),
        (FeatureSpec(features("jets_pt")), "feature `jets_pt` has several values an event"),
        (FeatureSpec(features("jets_pt")), "`jets_pt_0: jets_pt[0]`"),
        (FeatureSpec((), features("jets_pt")), "has several values an event"),
        (FeatureSpec(features("label")), "text"),
        (FeatureSpec((), (), (ObjectGroup("a", 2, features("pt")),)), "a single value an event"),
        (FeatureSpec((), (), (ObjectGroup("a", 2, features("cells")),)), "lists of values"),
        (FeatureSpec(features(("x", "pt +"))), "feature `x`"),
        (FeatureSpec(features("Entry$")), "entry number"),
    ],
    ids=str,
)
def test_features_that_do_not_fit_the_table_are_refused(spec: FeatureSpec, message: str) -> None:
    assert message in refusal(spec)


def test_the_columns_are_those_that_are_read() -> None:
    group = ObjectGroup("jets", 2, features("jets_pt"))
    spec = FeatureSpec(features(("x", "pt / mass")), features("code"), (group,))
    assert FeatureReader.of(spec, SCHEMA).columns == {"pt", "mass", "code", "jets_pt"}
    shifted = FeatureReader.of(spec, SCHEMA, replaced={"pt": "pt * count", "flag": "flag + 1"})
    assert shifted.columns == {"pt", "mass", "code", "jets_pt", "count"}


def test_replaced_columns_see_the_original_ones_and_keep_what_is_missing() -> None:
    group = ObjectGroup("jets", 3, features("jets_pt", missing=(-99.0,)))
    made = features("pt", ("twice", "2 * pt"), ("leading", "Max$(jets_pt)"), missing=(-99.0,))
    replaced = {"pt": "pt * 1.5", "count": "count + pt", "jets_pt": "jets_pt * count"}
    spec = FeatureSpec((*made, *features("count")), (), (group,))
    columns = table() | {"pt": np.array([10.5, -99, 2, 4], dtype=np.float32)}
    found = FeatureReader.of(spec, SCHEMA, replaced=replaced).arrays(columns)
    none = np.nan
    equal(found.continuous[:, 0], [15.75, none, 3, 6])
    equal(found.continuous[:, 1], [31.5, none, 6, 12])
    equal(found.continuous[:, 2], [9, 0, 5, 63])
    equal(found.continuous[:, 3], [13.5, -99, 3, 11])
    equal(
        found.objects["jets"].values[..., 0],
        [[9, 6, 3], [none] * 3, [5, none, none], [63, none, none]],
    )


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"ptt": "pt"}, "did you mean `pt`"),
        ({"pt": "ppt * 2"}, "replacement of `pt`"),
        ({"pt": "jets_pt"}, "several values an event in place of one value an event"),
        ({"jets_pt": "pt"}, "one value an event in place of several values an event"),
        (
            {"jets_pt": "taus_pt"},
            "has 2 values in row 2, and `jets_pt`, which it replaces, has 1",
        ),
    ],
    ids=str,
)
def test_replacements_of_another_form_are_refused(replaced: dict[str, str], message: str) -> None:
    group = ObjectGroup("jets", 3, features("jets_pt"))
    assert message in refusal(FeatureSpec(features("pt"), (), (group,)), **replaced)


def test_replacing_a_column_by_itself_changes_nothing() -> None:
    group = ObjectGroup("jets", 3, features("jets_pt", missing=(-99.0,)))
    spec = FeatureSpec(features("pt", "flag", missing=(-99.0,)), features("code"), (group,))
    same = {name: name for name in ("pt", "flag", "code", "jets_pt")}
    alike(FeatureReader.of(spec, SCHEMA, replaced=same).arrays(table()), read(spec))


def alike(one: FeatureArrays, other: FeatureArrays) -> None:
    np.testing.assert_array_equal(one.continuous, other.continuous)
    np.testing.assert_array_equal(one.categorical, other.categorical)
    for name, group in one.objects.items():
        np.testing.assert_array_equal(group.values, other.objects[name].values)
        np.testing.assert_array_equal(group.present, other.objects[name].present)


def test_a_real_file_gives_what_a_plain_loop_gives_whatever_the_chunks(data_folder: Path) -> None:
    path = data_folder / "lq_ntuples" / "mc20a" / "p6266" / "545824.root"
    group = ObjectGroup("jets", 3, features("jets_pt", "jets_e"))
    numbers = features("HT", "tau_Pt_0", ("scale", "lep_Pt_0 / 1e3"), missing=(-99.0,))
    spec = FeatureSpec(numbers, features("lep_ID_0", "taus_fromPV_0"), (group,))
    with open_source(path, tree="nominal") as source:
        reader = FeatureReader.of(spec, source.schema)
        names = sorted(reader.columns)
        whole = reader.arrays(source.read(names))
        chunks = [reader.arrays(chunk.array) for chunk in source.chunks(names, step=300)]
        events = source.read(names).to_list()
    alike(FeatureArrays.concatenated(chunks), whole)
    for row, event in enumerate(events):
        tau = event["tau_Pt_0"]
        expected = [event["HT"], np.nan if tau == -99 else tau, event["lep_Pt_0"] / 1e3]
        equal(whole.continuous[row], expected)
        assert whole.categorical[row].tolist() == [event["lep_ID_0"], event["taus_fromPV_0"]]
        for slot in range(3):
            there = slot < len(event["jets_pt"])
            assert whole.objects["jets"].present[row, slot] == there
            values = [event[name][slot] if there else np.nan for name in ("jets_pt", "jets_e")]
            equal(whole.objects["jets"].values[row, slot], values)
