"""Pickled tables of pandas 1 and 2 give the values that went in; what is no table is named."""

from __future__ import annotations

import base64
import json
import os
import pickle
import random
from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.pickles import read_pickle, read_table_pickle

RECORDED = json.loads(Path(__file__).with_name("recorded_tables.json").read_text())

PLAIN = {
    "label": ([0, 2, 1], "int64"),
    "jet_pT": ([0.25, np.nan, 0.5], "float64"),
    "eventNumber": ([7, 2**63 + 5, 9], "uint64"),
    "clus_time_0": ([1, 2, 3], "float32"),
    "track_pT_0": ([1.5, 2.5, 3.5], "float64"),
    "jet_isClean": ([1, 0, 1], "int8"),
    "flag": ([True, False, True], "bool"),
}
JOINED = {
    "llp_mH": ([125.0] * 5, "float64"),
    **{name: ([*values, *values[:2]], kind) for name, (values, kind) in PLAIN.items()},
    "mcEventWeight": ([1] * 5, "int64"),
}


def written(folder: Path, data: bytes) -> Path:
    path = folder / "table.pkl"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("version", RECORDED)
def test_what_pandas_pickled_is_read_back(tmp_path: Path, version: str) -> None:
    expected = JOINED if version.endswith("joined") else PLAIN
    columns = read_table_pickle(written(tmp_path, base64.b64decode(RECORDED[version])))
    assert list(columns) == list(expected)
    for name, (values, kind) in expected.items():
        assert str(columns[name].dtype) == kind, name
        assert np.array_equal(columns[name], np.array(values, kind), equal_nan=kind[0] == "f"), name


def test_damage_is_a_finding_and_never_more(tmp_path: Path) -> None:
    """Bytes are changed here and there: the table is refused, or has numbers in its columns."""
    good = base64.b64decode(RECORDED["pandas 2.2.3, protocol 4, joined"])
    draw = random.Random(5)
    refused = 0
    for _ in range(300):
        data = bytearray(good)
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        path = written(tmp_path, bytes(data[: draw.choice([len(data), draw.randrange(len(data))])]))
        try:
            columns = read_table_pickle(path)
        except InputError:
            refused += 1
        else:
            assert {len(column) for column in columns.values()} == {5}
    assert refused > 150


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch touched",)


def test_what_calls_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, pickle.dumps({"_mgr": Hostile()}))
    with pytest.raises(InputError, match=r"names `posix\.system`"):
        read_table_pickle(path)
    assert not (tmp_path / "touched").exists()


def test_other_pickles_are_no_tables_and_tables_no_events(tmp_path: Path) -> None:
    path = written(tmp_path, pickle.dumps({"x": np.arange(3)}, protocol=4))
    with pytest.raises(InputError, match="a dict, not a pandas table"):
        read_table_pickle(path)
    path = written(tmp_path, base64.b64decode(RECORDED["pandas 2.2.3, protocol 4, plain"]))
    with pytest.raises(InputError, match=r"names `pandas\.core\.frame\.DataFrame`"):
        read_pickle(path)
