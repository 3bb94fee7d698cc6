"""HDF5 files: groups and compounds as tables, lists, text, links, and rows never written."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.events.sources import list_trees, open_source

RECORD = np.dtype(
    [("pt", ">f4"), ("valid", "?"), ("hits", "i2", (2,)), ("tag", "S4"), ("at", [("x", "f8")])]
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a group, a compound dataset, a matrix of compounds, and a stray length."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", track_order=True) as file:
        events = file.create_group("sim/events", track_order=True)
        events["energy"] = np.arange(5.0)
        events["energy"].attrs["units"] = "MeV"
        events["energy"].attrs["TITLE"] = "deposited"
        events["image"] = np.arange(30, dtype=">i4").reshape(5, 3, 2)
        events.create_dataset("name", data=["é", "", "c", "d", "e"], dtype=h5py.string_dtype())
        lists = events.create_dataset("hits", (5,), h5py.vlen_dtype("f4"))
        lists[0], lists[3] = [1.5, 2.5], [3.5]
        events["flag"] = np.array([1, 0, 1, 1, 0], bool)
        jets = np.zeros(4, RECORD)
        jets["pt"], jets["tag"], jets["hits"][:, 1] = [1, 2, 3, 4], [b"b", b"", b"c", b"l"], 7
        file["jets"] = jets
        file["tracks"] = np.ones((4, 3), [("d0", "f4")])
    return path


def test_groups_and_compound_datasets_are_tables(path):
    found = [(tree.name, tree.entries, tree.columns) for tree in list_trees(path)]
    assert found == [("jets", 4, 5), ("tracks", 4, 1), ("sim/events", 5, 5)]
    with pytest.raises(InputError) as raised:
        open_source(path)
    assert raised.value.findings[0].code == "QL-EVENTS-006"


def test_datasets_of_a_group_are_columns(path):
    with open_source(path, tree="sim/events") as source:
        events = source.read(list(source.schema.columns))
        energy = source.schema["energy"]
    assert events.fields == ["energy", "image", "name", "hits", "flag"]
    assert (energy.dtype, energy.unit, energy.title) == ("float64", "MeV", "deposited")
    assert events["hits"].to_list() == [[1.5, 2.5], [], [], [3.5], []]
    assert events["name"].to_list() == ["é", "", "c", "d", "e"]
    assert events["image"].to_list() == np.arange(30).reshape(5, 3, 2).tolist()
    assert str(events["image"].type) == "5 * 3 * 2 * int32"
    assert events["flag"].to_list() == [True, False, True, True, False]


def test_members_of_a_compound_are_columns(path):
    with open_source(path, tree="jets") as source:
        jets = source.read(["tag", "pt", "hits", "at.x"])
        assert source.read(["valid"], 1, 3)["valid"].to_list() == [False, False]
    assert jets["pt"].to_list() == [1, 2, 3, 4]
    assert jets["tag"].to_list() == ["b", "", "c", "l"]
    assert jets["hits"].to_list() == [[0, 7]] * 4
    assert jets["at.x"].to_list() == [0] * 4


def test_a_matrix_of_compounds_has_columns_of_fixed_length(path):
    with open_source(path, tree="tracks") as source:
        assert source.schema["d0"].shape == (3,)
        assert source.read(["d0"])["d0"].to_list() == [[1] * 3] * 4


def test_datasets_of_several_lengths_are_several_tables(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"], file["y"], file["names"], file["one"] = [1.0, 2.0], [3, 4], [b"a"], 5
    assert [tree.name for tree in list_trees(path)] == ["entries1", "entries2"]
    with open_source(path, tree="entries2") as source:
        assert source.read(["y"])["y"].to_list() == [3, 4]


def test_a_file_of_plain_datasets_needs_no_tree(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["x"], file["y"] = [1.0, 2.0], [3, 4]
    with open_source(path) as source:
        assert source.schema.tree == "/"
        assert source.read(["y"])["y"].to_list() == [3, 4]


def test_tables_as_pandas_writes_them_read_as_plain_datasets(tmp_path):
    """The layout of `DataFrame.to_hdf`, fixed and table; its pickled attributes are left alone."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        fixed = file.create_group("fixed")
        fixed["axis0"] = fixed["block0_items"] = [b"pt", b"eta"]
        fixed["axis1"], fixed["block0_values"] = np.arange(3), np.arange(6.0).reshape(3, 2)
        row = [("index", "i8"), ("values_block_0", "f8", (2,))]
        file["table/table"] = np.array([(0, [1, 2]), (1, [3, 4])], row)
        file["table/table"].attrs["values_block_0_kind"] = b"(lp1\nS'pt'\np2\na."
    assert [tree.name for tree in list_trees(path)] == [
        "fixed/entries2",
        "fixed/entries3",
        "table/table",
    ]
    with open_source(path, tree="fixed/entries3") as source:
        assert source.read(["block0_values"])["block0_values"].to_list() == [[0, 1], [2, 3], [4, 5]]
    with open_source(path, tree="table/table") as source:
        assert source.read(["values_block_0"])["values_block_0"].to_list() == [[1, 2], [3, 4]]


