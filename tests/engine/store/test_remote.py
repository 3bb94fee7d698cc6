"""Remote files: pieces and copies from a web server, attempts, keys, and servers that fail."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quarkline.engine.core.addresses import address_of, spelt
from quarkline.engine.core.findings import InputError, WorkError
from quarkline.engine.store import remote
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.remote import RemoteConfig, file_size, local_path, open_binary
from tests.engine.store.file_server import FileServer, serve

pytest.importorskip("aiohttp", reason='pip install "quarkline[remote]"')


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setattr(remote, "FIRST_PAUSE", 0.01)
    folder = tmp_path / "served"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "a.bin").write_bytes(bytes(range(256)) * 20_000)  # 4.9 MiB
    (folder / "data" / "small.bin").write_bytes(b"small")
    with serve(folder) as state:
        yield state


def at(server: FileServer, name: str) -> Path:
    return Path(f"{server.url}/data/{name}")


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://host:80/a/b.root", "https://host:80/a/b.root"),
        ("s3://bucket/a.parquet", "s3://bucket/a.parquet"),
        ("root://eos.host//eos/a.root", "root://eos.host//eos/a.root"),
        ("root://eos.host/eos/a.root", "root://eos.host//eos/a.root"),
        ("/data/a.root", None),
        ("https", None),
        ("data:1/a.root", None),
    ],
)
def test_an_address_survives_being_a_path(typed, address):
    assert address_of(typed) == address
    assert address_of(Path(typed)) == address
    assert spelt(Path(typed)) == (address or typed)


def test_a_stream_reads_as_the_file_does(server):
    data = (server.folder / "data" / "a.bin").read_bytes()
    with open_binary(at(server, "a.bin")) as stream:
        assert stream.read(10) == data[:10]
        assert stream.seek(-20, io.SEEK_END) == len(data) - 20
        assert stream.read() == data[-20:]
        stream.seek(2**20 - 5)
        assert stream.read(3 * 2**20) == data[2**20 - 5 : 4 * 2**20 - 5]
    assert file_size(at(server, "a.bin")) == len(data)


def test_only_blocks_that_are_needed_are_asked_for(server):
    with open_binary(at(server, "a.bin")) as stream:
        stream.read(10)
        stream.seek(5)
        stream.read(10)
    assert server.bytes_sent() == remote.BLOCK


def test_a_copy_is_made_once_and_again_when_the_file_changes(server):
    path = at(server, "small.bin")
    first = local_path(path)
    assert first.read_bytes() == b"small"
    asked = len(server.requests)
    assert local_path(path) == first
    assert len(server.requests) == asked
    (server.folder / "data" / "small.bin").write_bytes(b"other")
    assert local_path(path).read_bytes() == b"other"


def test_local_files_are_read_where_they_are(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"here")
    assert local_path(path) == path
    with open_binary(path) as stream:
        assert stream.read() == b"here"


def test_a_copy_that_is_cut_short_is_not_kept(server, monkeypatch, tmp_path):
    monkeypatch.setattr(remote._Server, "state", {"size": "5"})
    path = at(server, "small.bin")
    local_path(path)
    original = Path.stat

    def shorter(self: Path, **options: object) -> os.stat_result:
        found = original(self, **options)
        if self.name.endswith(".tmp"):
            return os.stat_result((*found[:6], found.st_size - 1, *found[7:]))
        return found

    (server.folder / "data" / "other.bin").write_bytes(b"other")
    monkeypatch.setattr(Path, "stat", shorter)
    with pytest.raises(WorkError, match="4 of 5 bytes"):
        local_path(at(server, "other.bin"))
    monkeypatch.undo()
    assert not list((tmp_path / "quarkline-cache").rglob("other.bin"))


@pytest.mark.parametrize("name", ["small.bin", "a.bin"])
def test_failures_are_tried_again(server, name):
    server.failures = 3
    with open_binary(at(server, name)) as stream:
        assert len(stream.read(5)) == 5


def test_after_the_last_attempt_the_server_is_named(server):
    server.failures = 3
    with (
        pytest.raises(WorkError) as raised,
        open_binary(at(server, "a.bin"), RemoteConfig(retries=2)) as stream,
    ):
        stream.read(5)
    (finding,) = raised.value.findings
    assert finding.code == "QL-REMOTE-001"
    assert "3 attempts" in finding.message
    assert f"{server.url}/data/a.bin" in str(finding)


def test_a_missing_file_is_not_asked_for_again(server):
    with pytest.raises(InputError) as raised:
        open_binary(at(server, "none.bin"))
    assert raised.value.findings[0].code == "QL-REMOTE-002"


def test_a_server_without_ranges_is_told_from_data(server):
    server.ranges = False
    with pytest.raises(WorkError) as raised, open_binary(at(server, "a.bin")) as stream:
        stream.read(5)
    assert raised.value.findings[0].code == "QL-REMOTE-003"
    assert local_path(at(server, "a.bin")).stat().st_size == 256 * 20_000


def test_a_server_that_is_not_there_is_one_finding(server):
    config = RemoteConfig(retries=1, timeout=1)
    with pytest.raises(WorkError) as raised:
        open_binary(Path("http://127.0.0.1:9/a.root"), config)
    assert raised.value.findings[0].code == "QL-REMOTE-001"


def test_small_remote_files_have_the_key_of_their_bytes_large_ones_a_weak_one(server):
    small, large = at(server, "small.bin"), at(server, "a.bin")
    assert file_key(small) == file_key(server.folder / "data" / "small.bin")
    assert file_key(large).weak
    assert server.bytes_sent() < 3 * 2**20
    assert file_key(large, verify=True) == file_key(server.folder / "data" / "a.bin")


def test_a_changed_end_changes_the_weak_key(server):
    before = file_key(at(server, "a.bin"))
    path = server.folder / "data" / "a.bin"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert file_key(at(server, "a.bin")) != before


@pytest.mark.parametrize(
    ("address", "extra"),
    [("http://h/a", "remote"), ("s3://b/a", "remote"), ("root://h//a", "xrootd")],
)
def test_a_missing_package_names_the_extra(monkeypatch, address, extra):
    def absent(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs")

    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.setattr("fsspec.core.url_to_fs", absent)
    with pytest.raises(InputError) as raised:
        open_binary(Path(address))
    (finding,) = raised.value.findings
    assert finding.code == "QL-RUN-031"
    assert finding.suggestion == f'pip install "quarkline[{extra}]"'
