"""Content keys of files: of the content alone, remembered only while the file stays the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from quarkline.engine.core.findings import WorkError
from quarkline.engine.store import filekeys
from quarkline.engine.store.cache import cache_folder
from quarkline.engine.store.filekeys import FileKey, file_key, source_id

OLD = time.time_ns() - 10**12


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "events.root"
    path.write_bytes(b"root" * 1000)
    os.utime(path, ns=(OLD, OLD))
    return path


@pytest.fixture
def hashed(monkeypatch) -> list[Path]:
    """The files that were really hashed."""
    calls: list[Path] = []

    def spy(path: Path) -> str:
        calls.append(path)
        return original(path)

    original = filekeys._hash_all
    monkeypatch.setattr(filekeys, "_hash_all", spy)
    return calls


def notes() -> list[Path]:
    return [path for path in (cache_folder() / "filekeys").rglob("*") if path.is_file()]


@pytest.mark.skipif(shutil.which("b2sum") is None, reason="b2sum of coreutils is not installed")
def test_the_key_is_what_another_program_computes(path):
    text = subprocess.run(
        ["b2sum", "--length=128", path], capture_output=True, text=True, check=True
    ).stdout
    assert file_key(path) == FileKey(text.split()[0], weak=False)


def test_the_source_id_is_the_first_eight_bytes_little_endian():
    assert source_id(FileKey("0100000000000080" + "ff" * 8)) == 2**63 + 1


def test_a_file_that_stays_the_same_is_hashed_once(path, hashed):
    assert file_key(path) == file_key(path)
    assert len(hashed) == 1
    assert len(notes()) == 1


def test_a_copy_elsewhere_has_the_same_key(path, tmp_path):
    copy = tmp_path / "copy.root"
    copy.write_bytes(path.read_bytes())
    assert file_key(copy) == file_key(path)


@pytest.mark.parametrize("keep", ["size", "time"])
def test_other_content_has_another_key(path, keep):
    before = file_key(path)
    path.write_bytes(b"ROOT" * 1000 if keep == "size" else b"root" * 999)
    stamp = OLD + (10**9 if keep == "size" else 0)
    os.utime(path, ns=(stamp, stamp))
    assert file_key(path) != before


def test_a_file_put_in_the_place_of_another_is_noticed_by_its_inode(path, tmp_path):
    before = file_key(path)
    other = tmp_path / "other"
    other.write_bytes(b"ROOT" * 1000)
    os.utime(other, ns=(OLD, OLD))
    other.replace(path)
    assert file_key(path) != before


def test_a_file_written_a_moment_ago_is_not_remembered(path, hashed):
    """Within one tick of a coarse clock it could change without another time."""
    os.utime(path)
    file_key(path)
    file_key(path)
    assert len(hashed) == 2
    assert notes() == []


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"{}", b"\xff", b'{"digest": "zz", "weak": false, "state": {}}']
)
def test_a_damaged_note_is_ignored_and_replaced(path, hashed, damage):
    key = file_key(path)
    (note,) = notes()
    note.write_bytes(damage)
    assert file_key(path) == key
    assert file_key(path) == key
    assert len(hashed) == 2


def test_a_cut_note_is_ignored(path):
    key = file_key(path)
    (note,) = notes()
    whole = note.read_bytes()
    for size in range(0, len(whole), 9):
        note.write_bytes(whole[:size])
        assert file_key(path) == key


def test_verify_trusts_nothing_remembered(path, hashed):
    key = file_key(path)
    assert file_key(path, verify=True) == key
    assert len(hashed) == 2


def test_a_cache_that_cannot_be_written_only_costs_time(path, hashed, monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("QUARKLINE_CACHE", str(blocked / "below"))
    assert file_key(path) == file_key(path)
    assert len(hashed) == 2


@pytest.fixture
def large(monkeypatch, tmp_path: Path) -> Path:
    """A file above a limit that is lowered for the test."""
    monkeypatch.setattr(filekeys, "WHOLE_FILE_LIMIT", 3 * filekeys.ENDS)
    path = tmp_path / "large.root"
    path.write_bytes(bytes(4 * filekeys.ENDS))
    os.utime(path, ns=(OLD, OLD))
    return path


def changed_at(path: Path, position: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(position)
        stream.write(b"\x01")
    stamp = path.stat().st_mtime_ns - position - 10**12
    os.utime(path, ns=(stamp, stamp))


def test_a_large_file_has_a_weak_key_of_size_and_ends(large):
    before = file_key(large)
    assert before.weak
    changed_at(large, 2 * filekeys.ENDS)
    assert file_key(large) == before
    changed_at(large, 5)
    first = file_key(large)
    changed_at(large, 4 * filekeys.ENDS - 5)
    last = file_key(large)
    with large.open("ab") as stream:
        stream.write(b"")
    assert len({before, first, last}) == 3


def test_verify_hashes_a_large_file_whole_and_changes_no_later_key(large, hashed):
    weak = file_key(large)
    whole = file_key(large, verify=True)
    assert not whole.weak
    assert whole.digest != weak.digest
    assert file_key(large) == weak
    assert len(hashed) == 1


def test_a_file_that_changes_while_it_is_read_has_no_key(path, monkeypatch):
    def grows(file: Path) -> str:
        with file.open("ab") as stream:
            stream.write(b"more")
        return "00" * 16

    monkeypatch.setattr(filekeys, "_hash_all", grows)
    with pytest.raises(WorkError) as raised:
        file_key(path)
    assert raised.value.findings[0].code == "QL-STORE-101"
    assert notes() == []


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "home/.cache/quarkline"),
        ("linux", {"XDG_CACHE_HOME": "{}/xdg"}, "xdg/quarkline"),
        ("darwin", {}, "home/Library/Caches/quarkline"),
        ("darwin", {"QUARKLINE_CACHE": "{}/own"}, "own"),
    ],
)
def test_the_cache_folder_is_the_users(monkeypatch, tmp_path, platform, environment, expected):
    for name in ("QUARKLINE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sys.platform", platform)
    assert cache_folder() == tmp_path / expected
