"""Files and folders are absent or complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.engine.store.atomic import (
    atomic_path,
    publish_folder,
    remove_folder,
    remove_leftovers,
    write_atomic,
)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("x")
        assert not path.exists()
    assert path.read_text() == "x"
    assert names(path.parent) == ["a.txt"]


def test_text_and_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    assert write_atomic(tmp_path / "a", "é\r\n").read_bytes() == "é\r\n".encode()
    assert write_atomic(tmp_path / "a", b"\x00").read_bytes() == b"\x00"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_atomic(tmp_path / "a.txt", "old")

    def write_half() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("ne")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_failure_before_anything_is_written_is_itself(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_path(tmp_path / "a.txt"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert names(tmp_path) == []


def make_folder(path: Path, content: str = "x") -> Path:
    (path / "deep").mkdir(parents=True)
    (path / "deep" / "a.txt").write_text(content)
    return path


def test_a_folder_is_published_in_one_step(tmp_path: Path) -> None:
    publish_folder(make_folder(tmp_path / "x.partial"), tmp_path / "x")
    assert names(tmp_path) == ["x", "x/deep", "x/deep/a.txt"]


def test_the_first_of_two_writers_of_a_folder_is_kept(tmp_path: Path) -> None:
    publish_folder(make_folder(tmp_path / "one", "first"), tmp_path / "x")
    publish_folder(make_folder(tmp_path / "two", "second"), tmp_path / "x")
    assert (tmp_path / "x" / "deep" / "a.txt").read_text() == "first"
    assert names(tmp_path) == ["x", "x/deep", "x/deep/a.txt"]


def test_a_folder_that_cannot_be_published_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file"):
        publish_folder(make_folder(tmp_path / "x.partial"), tmp_path / "file")


def test_every_file_is_flushed_before_the_folder_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(
        "quarkline.engine.store.atomic.flush", lambda path: flushed.append(path.name)
    )
    publish_folder(make_folder(tmp_path / "x.partial"), tmp_path / "x")
    assert flushed == ["deep", "a.txt", "x.partial", tmp_path.name]


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = [".hidden", "a.tmp", "deep/b.txt"]
    for name in [*kept, ".a.12ab.tmp", "deep/.b.34cd.tmp"]:
        write_atomic(tmp_path / name, "x")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == sorted([*kept, "deep"])


def test_removing_a_folder_twice(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "x")
    remove_folder(folder)
    remove_folder(folder)
    assert names(tmp_path) == []
