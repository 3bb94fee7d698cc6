"""NPZ files: tables by length, nothing unpickled, headers checked before anything is read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.events.sources import list_trees, open_source


def save(path: Path, **arrays: object) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def finding_of(path: Path, **options: object):
    with pytest.raises(InputError) as raised:
        open_source(path, **options)
    (finding,) = raised.value.findings
    return finding


def forged(path: Path, shape: tuple[int, ...], data: bytes, method: int = 0) -> Path:
    """An array whose header claims `shape` over whatever data."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("x.npy", header.getvalue() + data)
    return path


@pytest.mark.parametrize(
    ("values", "dtype", "shape"),
    [
        (np.arange(3, dtype=">f4"), "float32", ()),
        (np.asfortranarray(np.arange(6.0).reshape(3, 2)), "float64", (2,)),
        (np.arange(12).reshape(3, 2, 2), "int64", (2, 2)),
        (np.array([True, False, True]), "bool", ()),
        (np.array([2**64 - 1, 0, 1], "uint64"), "uint64", ()),
        (np.array(["a", "é", ""]), "string", ()),
        (np.array([b"a", b"bc", b""]), "string", ()),
    ],
)
def test_arrays_come_back(tmp_path, values, dtype, shape):
    with open_source(save(tmp_path / "a.npz", x=values)) as source:
        assert (source.schema["x"].dtype, source.schema["x"].shape) == (dtype, shape)
        text = values.dtype.kind == "S"
        expected = [item.decode() for item in values] if text else values.tolist()
        assert source.read(["x"])["x"].to_list() == expected


def test_each_length_is_a_table(data_folder):
    path = data_folder / "upsilon_cms" / "preiso_os.npz"
    finding = finding_of(path)
    assert finding.code == "QL-EVENTS-006"
    assert "`entries28126` (28126 entries), `entries6542` (6542 entries)" in finding.message
    with np.load(path) as stored, open_source(path, tree="entries28126") as source:
        assert list(source.schema.columns) == ["mass"]
        assert np.array_equal(source.read(["mass"])["mass"], stored["mass"])
        with pytest.raises(InputError, match="belongs to the table `entries6542`"):
            source.read(["sr_dimu_pt"])
    with open_source(path, tree="entries6542") as source:
        assert len(source.schema.columns) == 20


def test_real_events_come_back(data_folder):
    path = data_folder / "upsilon_cms" / "os_events.npz"
    with np.load(path) as stored, open_source(path) as source:
        events = source.read(list(source.schema.columns))
        assert set(events.fields) == set(stored.files)
        for name in stored.files:
            assert np.array_equal(events[name], stored[name], equal_nan=name != "preiso_row")


def test_a_single_value_is_no_column(tmp_path):
    with open_source(save(tmp_path / "a.npz", x=np.arange(3), seed=np.array(7))) as source:
        assert list(source.schema.columns) == ["x"]
        with pytest.raises(InputError, match="a single value"):
            source.read(["seed"])


def test_python_objects_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    path = tmp_path / "a.npz"
    np.savez(path, x=np.array([Trap(), Trap()], dtype=object), y=np.arange(2))
    with open_source(path) as source:
        assert source.read(["y"])["y"].to_list() == [0, 1]
        with pytest.raises(InputError) as raised:
            source.read(["x"])
    assert raised.value.findings[0].code == "QL-EVENTS-013"
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("shape", [(10**15,), (2**62, 2**62), (3,), (1,), (-2,)])
def test_a_header_that_claims_another_size_is_refused_before_reading(tmp_path, shape):
    finding = finding_of(forged(tmp_path / "a.npz", shape, bytes(16)))
    assert finding.code == "QL-EVENTS-003"
    assert "`x.npy`" in finding.message or "negative" in finding.message


def test_an_archive_that_claims_more_than_deflate_can_hold_is_refused(tmp_path):
    path = forged(tmp_path / "a.npz", (10**9,), bytes(16), zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        size = archive.infolist()[0].file_size
    claimed = (128 + 8 * 10**8).to_bytes(4, "little")
    path.write_bytes(data.replace(size.to_bytes(4, "little"), claimed))
    assert "claims" in finding_of(path).message


def test_something_else_among_the_arrays_is_refused(tmp_path):
    path = save(tmp_path / "a.npz", x=np.arange(3))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("notes.txt", "x in GeV")
    assert "`notes.txt`, which is no array" in finding_of(path).message


def test_truncated_at_any_offset_is_one_finding(tmp_path):
    whole = save(tmp_path / "whole.npz", x=np.arange(500.0), y=np.arange(500)).read_bytes()
    path = tmp_path / "cut.npz"
    for size in np.linspace(4, len(whole) - 1, 60).astype(int):
        path.write_bytes(whole[:size])
        assert finding_of(path).code == "QL-EVENTS-003"


def test_a_flipped_bit_is_found_by_the_checksum(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(500.0))
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    with open_source(path) as source, pytest.raises(WorkError) as raised:
        source.read(["x"])
    assert raised.value.findings[0].code == "QL-EVENTS-003"


def test_the_largest_table_is_listed_first(tmp_path):
    path = save(tmp_path / "a.npz", a=np.arange(3), b=np.arange(10), c=np.arange(10))
    assert [(info.name, info.columns) for info in list_trees(path)] == [
        ("entries10", 2),
        ("entries3", 1),
    ]
