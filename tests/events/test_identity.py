"""Row ids, groups and folds: golden values by b2sum, invariances, balance, duplicates."""

from __future__ import annotations

import hashlib
import struct

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarkline.engine.core.findings import InputError, Severity
from quarkline.events.identity import (
    duplicate_events,
    fold_of,
    group_ids,
    object_ids,
    row_ids,
    source_keys,
)
from quarkline.events.sources import Chunk, open_source

KEYS = {
    "run": np.array([284500, 284500, 1, 2**32 - 1, 0], "uint32"),
    "event": np.array([5121, 5122, 5121, 2**64 - 1, 0], "uint64"),
}


def b2sum(digest: str) -> int:
    """The number a digest stands for; it is read little endian."""
    return int.from_bytes(bytes.fromhex(digest), "little")


def test_folds_and_groups_are_those_b2sum_gives():
    """From `printf BYTES | b2sum --length=64`, with seed and values as int64, little endian.

    Seed 1 and group 7 for example are `\\1\\0\\0\\0\\0\\0\\0\\0\\7\\0\\0\\0\\0\\0\\0\\0`.
    """
    assert group_ids({"g": [7]}).view("uint64")[0] == b2sum("b7c78098cd3d47e4")
    folds = 2**14 + 1
    assert fold_of({"g": [7]}, seed=1, folds=folds)[0] == b2sum("858b499316e7622f") % folds
    assert fold_of({"g": [-1]}, seed=1, folds=folds)[0] == b2sum("aeb187a4affa2610") % folds


def test_a_fold_is_the_hash_of_seed_and_values_in_order():
    expected = [
        int.from_bytes(
            hashlib.blake2b(struct.pack("<qqQ", 42, run, event), digest_size=8).digest(), "little"
        )
        % 5
        for run, event in zip(KEYS["run"].tolist(), KEYS["event"].tolist(), strict=True)
    ]
    assert fold_of(KEYS, seed=42, folds=5).tolist() == expected


@given(st.lists(st.integers(0, 2**64 - 1), max_size=40), st.integers(-(2**63), 2**63 - 1))
def test_unsigned_and_signed_columns_of_equal_bits_have_equal_folds(values, seed):
    unsigned = np.array(values, "uint64")
    one = fold_of({"event": unsigned}, seed=seed, folds=7)
    assert np.array_equal(one, fold_of({"event": unsigned.view("int64")}, seed=seed, folds=7))


@given(st.data())
def test_folds_do_not_depend_on_order_or_chunks(data):
    size = data.draw(st.integers(0, 60))
    rows = data.draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=size))
    key = dict(zip("ab", np.array(rows, "int64").reshape(-1, 2).T, strict=True))
    whole = fold_of(key, seed=3, folds=4)
    order = np.array(data.draw(st.permutations(range(len(rows)))), "int64")
    shuffled = fold_of({name: column[order] for name, column in key.items()}, seed=3, folds=4)
    assert np.array_equal(shuffled, whole[order])
    cut = data.draw(st.integers(0, len(rows)))
    parts = [{n: c[s] for n, c in key.items()} for s in (slice(cut), slice(cut, None))]
    joined = np.concatenate([fold_of(part, seed=3, folds=4) for part in parts])
    assert np.array_equal(joined, whole)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])
def test_the_width_of_a_column_does_not_matter(dtype):
    values = np.arange(100)
    expected = fold_of({"g": values}, seed=1, folds=5)
    assert np.array_equal(fold_of({"g": values.astype(dtype)}, seed=1, folds=5), expected)


def test_equal_groups_share_fold_and_id():
    key = {"a": np.repeat(np.arange(50), 4), "b": np.tile([1, 1, 2, 2], 50)}
    pairs = np.stack([fold_of(key, seed=9, folds=5), group_ids(key)], axis=1).reshape(100, 2, 2)
    assert (pairs[:, 0] == pairs[:, 1]).all()
    assert len(np.unique(group_ids(key))) == 100


