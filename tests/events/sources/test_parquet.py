"""Parquet files of other makers: missing values, dictionaries, structs, damage."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.events.sources import open_source


def write_parquet(path: Path, columns: dict[str, object], **options: object) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def read(path: Path) -> ak.Array:
    with open_source(path) as source:
        return source.read(list(source.schema.columns))


def test_a_missing_float_is_nan_and_keeps_its_type(tmp_path):
    columns = {"x": pa.array([1.5, None, 3.0], "float32"), "j": pa.array([[1.0, None], [], [2.0]])}
    events = read(write_parquet(tmp_path / "a.parquet", columns))
    assert str(events.type) == "3 * {x: float32, j: var * float64}"
    assert repr(events["x"].to_list()) == "[1.5, nan, 3.0]"
    assert repr(events["j"].to_list()) == "[[1.0, nan], [], [2.0]]"


@pytest.mark.parametrize("start", range(10))
def test_missing_values_stay_where_they_are(tmp_path, start):
    """awkward 2.14 reads the missing values of a sliced Arrow array from the wrong place."""
    values = pa.array([1.5, None, 2.5, 3.5] * 5)
    path = write_parquet(tmp_path / "a.parquet", {"x": values.slice(start)}, row_group_size=3)
    expected = [np.nan if value is None else value for value in values.slice(start).to_pylist()]
    with open_source(path) as source:
        for step in (1, 3, 20):
            found = ak.concatenate([chunk.array["x"] for chunk in source.chunks(["x"], step=step)])
            assert repr(found.to_list()) == repr(expected)


@pytest.mark.parametrize(
    "values", [pa.array([1, None, 3]), pa.array([True, None]), pa.array(["a", None]),
               pa.array([[1.0], None])]
)  # fmt: skip
def test_other_missing_values_are_refused_when_read(tmp_path, values):
    path = write_parquet(tmp_path / "a.parquet", {"x": values, "y": np.arange(len(values))})
    with open_source(path) as source:
        assert len(source.read(["y"])) == len(values)
        with pytest.raises(WorkError) as raised:
            source.read(["x"])
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-012"
    assert f"1 of {len(values)} values are missing" in finding.message


def test_columns_declared_nullable_without_nulls_are_plain(tmp_path):
    events = read(write_parquet(tmp_path / "a.parquet", {"x": [1, 2], "j": [["a"], []]}))
    assert str(events.type) == "2 * {x: int64, j: var * string}"


def test_categories_are_read_as_what_they_stand_for(tmp_path):
    values = pa.array(["mc", "data", "mc"]).dictionary_encode()
    assert read(write_parquet(tmp_path / "a.parquet", {"kind": values}))["kind"].to_list() == [
        "mc",
        "data",
        "mc",
    ]


def test_members_of_structs_are_columns_with_dots(tmp_path):
    jets = [[{"pt": 30.0, "id": 1}, {"pt": 25.0, "id": 2}], []]
    path = write_parquet(tmp_path / "a.parquet", {"jets": jets})
    with open_source(path) as source:
        assert list(source.schema.columns) == ["jets.pt", "jets.id"]
        assert source.read(["jets.pt"])["jets.pt"].to_list() == [[30.0, 25.0], []]


def test_types_that_are_no_column_say_so(tmp_path):
    columns = {"when": pa.array([0], pa.timestamp("s")), "raw": [b"x"], "x": [1.0]}
    with open_source(write_parquet(tmp_path / "a.parquet", columns)) as source:
        assert list(source.schema.columns) == ["x"]
        assert set(source.schema.metadata["unreadable"]) == {"when", "raw"}


def test_row_groups_of_any_size_read_alike(tmp_path, equal):
    columns = {"x": np.arange(1000), "j": [list(range(n % 4)) for n in range(1000)]}
    small = write_parquet(tmp_path / "small.parquet", columns, row_group_size=13)
    large = write_parquet(tmp_path / "large.parquet", columns)
    with open_source(small) as source:
        chunks = ak.concatenate([chunk.array for chunk in source.chunks(["x", "j"], step=50)])
    assert equal(chunks, read(large))


def test_a_tree_is_refused_since_there_are_none(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"x": [1]})
    with pytest.raises(InputError, match="one table without a name"):
        open_source(path, tree="Events")


def test_truncated_at_any_offset_is_one_finding(tmp_path, write, events):
    whole = write("whole.parquet", events).read_bytes()
    path = tmp_path / "cut.parquet"
    for size in np.linspace(4, len(whole) - 1, 60).astype(int):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError) as raised:
            open_source(path)
        (finding,) = raised.value.findings
        assert finding.code == "QL-EVENTS-003"


def test_a_flipped_bit_in_a_page_is_found_by_its_checksum(tmp_path, write, events):
    data = bytearray(write("whole.parquet", events).read_bytes())
    data[200] ^= 1
    path = tmp_path / "damaged.parquet"
    path.write_bytes(data)
    with open_source(path) as source, pytest.raises(WorkError) as raised:
        source.read(events.fields)
    assert raised.value.findings[0].code == "QL-EVENTS-003"
