"""Our own tables: reserved columns, metadata, and nothing rounded."""

from __future__ import annotations

import json

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.selection import CutFlow, CutStep
from quarkline.events.table import (
    TableMetadata,
    TableSink,
    read_table,
    write_table,
)

METADATA = TableMetadata(
    units={"mass": "GeV"},
    sample="upsilon",
    tree="Events",
    sum_of_weights=106209.5,
    luminosity=8.7,
    cut_flow=CutFlow(
        events=246907,
        sum_weights=246907.0,
        sum_weights2=246907.0,
        nan_weights=0,
        steps=(
            CutStep(
                "pt", "pt > 17", 160000, 154708, 154708.0, 154708.0, 246907, 246907.0, 246907.0
            ),
        ),
    ),
)


@pytest.fixture
def columns() -> dict[str, np.ndarray]:
    return {
        "mass": np.array([9.4603, np.nextafter(9.4603, 10), 10.02]),
        "_source": np.full(3, 2**64 - 1, "uint64"),
        "_entry": np.array([0, 1, 2**63 + 1], "uint64"),
        "_object": np.array([0, 1, 2**16 - 1], "uint16"),
        "_group": np.array([-1, 0, 1]),
        "_fold": np.array([0, 1, 2], "int16"),
        "_label": np.array([0, 1, 1]),
        "_weight": np.array([1.0, -0.5, 1 / 3]),
        "_weight_muR_up": np.array([1.0, 1.0, 1.0]),
    }


def test_a_table_comes_back_with_its_metadata_and_every_bit(tmp_path, columns):
    path = tmp_path / "table.parquet"
    write_table(path, columns, METADATA)
    table = read_table(path)
    assert table.metadata == METADATA
    assert table.array.fields == list(columns)
    for name, values in columns.items():
        found = np.asarray(table.array[name])
        assert found.dtype == values.dtype
        assert found.tobytes() == values.tobytes()


def test_the_file_says_what_the_contract_promises(tmp_path, columns):
    path = tmp_path / "table.parquet"
    write_table(path, columns, METADATA)
    told = json.loads(pq.ParquetFile(path).metadata.metadata[b"quarkline"])
    assert told["version"] == 1
    assert told["units"] == {"mass": "GeV"}
    assert told["sum_of_weights"] == 106209.5
    assert told["cut_flow"]["steps"][0]["events"] == 154708
    assert pq.read_metadata(path).row_group(0).column(0).compression == "ZSTD"


def test_equal_tables_are_equal_bytes(tmp_path, columns):
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path in paths:
        write_table(path, columns, METADATA)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_chunks_make_the_same_file(tmp_path, columns):
    whole = ak.zip({name: ak.from_numpy(values) for name, values in columns.items()})
    write_table(tmp_path / "a.parquet", columns, METADATA)
    with TableSink(tmp_path / "b.parquet", METADATA) as sink:
        for row in range(3):
            sink.write(whole[row : row + 1])
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_some_columns_of_a_jagged_table(tmp_path):
    jets = ak.Array([[30.0, 20.0], [], [25.0]])
    path = tmp_path / "a.parquet"
    write_table(path, {"jet_pt": jets, "x": [1, 2, 3], "s": ["a", "b", "c"]})
    table = read_table(path, ["jet_pt"])
    assert table.array.fields == ["jet_pt"]
    assert table.array["jet_pt"].to_list() == jets.to_list()
    assert read_table(path).metadata == TableMetadata()


def test_a_table_of_another_maker_has_empty_metadata(tmp_path):
    path = tmp_path / "a.parquet"
    ak.to_parquet(ak.Array([{"x": 1.0}, {"x": 2.0}]), path)
    table = read_table(path)
    assert table.metadata == TableMetadata()
    assert table.array["x"].to_list() == [1.0, 2.0]


@pytest.mark.parametrize("told", [{}, {"units": {"x": "GeV"}}, {"kind": "other", "version": 9}])
def test_metadata_of_another_kind_are_not_ours(tmp_path, write, told):
    path = write("a.parquet", ak.Array([{"x": 1.0}]), metadata=told)
    assert read_table(path).metadata == TableMetadata()


def test_metadata_of_another_version_are_one_finding(tmp_path, write):
    told = TableMetadata().as_json() | {"version": 99}
    path = write("a.parquet", ak.Array([{"x": 1.0}]), metadata=told)
    with pytest.raises(InputError, match="99"):
        read_table(path)


@pytest.mark.parametrize("name", ["_fodl", "_x", "_", "_weight_", "_Fold"])
def test_names_with_an_underscore_are_not_the_users(tmp_path, name):
    with pytest.raises(InputError) as raised:
        write_table(tmp_path / "a.parquet", {"x": [1.0], name: [1]})
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-043"
    assert f"`{name}`" in finding.message
    assert "`_fold`" in finding.suggestion or "_weight" in finding.suggestion
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong", [{"_source": [1]}, {"_fold": [0.5]}, {"_weight_up": np.array([1], "float32")}]
)
def test_reserved_columns_have_their_type(tmp_path, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        write_table(tmp_path / "a.parquet", {"x": [1.0], **wrong})


def test_columns_of_different_length_are_a_mistake_of_the_caller(tmp_path):
    with pytest.raises(ValueError, match="lengths"):
        write_table(tmp_path / "a.parquet", {"x": [1.0], "y": [1.0, 2.0]})


def test_an_empty_table_keeps_its_types(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, {"mass": np.empty(0), "_entry": np.empty(0, "uint64")})
    assert str(read_table(path).array.type) == "0 * {mass: float64, _entry: uint64}"
