"""Globs in natural order, nothing twice, and help when nothing matches."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.files import expand_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = ("data/f1.root", "data/f2.root", "data/f10.root", "data/g.csv", "data/deep/f3.root")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "data" / "._f1.root").touch()
    (tmp_path / "data" / "folder.root").mkdir()
    return tmp_path


def names(paths: list[Path], base: Path) -> list[str]:
    return [path.relative_to(base / "data").as_posix() for path in paths]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["data/*.root"], ["f1.root", "f2.root", "f10.root"]),
        (["data/**/*.root"], ["deep/f3.root", "f1.root", "f2.root", "f10.root"]),
        (["data/f?.root"], ["f1.root", "f2.root"]),
        (["data/f[12].root"], ["f1.root", "f2.root"]),
        (["data/g.csv", "data/f1*.root"], ["g.csv", "f1.root", "f10.root"]),
        ([], []),
    ],
)
def test_patterns_name_files_in_natural_order(folder, patterns, expected):
    assert names(expand_files(patterns, base=folder), folder) == expected


def test_absolute_patterns_do_not_need_a_base(folder, tmp_path):
    found = expand_files([str(folder / "data" / "*.csv")], base=tmp_path / "elsewhere")
    assert names(found, folder) == ["g.csv"]


def test_a_name_with_brackets_is_a_file_if_it_exists(folder):
    (folder / "data" / "f[1].root").touch()
    assert names(expand_files(["data/f[1].root"], base=folder), folder) == ["f[1].root"]


def finding_of(patterns: list[str], base: Path):
    with pytest.raises(InputError) as raised:
        expand_files(patterns, base=base)
    (finding,) = raised.value.findings
    return finding


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("data/*.roof", ["no file matches `data/*.roof`", "f1.root"]),
        ("dota/*.root", ["no file matches `dota/*.root`", "data"]),
        ("data/f3.root", ["no such file", "f1.root"]),
        ("data", ["is a folder"]),
    ],
)
def test_nothing_found_says_what_is_there(folder, pattern, words):
    finding = finding_of([pattern], folder)
    assert finding.code == "QL-EVENTS-001"
    assert all(word in str(finding) for word in words)


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        (["data/*.root", "data/f1.root"], ["by `data/*.root` and by `data/f1.root`"]),
        (["data/g.csv", "data/../data/g.csv"], ["`data/../data/g.csv`"]),
        (["data/g.csv", "data/g.csv"], ["twice by `data/g.csv`"]),
    ],
)
def test_a_file_named_twice_is_refused(folder, patterns, words):
    finding = finding_of(patterns, folder)
    assert finding.code == "QL-EVENTS-010"
    assert all(word in finding.message for word in words)


def test_every_wrong_pattern_is_reported_at_once(folder):
    with pytest.raises(InputError) as raised:
        expand_files(["none/*.root", "data/g.csv", "none.csv"], base=folder)
    assert len(raised.value.findings) == 2


@pytest.mark.parametrize("name", ["a.root", "*.root"])
def test_a_folder_that_may_not_be_looked_into(tmp_path, monkeypatch, name):
    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    shown = rf"QL-EVENTS-001  .*cannot look for `closed/{re.escape(name)}`: Permission denied"
    with pytest.raises(InputError, match=shown):
        expand_files([f"closed/{name}"], base=tmp_path)