def test_what_no_column_holds_says_why(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(2)
        file["complex"] = np.array([1j, 2])
        file["reference"] = np.array([file["x"].ref] * 2, h5py.ref_dtype)
        file.create_dataset("texts", (2, 2), h5py.string_dtype())
        file.create_dataset("wide", (2,), h5py.vlen_dtype(np.dtype("c16")))
    with open_source(path) as source:
        assert list(source.schema.columns) == ["x"]
        assert set(source.schema.metadata["unreadable"]) == {
            "complex",
            "reference",
            "texts",
            "wide",
        }
        with pytest.raises(InputError, match="complex128"):
            source.read(["complex"])


def test_values_of_other_files_are_not_followed(tmp_path):
    other, path = tmp_path / "other.h5", tmp_path / "a.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.arange(3)
    raw = tmp_path / "raw"
    raw.write_bytes(bytes(24))
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3)
        file["linked"] = h5py.ExternalLink(str(other), "/secret")
        file.create_dataset("raw", (3,), "f8", external=[(str(raw), 0, 24)])
        layout = h5py.VirtualLayout((3,), "i8")
        layout[:] = h5py.VirtualSource(str(other), "secret", (3,))
        file.create_virtual_dataset("virtual", layout)
    with open_source(path) as source:
        assert list(source.schema.columns) == ["x"]
        reasons = source.schema.metadata["unreadable"]
    assert reasons == dict.fromkeys(("raw", "virtual"), "its values lie in other files")


def test_groups_in_a_circle_are_listed_once(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3)
        file["inner/y"] = np.arange(2)
        file["inner/up"] = file["/"]
    assert [tree.name for tree in list_trees(path)] == ["/", "inner"]


@pytest.mark.parametrize("chunks", [None, (2,)])
def test_rows_that_nobody_wrote_are_refused(tmp_path, chunks):
    """HDF5 itself would give zeros."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (6,), "f8", chunks=chunks)
        if chunks:
            file["x"][:2] = 1.0
    with open_source(path) as source, pytest.raises(WorkError, match="were written"):
        source.read(["x"])


def test_a_file_without_datasets_has_no_table(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_group("empty")
        file["number"] = 3
    with pytest.raises(InputError) as raised:
        open_source(path)
    assert raised.value.findings[0].code == "QL-EVENTS-005"


def test_a_file_that_is_cut_off_is_refused(write, events, tmp_path):
    data = write("whole.h5", events[:50]).read_bytes()
    for size in np.linspace(9, len(data) - 1, 12).astype(int):
        path = tmp_path / "cut.h5"
        path.write_bytes(data[:size])
        with pytest.raises(InputError) as raised:
            open_source(path)
        assert raised.value.findings[0].code == "QL-EVENTS-003"


@pytest.mark.parametrize("at", [16, 24, 40])
def test_a_damaged_heap_is_refused_before_the_library_follows_it_without_end(tmp_path, at):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        lists = file.create_dataset("x", (20,), h5py.vlen_dtype("f8"))
        for row in range(20):
            lists[row] = np.arange(row + 1.0)
        file["flat"] = np.arange(20)
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL")
    data[heap + at : heap + at + 40] = bytes(40)
    path.write_bytes(data)
    with open_source(path) as source:
        assert len(source.read(["flat"])) == 20
        with pytest.raises(WorkError, match=f"the heap at byte {heap} is damaged"):
            source.read(["x"])


@pytest.mark.parametrize("chunks", [None, (30,)])
@pytest.mark.parametrize("kind", ["list", "text", "compound"])
def test_a_list_longer_than_the_file_is_refused_before_its_memory_is_taken(tmp_path, kind, chunks):
    numbers = h5py.vlen_dtype(np.float32)
    dtype = {
        "list": numbers,
        "text": h5py.string_dtype(),
        "compound": np.dtype([("a", "f8"), ("x", numbers)]),
    }[kind]
    value = np.arange(3, dtype=np.float32)
    path = tmp_path / "lists.h5"
    with h5py.File(path, "w") as file:
        rows = file.create_dataset("x", (50,), dtype, chunks=chunks)
        for row in range(50):
            rows[row] = {"list": value, "text": "abc", "compound": (1.5, value)}[kind]
        file.flush()
        place = rows.id.get_chunk_info(0).byte_offset if chunks else rows.id.get_offset()
    with open_source(path) as source:
        assert len(source.read(list(source.schema.columns))) == 50
    data = bytearray(path.read_bytes())
    at = place + 7 * dtype_size(kind) + (8 if kind == "compound" else 0)
    assert data[at : at + 4] == (3).to_bytes(4, "little")
    data[at : at + 4] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(data)
    with open_source(path) as source, pytest.raises(WorkError, match="a list of 2147483647 in a"):
        source.read(list(source.schema.columns))


def dtype_size(kind: str) -> int:
    """Bytes of a row: length, address and index of a list; in the compound beside a float64."""
    return 24 if kind == "compound" else 16