def test_the_order_of_key_columns_and_the_seed_matter():
    key = {"a": np.arange(200), "b": np.arange(200)[::-1]}
    base = fold_of(key, seed=1, folds=5)
    assert not np.array_equal(base, fold_of(dict(reversed(key.items())), seed=1, folds=5))
    assert not np.array_equal(base, fold_of(key, seed=2, folds=5))


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
def test_folds_are_balanced(folds):
    """Consecutive event numbers spread as independent draws would (chi-square, p > 1e-6)."""
    counts = np.bincount(fold_of({"event": np.arange(100_000)}, seed=1, folds=folds))
    expected = 100_000 / folds
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert len(counts) == folds
    assert chi2 < folds - 1 + 5 * np.sqrt(2 * (folds - 1)) + 10


def test_folds_of_two_seeds_are_independent():
    event = {"event": np.arange(100_000)}
    table = np.zeros((5, 5))
    np.add.at(table, (fold_of(event, seed=1, folds=5), fold_of(event, seed=2, folds=5)), 1)
    assert ((table - 4000) ** 2 / 4000).sum() < 24 + 5 * np.sqrt(48) + 10


@pytest.mark.parametrize("column", [[1.0, 2.0], np.array([1, 2], "float32"), ["a", "b"]])
def test_columns_that_are_no_integers_are_refused(column):
    with pytest.raises(InputError) as raised:
        fold_of({"run": [1, 2], "event": column}, seed=1, folds=5)
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-031"
    assert "`event`" in finding.message


@pytest.mark.parametrize("folds", [0, -1, 2**15])
def test_impossible_numbers_of_folds(folds):
    with pytest.raises(ValueError, match=str(folds)):
        fold_of({"event": [1]}, seed=1, folds=folds)


def test_duplicates_are_counted_with_examples():
    key = {"run": [1, 1, 2, 1, 2, 3], "event": [7, 8, 7, 7, 7, 7]}
    finding = duplicate_events(key)
    assert finding.severity is Severity.WARNING
    assert finding.code == "QL-EVENTS-030"
    assert "2 of 6 rows repeat an event key (run, event)" in finding.message
    assert "run 1, event 7; run 2, event 7" in finding.message
    assert finding.evidence["repeated"] == 2


def test_unique_events_are_no_finding():
    assert duplicate_events(KEYS) is None
    assert duplicate_events({"event": np.empty(0, "int64")}) is None


def test_large_event_numbers_are_shown_as_they_are():
    key = {"event": np.array([2**64 - 1, 2**64 - 1], "uint64")}
    assert "event 18446744073709551615" in duplicate_events(key).message


def test_row_ids_say_where_a_row_came_from(write, events):
    with open_source(write("a.root", events)) as source:
        chunks = list(source.chunks(["Jet_int8"], step=300))
        ids = [row_ids(chunk, source.schema.tree) for chunk in chunks]
        assert {one.source for one in ids} == {source.source_id}
        assert {one.tree for one in ids} == {"Events"}
    columns = [one.columns() for one in ids]
    assert np.array_equal(np.concatenate([c["_entry"] for c in columns]), np.arange(1000))
    dtypes = {name: str(column.dtype) for name, column in columns[0].items()}
    assert dtypes == {"_source": "uint64", "_entry": "uint64", "_object": "uint16"}


def test_objects_are_numbered_in_their_entry():
    chunk = Chunk(ak.Array([{"n": 2}, {"n": 0}, {"n": 3}]), 10, 2**63)
    ids = object_ids(chunk, chunk.array["n"])
    assert ids.entry.tolist() == [10, 10, 12, 12, 12]
    assert ids.object.tolist() == [0, 1, 0, 1, 2]
    kept = ids[np.array([True, False, False, False, True])]
    assert (kept.entry.tolist(), kept.object.tolist()) == ([10, 12], [0, 2])
    assert set(kept.columns()["_source"].tolist()) == {2**63}


def test_copies_among_the_inputs_are_refused(write, events, tmp_path):
    path = write("a.parquet", events)
    copy = tmp_path / "copy.parquet"
    copy.write_bytes(path.read_bytes())
    other = write("b.parquet", events[:5])
    assert len(source_keys([path, other])) == 2
    with pytest.raises(InputError) as raised:
        source_keys([path, other, copy])
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-032"
    assert str(path) in finding.message
    assert finding.place.file == copy


def test_files_without_events_may_be_equal(write, events):
    paths = [write(f"{name}.parquet", events[:0]) for name in "ab"]
    keys = source_keys(paths)
    assert len(set(keys.values())) == 1
