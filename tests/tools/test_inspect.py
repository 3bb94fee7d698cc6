"""`quarkline inspect`: every format, what is refused, text that fits, JSON that comes back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import uproot
from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import result_from_json
from quarkline.engine.store.filekeys import file_key
from quarkline.events.schema import Column
from quarkline.events.table import TableMetadata, write_table
from quarkline.tools.inspect import inspect, type_name


@pytest.fixture
def muons(data_folder: Path) -> Path:
    return data_folder / "dimuon_nanoaod" / "nanoaod_00.root"


def shown(path: Path, *options: str, width: int = 80) -> str:
    done = CliRunner(env={"COLUMNS": str(width)}).invoke(app, ["inspect", str(path), *options])
    assert done.exception is None, done.exception
    return done.stdout


def test_a_tree_is_described_branch_by_branch(muons):
    result = inspect(muons)
    assert (result.format, result.tree, result.entries) == ("ROOT", "Events", 24690)
    assert (result.size, result.key) == (muons.stat().st_size, file_key(muons).digest)
    assert len(result.columns) == 88
    columns = {column.name: column for column in result.columns}
    assert columns["Muon_pt"].type == "float32[]"
    assert columns["Muon_pt"].counter == "nMuon"
    assert columns["event"].type == "uint64"
    counts = [len(values) for values in columns["Muon_pt"].first]
    assert list(columns["nMuon"].first) == counts
    assert not any(column.problem for column in result.columns)


def test_json_gives_the_result_back(muons):
    text = shown(muons, "--json")
    assert result_from_json(json.loads(text)).as_json() == inspect(muons).as_json()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_table_fits_the_terminal(muons, width):
    lines = shown(muons, width=width).splitlines()
    assert max(map(len, lines[1:])) <= width
    (line,) = [line for line in lines if line.split()[:1] == ["Muon_pt"]]
    assert line.split()[1:3] == ["float32[]", "nMuon"]


def test_several_trees_are_listed_and_none_is_guessed(data_folder):
    path = data_folder / "upsilon_cms" / "preiso_os.npz"
    result = inspect(path)
    assert [(tree.name, tree.entries) for tree in result.trees] == [
        ("entries28126", 28126),
        ("entries6542", 6542),
    ]
    assert (result.tree, result.columns) == (None, ())
    assert "--tree NAME" in shown(path)
    assert "28,126 entries, 1 columns" in shown(path, "--tree", "entries28126")


def test_what_cannot_be_read_is_listed_with_its_reason(data_folder):
    path = data_folder / "root_samples" / "uproot-issue-798.root"
    result = inspect(path, tree="MetaDataHdr")
    assert [column.name for column in result.columns if column.problem] == ["DataHeader"]
    assert "stored whole" in result.columns[-1].problem
    text = shown(path, "--tree", "MetaDataHdr")
    assert "not readable (1):\n  DataHeader: objects of type" in text


def test_an_rntuple_is_a_table_like_a_tree(tmp_path):
    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", {"x": np.arange(3.0)})
    result = inspect(path)
    assert (result.tree, result.entries) == ("Events", 3)
    assert [column.name for column in result.columns] == ["x"]


def test_a_damaged_branch_does_not_hide_the_others(data_folder, tmp_path):
    whole = data_folder / "root_samples" / "uproot-HZZ-lz4.root"
    data = bytearray(whole.read_bytes())
    position = data.index(b"Jet_Px\x06events") + 200
    data[position] ^= 0xFF
    path = tmp_path / "damaged.root"
    path.write_bytes(data)
    result = inspect(path)
    problems = {column.name: column.problem for column in result.columns if column.problem}
    assert set(problems) == {"Jet_Px"}
    assert "checksum" in problems["Jet_Px"]
    assert len(result.columns) == 51


def test_units_are_shown(tmp_path):
    path = tmp_path / "a.parquet"
    mass = {"mass": np.array([9.46, 10.02]), "ok": np.array([True, False])}
    write_table(path, mass, TableMetadata(units={"mass": "GeV"}))
    lines = shown(path).splitlines()
    assert "2 entries, 2 columns" in lines
    (line,) = [line for line in lines if "mass" in line]
    assert line.split() == ["mass", "float64", "GeV", "9.46", "10.02"]
    assert inspect(path).metadata["units"] == {"mass": "GeV"}


def test_an_empty_table_has_no_first_values(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, {"x": np.empty(0)})
    result = inspect(path)
    assert (result.entries, result.columns[0].first) == (0, ())
    assert "0 entries, 1 columns" in shown(path)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        (Column("x", "float32"), "float32"),
        (Column("x", "float32", depth=2), "float32[][]"),
        (Column("x", "int8", depth=1, shape=(3, 2)), "int8[][3][2]"),
        (Column("x", "string"), "string"),
    ],
)
def test_types_in_short(column, name):
    assert type_name(column) == name


def test_a_missing_file_is_one_finding(tmp_path):
    with pytest.raises(InputError) as raised:
        inspect(tmp_path / "none.root")
    assert raised.value.findings[0].code == "QL-EVENTS-001"
    assert raised.value.exit_code == 2


def test_an_unknown_tree_is_one_finding(muons):
    with pytest.raises(InputError, match="there is no tree `Event`"):
        inspect(muons, tree="Event")
