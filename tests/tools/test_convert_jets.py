"""Pickled tables of jets become Parquet with the same values, once."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.studies.tagging.tables import jets_in
from quarkline.tools.convert_jets import convert_jets

PACKAGES = ("pandas.core.internals", "pandas.core.indexes")
NAMES = {
    "pandas.core.frame": ("DataFrame",),
    "pandas.core.internals.managers": ("BlockManager",),
    "pandas._libs.internals": ("_unpickle_block",),
    "pandas.core.indexes.base": ("_new_Index", "Index"),
}


def pandas_pickle(columns: Mapping[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The pickle of a pandas table, a block a column, made without pandas."""
    stubs: dict[str, Any] = {}
    for package in ("pandas", "pandas._libs", "pandas.core", *PACKAGES):
        monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
    for module, names in NAMES.items():
        made = types.ModuleType(module)
        for name in names:
            stubs[name] = type(name, (), {"__module__": module})
            setattr(made, name, stubs[name])
        monkeypatch.setitem(sys.modules, module, made)

    class Calls:
        def __init__(self, *reduced: Any) -> None:
            self.reduced = reduced

        def __reduce__(self) -> tuple[Any, ...]:
            return self.reduced

    blocks = tuple(
        Calls(stubs["_unpickle_block"], (column[None], slice(place, place + 1, 1), 2))
        for place, column in enumerate(columns.values())
    )
    index = Calls(
        stubs["_new_Index"],
        (stubs["Index"], {"data": np.array(list(columns), object), "name": None}),
    )
    rows = Calls(stubs["_new_Index"], (stubs["Index"], {"data": np.arange(3), "name": None}))
    manager = Calls(stubs["BlockManager"], (blocks, [index, rows]))
    frame = stubs["DataFrame"]()
    frame.__dict__.update({"_mgr": manager, "_typ": "dataframe"})
    data = pickle.dumps(frame, protocol=4)
    monkeypatch.undo()
    return data


@pytest.fixture(scope="module")
def table(data_folder: Path) -> pq.Table:
    return pq.read_table(data_folder / "calratio/pickled_as_parquet/sig_311424_600_275.parquet")


@pytest.fixture
def pickled(tmp_path: Path, table: pq.Table, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sig_311424.pkl"
    columns = {name: table[name].to_numpy() for name in table.column_names}
    path.write_bytes(pandas_pickle(columns, monkeypatch))
    return path


def test_a_table_keeps_its_columns_and_values(
    pickled: Path, tmp_path: Path, table: pq.Table, data_folder: Path
) -> None:
    outcome = convert_jets([str(pickled)], tmp_path / "out")
    (file,) = outcome.conversion.files
    assert (file.state, file.rows, file.columns, outcome.failures) == ("converted", 76, 815, ())
    found = pq.read_table(file.table)
    assert found.column_names == table.column_names
    for name in table.column_names:
        assert np.array_equal(found[name].to_numpy(), table[name].to_numpy()), name
    real = jets_in(data_folder / "calratio/pickled_as_parquet/sig_311424_600_275.parquet")
    assert np.array_equal(jets_in(Path(file.table)).jet, real.jet)
    again = convert_jets([str(pickled)], tmp_path / "out")
    assert [item.state for item in again.conversion.files] == ["kept"]


def test_what_is_no_table_of_jets_is_told_and_the_others_converted(
    pickled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "a_other.pkl"
    other.write_bytes(pandas_pickle({"label": np.arange(3.0)}, monkeypatch))
    broken = tmp_path / "b_broken.pkl"
    broken.write_bytes(pickled.read_bytes()[:500])
    outcome = convert_jets([str(tmp_path / "*.pkl")], tmp_path / "out")
    states = [file.state for file in outcome.conversion.files]
    assert states == ["left out", "left out", "converted"]
    assert "no column `jet_pt`" in outcome.failures[0].message
    assert outcome.failures[1].place is not None


def test_a_foreign_file_is_not_overwritten(pickled: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "sig_311424.parquet"
    target.parent.mkdir()
    target.write_text("mine")
    outcome = convert_jets([str(pickled)], tmp_path / "out")
    assert "not from this pickle" in outcome.failures[0].message
    assert target.read_text() == "mine"


def test_two_pickles_of_one_name_are_refused(pickled: Path, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / pickled.name).write_bytes(pickled.read_bytes())
    with pytest.raises(InputError, match="would be that of"):
        convert_jets([str(pickled), str(tmp_path / "x" / pickled.name)], tmp_path / "out")
