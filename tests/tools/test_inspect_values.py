"""`quarkline inspect --stats`: numbers against plain NumPy, sentinels, text, damage, chunks."""

from __future__ import annotations

import json
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.results import result_from_json
from quarkline.events.sinks import open_sink
from quarkline.events.sources import open_source
from quarkline.events.sources.base import record_array
from quarkline.tools import inspect_values
from quarkline.tools.inspect import inspect


def write(folder: Path, **columns: object) -> Path:
    arrays = {n: v if isinstance(v, ak.Array) else ak.from_numpy(v) for n, v in columns.items()}
    path = folder / "a.parquet"
    with open_sink(path) as sink:
        sink.write(record_array(arrays, len(next(iter(arrays.values())))))
    return path


def values_of(path: Path) -> dict[str, inspect_values.ColumnValues]:
    return {item.name: item for item in inspect(path, stats=True).values}


def test_numbers_are_those_of_numpy(data_folder):
    path = data_folder / "root_samples" / "uproot-HZZ.root"
    with open_source(path) as source:
        events = source.read(["Jet_Px", "NJet"])
    found = values_of(path)
    for name, flat in (("Jet_Px", ak.flatten(events["Jet_Px"])), ("NJet", events["NJet"])):
        plain = np.asarray(flat)
        item = found[name]
        assert (item.n, item.min, item.max) == (len(plain), plain.min(), plain.max())
        assert item.mean == pytest.approx(plain.mean(dtype=float), rel=1e-12)
        expected, _ = np.histogram(plain.astype(float), 16)
        assert sum(item.histogram) == len(plain)
        assert np.abs(np.array(item.histogram) - expected).sum() <= 2  # values on an edge


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_chunks_do_not_matter(tmp_path, monkeypatch, rows):
    random = np.random.default_rng(3)
    lists = ak.unflatten(random.integers(-5, 5, 150), np.resize([0, 1, 2, 3], 100))
    path = write(tmp_path, x=random.normal(size=100).astype("f4"), lists=lists)
    whole = values_of(path)
    monkeypatch.setattr(inspect_values, "CHUNK_ROWS", (rows, rows))
    parts = values_of(path)
    for name, item in whole.items():
        assert parts[name].mean == pytest.approx(item.mean, rel=1e-12)
        assert (parts[name].histogram, parts[name].min) == (item.histogram, item.min)


def test_sentinels_are_counted_and_kept_out_of_the_histogram(tmp_path):
    pt = np.array([-999, 20, 30, -999, np.nan, np.inf, 1e10, 40], "float32")
    path = write(tmp_path, pt=pt, n=np.array([-99, 1, 2, 3, 4, 5, 6, -9999]))
    found = values_of(path)
    assert found["pt"].sentinels == {"-999": 2, "1e+10": 1}
    assert (found["pt"].nan, found["pt"].infinite) == (1, 1)
    assert (found["pt"].low, found["pt"].high) == (20, 40)
    assert sum(found["pt"].histogram) == 3
    assert found["n"].sentinels == {"-9999": 1, "-99": 1}
    assert (found["n"].min, found["n"].max) == (-9999, 6)


def test_large_integers_are_exact_and_unsigned_ones_have_no_sentinels(tmp_path):
    path = write(
        tmp_path, event=np.array([2**63 + 1, 2**64 - 1], "uint64"), b=np.array([1, 0], "?")
    )
    found = values_of(path)
    assert (found["event"].min, found["event"].max) == (2**63 + 1, 2**64 - 1)
    assert found["event"].sentinels == {}
    assert found["b"].mean == 0.5


def test_constant_empty_and_text_columns(tmp_path):
    texts = ak.Array(["a", "b", "c"])
    path = write(
        tmp_path,
        same=np.full(3, 2.5),
        text=texts,
        none=ak.Array([[1.0], [], []])[:, :0],
        words=ak.Array([["a"], [], ["b", "c"]]),
        nan=np.full(3, np.nan),
    )
    found = values_of(path)
    assert found["same"].constant
    assert (found["text"].n, found["text"].min, found["words"].n) == (3, None, 3)
    assert (found["none"].n, found["none"].histogram) == (0, ())
    assert (found["nan"].nan, found["nan"].constant, found["nan"].mean) == (3, False, None)


def test_a_damaged_column_does_not_hide_the_others(data_folder, tmp_path):
    whole = data_folder / "root_samples" / "uproot-HZZ-lz4.root"
    data = bytearray(whole.read_bytes())
    data[data.index(b"Jet_Px\x06events") + 200] ^= 0xFF
    path = tmp_path / "damaged.root"
    path.write_bytes(data)
    found = values_of(path)
    assert [name for name, item in found.items() if item.problem] == ["Jet_Px"]
    assert found["Jet_Py"].n == 2773


def shown(path: Path, *options: str, width: int = 80) -> str:
    done = CliRunner(env={"COLUMNS": str(width)}).invoke(app, ["inspect", str(path), *options])
    assert done.exception is None, done.exception
    return done.stdout


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(data_folder, width):
    path = data_folder / "dimuon_nanoaod" / "nanoaod_00.root"
    lines = shown(path, "--stats", width=width).splitlines()
    assert max(map(len, lines[1:])) <= width
    (line,) = [line for line in lines if line.startswith(" Muon_charge ")]
    assert line.split()[1:3] == ["-1", "1"]


def test_remarks_stand_below_the_table(tmp_path):
    path = write(tmp_path, x=np.array([1.0, -999.0, np.nan]), run=np.array([7, 7, 7]))
    text = shown(path, "--stats")
    assert "x: 1 NaN, 1 at -999" in text.splitlines()
    assert "run: constant" in text.splitlines()


def test_json_gives_the_result_back(tmp_path):
    path = write(tmp_path, x=np.array([1.0, -999.0, np.nan]))
    text = shown(path, "--stats", "--json")
    assert result_from_json(json.loads(text)).as_json() == inspect(path, stats=True).as_json()
