"""The format of a file is told by its content; what is none is described."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.events.sources import detect, list_trees, open_source, registry
from quarkline.events.sources.registry import SOURCES


def finding_of(path: Path):
    with pytest.raises(InputError) as raised:
        open_source(path)
    (finding,) = raised.value.findings
    return finding


@pytest.mark.parametrize("name", ["a.parquet", "a.root", "a.csv", "a.data", "a"])
def test_content_decides_not_the_ending(tmp_path, write, events, name):
    for kind in ("root", "parquet"):
        data = write(f"whole.{kind}", events).read_bytes()
        path = tmp_path / name
        path.write_bytes(data)
        assert detect(path) is SOURCES[kind]
        with open_source(path) as source:
            assert source.schema.entries == 1000


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.root", b"x,y\n1,2\n", "is not a ROOT file: it is text that begins `x,y`"),
        ("a.root", b"", "is not a ROOT file: it is empty (0 bytes)"),
        ("a.root", b"   \n", "blank text"),
        ("a.root", b"  <!DOCTYPE html><html>", "an HTML page"),
        ("a.csv", b"<html><body>404</body></html>", "is not a CSV file: it is an HTML page"),
        ("a.root", b"version https://git-lfs.github.com/spec/v1\n", "a git-lfs pointer"),
        ("a.parquet", pickle.dumps({"x": 1}), "is not a Parquet file: it is a Python pickle"),
        ("a.root", gzip.compress(b"root" * 50, mtime=0), "compressed by gzip"),
        ("a.root", b"sootnoise" + bytes(50), "begins with the bytes 73 6f 6f 74"),
        ("a.txt", b"plain words\n", "has no format that is read: it is text that begins `plain"),
        ("a.lhe.gz", gzip.compress(b"plain", mtime=0), "is not a Les Houches events file"),
        ("a.npy", b"\x93NUMPY\x01\x00", "a single NumPy array"),
        ("a.zip", b"PK\x05\x06" + bytes(18), "a zip archive without NumPy arrays"),
    ],
)
def test_a_file_of_another_kind_is_described(tmp_path, name, content, what):
    path = tmp_path / name
    path.write_bytes(content)
    finding = finding_of(path)
    assert finding.code == "QL-EVENTS-002"
    assert what in finding.message
    assert finding.place.file == path
    assert finding.suggestion


def test_pickles_named_parquet_are_refused(tmp_path):
    """A seed system saved pickles under this name."""
    path = tmp_path / "frame.parquet"
    path.write_bytes(pickle.dumps(np.arange(3)))
    assert "never loaded" in finding_of(path).message


def test_a_flipped_first_byte_makes_no_format(tmp_path, write, events):
    for kind in ("root", "parquet"):
        data = bytearray(write(f"whole.{kind}", events).read_bytes())
        data[0] ^= 0xFF
        path = tmp_path / f"flipped.{kind}"
        path.write_bytes(data)
        assert finding_of(path).code == "QL-EVENTS-002"


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "nanoaod_00.root").touch()
    finding = finding_of(tmp_path / "nanoaod_0.root")
    assert finding.code == "QL-EVENTS-001"
    assert "nanoaod_00.root" in finding.suggestion


def test_a_folder_is_no_file(tmp_path):
    finding = finding_of(tmp_path)
    assert finding.code == "QL-EVENTS-001"
    assert "folder" in finding.message


def test_formats_of_other_packages_are_asked_last(tmp_path, monkeypatch, write, events):
    """Entry points of the group `quarkline.sources` give a Format."""

    class Entry:
        @staticmethod
        def load() -> registry.Format:
            parquet = SOURCES["parquet"]
            return registry.Format("Mine", (".mine",), matches, parquet.open, parquet.trees)

    def matches(path: Path, head: bytes) -> bool:
        asked.append(path.name)
        return head.startswith(b"MINE")

    asked: list[str] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: [Entry])
    path = tmp_path / "a.mine"
    path.write_bytes(b"MINE")
    assert detect(path).name == "Mine"
    detect(write("b.parquet", events))
    assert asked == ["a.mine"]


def test_every_real_file_lists_or_says_why_not(data_folder):
    unread = {}
    for path in sorted((data_folder / "root_samples").iterdir()):
        try:
            for tree in list_trees(path):
                assert tree.problem or tree.entries is not None
        except InputError as error:
            (finding,) = error.findings
            unread[path.suffix] = finding.message
    assert set(unread) == {".md", ".gz"}
    assert "gzip" in unread[".gz"]


MISFITS = (".parentLink.m_persKey", ".parentLink.m_persIndex")  # in PHYSLITE's metadata


@pytest.mark.slow
def test_every_column_of_every_real_file_reads_or_says_why_not(data_folder):
    """All trees of all files; what cannot be read has a reason that names its type."""
    reasons = set()
    for path in sorted((data_folder / "root_samples").iterdir()):
        if path.suffix in {".md", ".gz"}:
            continue
        for tree in list_trees(path):
            with open_source(path, tree=tree.name or None) as source:
                columns, stop = list(source.schema.columns), min(500, source.schema.entries)
                misfits = [n for n in columns if n.endswith(MISFITS) and "physlite" in path.name]
                fitting = [name for name in columns if name not in misfits]
                assert source.read(fitting, 0, stop).fields == fitting
                for name in misfits:
                    with pytest.raises(WorkError, match=r"QL-EVENTS-008.*stored in another way"):
                        source.read([name], 0, stop)
                unreadable = source.schema.metadata.get("unreadable", {})
                reasons |= {reason.partition(" ")[0] for reason in unreadable.values()}
    assert reasons <= {"objects", "type", "values", "an"}
