"""Pickles of every awkward since 1.10 give the values that went in; what is no array is named."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.pickles import read_pickle

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text())

PT = [[9.5], [20.5, 8.25], [], [3.0, 2.0, 1.0]]
EXPECTED = {
    "Muon_pt": (PT, "var * float32"),
    "Muon_charge": ([[1], [-1, 1], [], [1, 1, -1]], "var * int32"),
    "Muon_tightId": ([[True], [False, True], [], [True, True, False]], "var * bool"),
    "Muon_sliced": (PT, "var * float32"),
    "HLT_Mu17_Mu8": ([True, False, True, True], "bool"),
    "PV_npvsGood": ([31, 7, 0, 12], "uint8"),
    "flat": ([1.5, -2.5, 0.0, 4.0], "float64"),
}


def written(path: Path, value: object, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_pickle(path)
    (finding,) = caught.value.findings
    return str(finding)


@pytest.mark.parametrize("version", RECORDED)
def test_what_other_versions_pickled_is_read_back(tmp_path: Path, version: str) -> None:
    path = tmp_path / "all_mu_0"
    path.write_bytes(base64.b64decode(RECORDED[version]))
    branches = read_pickle(path)
    read = {name: (array.tolist(), str(array.type.content)) for name, array in branches.items()}
    assert read == EXPECTED
    assert list(read) == list(EXPECTED)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_the_version_at_hand_is_read_back(tmp_path: Path, protocol: int) -> None:
    rng = np.random.default_rng(protocol)
    counts = rng.integers(0, 5, 1000)
    lists = ak.unflatten(rng.normal(size=counts.sum()).astype(np.float32), counts)
    deep = ak.unflatten(ak.unflatten(np.arange(12), [5, 0, 7]), [2, 1])
    given = {"lists": lists, "empty": lists[:0], "numbers": rng.normal(size=(1000, 3)), "d": deep}
    for name, array in given.items():
        branches = read_pickle(written(tmp_path / name, {name: array}, protocol))
        assert ak.array_equal(branches[name], ak.Array(array)), name


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1, 2], "it holds a list, not a dictionary"),
        ({}, "it holds a dict, not a dictionary of branches"),
        ({"x": [1, 2]}, "`x` holds a list, not an array of numbers"),
        ({"x": None}, "`x` holds nothing, not an array"),
        ({"x": np.array(["a", None], object)}, "`x` holds an array whose values are no numbers"),
        ({"x": np.array(["a", "b"])}, "`x` holds an array whose values are no numbers"),
        ({"x": np.zeros(2, [("a", "f4")])}, "`x` holds an array whose values are no numbers"),
        ({"x": np.array(["2016-11-01"], "M8[D]")}, "`x` holds an array whose values are no"),
        ({"x": np.array(5.0)}, "`x` holds a single number"),
        ({"x": ak.Array(["a", "b"])}, "`x` holds an awkward array of text"),
        ({"x": ak.Array([{"a": 1}])}, "an awkward layout that is not read, RecordArray"),
        ({"x": ak.Array([1, None])}, "an awkward layout that is not read, IndexedOptionArray"),
        ({"x": ak.Array([[1], [2]]), "y": np.arange(3)}, "`y` has 3 entries, `x` has 2"),
        ({1: np.arange(3)}, "a int stands where a str is needed"),
    ],
)
def test_what_is_no_branch_is_named(tmp_path: Path, value: object, words: str) -> None:
    found = refusal(written(tmp_path / "all_mu_3", value))
    assert words in found
    assert "all_mu_3" in found


def patched(old: bytes, new: bytes, data: bytes | None = None) -> bytes:
    """A good pickle with one place changed."""
    data = data or pickle.dumps({"x": ak.Array([[1, 2], [3]])}, protocol=4)
    assert data.count(old) == 1
    return data.replace(old, new)


OFFSETS = np.array([0, 2, 3])


@pytest.mark.parametrize(
    "offsets", [[0, 3, 2], [0, 2, 4], [-1, 2, 3], [0, -2, 3], [0, 2, 2**62], [5, 2, 3]]
)
def test_offsets_are_checked(tmp_path: Path, offsets: list[int]) -> None:
    path = tmp_path / "x"
    path.write_bytes(patched(OFFSETS.tobytes(), np.array(offsets).tobytes()))
    assert "QL-EVENTS-052" in refusal(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"K\x01K\x03\x85", b"K\x01K\x04\x85"),  # four offsets in the bytes of three
        (b"K\x01K\x03\x85", b"K\x01J\xff\xff\xff\xff\x85"),  # -1 of them
        (b"K\x01K\x03\x85", b"K\x01\x8a\x08" + b"\xff" * 7 + b"\x7f\x85"),  # 2^63 - 1
        (b"K\x02}", b"K\x07}"),  # more entries than offsets
        (b"K\x02}", b"J\xfe\xff\xff\xff}"),  # -2 entries
        (b"int64", b"bytes"),
        (b"i64", b"i16"),
        (b"node0-offsets", b"node7-offsets"),
    ],
)
def test_sizes_are_checked(tmp_path: Path, old: bytes, new: bytes) -> None:
    data = pickle.dumps({"x": ak.Array([[1, 2], [3]])}, protocol=4)
    at = data.index(old)
    path = tmp_path / "x"
    path.write_bytes(data[:at] + new + data[at + len(old) :])
    found = refusal(path)
    assert "QL-EVENTS-05" in found


def test_one_array_cannot_stand_for_many_branches(tmp_path: Path) -> None:
    array = np.zeros(10_000)
    shared = written(tmp_path / "x", {f"b{number}": array for number in range(1000)})
    assert "values that stand for other branches, too" in refusal(shared)
