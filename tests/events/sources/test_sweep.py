"""TTrees of numbers: every basket is decoded at most once, and none that holds nothing taken."""

from __future__ import annotations

import zlib
from collections import Counter
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from quarkline.engine.core.findings import WorkError
from quarkline.events.sources import baskets, open_source

COUNTED = Path(__file__).with_name("counted.root")
"""Entry i holds i % 7 numbers i + j / 8; made with `TIOFeatures`' kGenerateOffsetMap by ROOT 6.40,
so that its baskets do not say where lists begin."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """1000 entries in baskets of 100: one number, and as many of them as its last digit says."""
    entries = np.arange(1000)
    lists = ak.unflatten(np.repeat(entries, entries % 10), entries % 10)
    path = tmp_path / "events.root"
    with uproot.recreate(path, compression=None) as file:
        tree = file.mktree("Events", {"x": "int32", "y": "var * int64"})
        for start in range(0, 1000, 100):
            rows = slice(start, start + 100)
            tree.extend({"x": entries[rows], "y": lists[rows]})
    return path


@pytest.fixture
def decoded(monkeypatch) -> Counter:
    """How often each basket of each branch was decoded."""
    found: Counter = Counter()
    decode = baskets.Baskets._decoded

    def counting(self: baskets.Baskets, index: int) -> object:
        found[self._branch.name, index] += 1
        return decode(self, index)

    monkeypatch.setattr(baskets.Baskets, "_decoded", counting)
    return found


@pytest.mark.parametrize("step", [7, 100, 130, 1000])
def test_every_basket_is_decoded_once_whatever_the_steps(path, decoded, step):
    with open_source(path) as source:
        sweep = source.sweep()
        for start in range(0, 1000, step):
            stop = min(start + step, 1000)
            sweep.read(["x"], start, stop)
            sweep.take(["y"], np.arange(start, stop, 3))
    assert decoded == {(name, index): 1 for name in "xy" for index in range(10)}


def test_baskets_that_hold_nothing_taken_are_not_decoded(path, decoded):
    entries = np.array([5, 6, 399, 900])
    with open_source(path) as source:
        taken = source.sweep().take(["x", "y"], entries)
    assert taken["x"].to_list() == entries.tolist()
    assert taken["y"].to_list() == [[5] * 5, [6] * 6, [399] * 9, []]
    assert decoded == {(name, index): 1 for name in "xy" for index in (0, 3, 9)}


@pytest.mark.parametrize(
    ("name", "tree"),
    [
        ("uproot-HZZ-objects.root", "events"),
        ("uproot-sample-6.20.04-uncompressed.root", "sample"),
        ("uproot-issue-798.root", "CollectionTree"),
    ],
)
def test_branches_of_numbers_hold_what_uproot_reads(data_folder, equal, name, tree):
    with open_source(data_folder / "root_samples" / name, tree=tree) as source:
        units = {unit for unit, branch in source._branches.items() if baskets.holds_numbers(branch)}
        assert len(units) > 10
        for unit in sorted(units):
            expected = source._branches[unit].array()
            assert equal(source.read_unit(unit, 0, source.schema.entries), expected)
            some = np.flatnonzero(np.arange(len(expected)) % 3 == 1)
            assert equal(source.window(unit).take(some), expected[some])


def test_lists_whose_beginnings_only_the_counter_tells():
    entry = np.arange(90)
    with open_source(COUNTED) as source:
        events = source.read(["n", "x"])
    assert events["n"].to_list() == (entry % 7).tolist()
    assert events["x"].to_list() == [[i + j / 8 for j in range(i % 7)] for i in range(90)]


def test_a_damaged_beginning_of_a_list_is_found(path, tmp_path):
    with uproot.open(path) as file:
        branch = file["Events"]["y"]
        seek = int(branch.member("fBasketSeek")[0])
        basket = branch.basket(0)
    assert basket.compressed_bytes == basket.uncompressed_bytes
    begins = seek + basket.member("fLast") + 4  # behind the number of lists
    data = bytearray(path.read_bytes())
    data[begins + 4 * 17 + 3] += 4
    (tmp_path / "damaged.root").write_bytes(data)
    with open_source(tmp_path / "damaged.root") as source, pytest.raises(WorkError) as raised:
        source.read(["y"])
    assert raised.value.findings[0].code == "QL-EVENTS-003"
    assert "one behind the other" in raised.value.findings[0].message


def test_zlib_is_unpacked_by_the_faster_library(monkeypatch):
    def refuse(*_: object, **__: object) -> bytes:
        raise AssertionError

    data = zlib.compress(b"quarkline")
    monkeypatch.setattr(zlib, "decompress", refuse)
    assert uproot.compression._decompress_ZLIB.decompress(data, 9) == b"quarkline"
