"""Events on other computers: every format over HTTP and S3 as from the disk, and lists of them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.engine.store import remote
from quarkline.engine.store.remote import RemoteConfig
from quarkline.events.files import expand_files
from quarkline.events.sources import list_trees, open_source
from tests.engine.store.file_server import FileServer, serve

pytest.importorskip("aiohttp", reason='pip install "quarkline[remote]"')
NAMES = ("a.root", "ntuple.root", "a.parquet", "a.h5", "a.csv", "p.csv", "a.lhe")


@pytest.fixture
def folder(tmp_path: Path, write, events: ak.Array, text_of) -> Path:
    """Some events in every format that is read from another computer."""
    few = events[:50]
    for name in ("a.root", "a.parquet", "a.h5"):
        write(name, few)
    write("ntuple.root", few, format="rntuple")
    write("a.csv", few[["flat_int64", "odd"]])
    (tmp_path / "p.csv").write_text(text_of["phenoml"](50))
    (tmp_path / "a.lhe").write_text(text_of["lhe"](50))
    return tmp_path


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setattr(remote, "FIRST_PAUSE", 0.01)
    with serve(folder) as state:
        yield state


def check_same(there: Path, here: Path, equal) -> None:
    with open_source(there) as source, open_source(here) as local:
        columns = list(local.schema.columns)
        assert source.schema.columns == local.schema.columns
        assert equal(source.read(columns), local.read(columns))
        chunks = [chunk.array for chunk in source.chunks(columns, step=20)]
        assert equal(ak.concatenate(chunks), local.read(columns))
        assert source.source_id == local.source_id
    assert list_trees(there) == list_trees(here)


@pytest.mark.parametrize("name", NAMES)
def test_every_format_reads_over_http_as_from_the_disk(server, name, equal):
    server.failures = 2
    check_same(Path(f"{server.url}/{name}"), server.folder / name, equal)


def test_some_columns_of_a_large_file_need_few_bytes(server, data_folder):
    large = data_folder / "root_samples" / "uproot-demo-double32.root"
    shutil.copy(large, server.folder)
    with open_source(f"{server.url}/{large.name}") as source:
        source.read(["fD64"], 0, 100)
    assert server.bytes_sent() < large.stat().st_size


def test_a_page_that_is_no_data_is_described(server):
    (server.folder / "a.root").write_bytes(b"<html>log in first</html>")
    with pytest.raises(InputError, match="is not a ROOT file: it is an HTML page") as raised:
        open_source(f"{server.url}/a.root")
    assert f"{server.url}/a.root" in str(raised.value.findings[0])


def test_a_list_names_files_here_and_there(server, folder):
    (folder / "names.txt").write_text(
        f"# the sample\n\na.*et\n{folder}/a.root\n  {server.url}/a.csv\n"
    )
    files = expand_files(["a.h5"], base=folder, files_from=folder / "names.txt")
    assert files == [
        folder / "a.h5",
        folder / "a.parquet",
        folder / "a.root",
        Path(f"{server.url}/a.csv"),
    ]


def test_files_are_copied_first_where_that_is_asked_for(server):
    address = f"{server.url}/a.root"
    (copy,) = expand_files([address], base=Path(), remote=RemoteConfig(copy=True))
    assert copy.read_bytes() == (server.folder / "a.root").read_bytes()
    asked = len(server.requests)
    assert expand_files([address], base=Path(), remote=RemoteConfig(copy=True)) == [copy]
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://host/*.root", "web servers do not list their files"),
        ("https://host//a.root", "has an empty part"),
        ("s3://bucket/a//b.root", "has an empty part"),
        ("root://host//a//b.root", "has an empty part"),
    ],
)
def test_addresses_that_name_no_file_are_refused(address, words):
    with pytest.raises(InputError, match=words):
        expand_files([address], base=Path())


def test_an_address_named_twice_is_refused():
    with pytest.raises(InputError, match="twice"):
        expand_files(["https://host/a.root"] * 2, base=Path())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"nobody listens on port {port}")


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a local S3 server with an empty bucket `data`."""
    pytest.importorskip("s3fs", reason='pip install "quarkline[remote]"')
    program = shutil.which("moto_server")
    if program is None:
        pytest.skip('no S3 server here: pip install "moto[server]"')
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def bucket(s3: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    name = f"data-{os.getpid()}-{time.monotonic_ns()}"
    files = s3fs.S3FileSystem(skip_instance_cache=True)
    files.mkdir(name)
    for path in folder.iterdir():
        if path.is_file():
            files.put_file(str(path), f"{name}/sub/{path.name}")
    return f"s3://{name}/sub"


@pytest.mark.parametrize("name", NAMES)
def test_every_format_reads_from_s3_as_from_the_disk(bucket, folder, name, equal):
    check_same(Path(f"{bucket}/{name}"), folder / name, equal)


def test_globs_work_on_s3(bucket):
    found = expand_files([f"{bucket}/*.root"], base=Path())
    assert found == [Path(f"{bucket}/a.root"), Path(f"{bucket}/ntuple.root")]
    with pytest.raises(InputError, match="no file matches"):
        expand_files([f"{bucket}/*.roof"], base=Path())


def test_a_missing_object_is_one_finding(bucket):
    with pytest.raises(InputError) as raised:
        open_source(f"{bucket}/none.root")
    assert raised.value.findings[0].code == "QL-REMOTE-002"


@pytest.fixture
def xrootd(folder: Path) -> Iterator[str]:
    """The address of a local XRootD server that exports `folder`."""
    pytest.importorskip("fsspec_xrootd", reason='pip install "quarkline[remote]"')
    program = shutil.which("xrootd")
    if program is None:
        pytest.skip("no XRootD server here: apt install xrootd-server")
    port = free_port()
    config = folder / "xrootd.cfg"
    config.write_text(
        f"all.export {folder}\nxrd.port {port}\nall.adminpath {folder}/admin\n"
        f"all.pidpath {folder}/admin\nxrd.allow host *\n"
    )
    user = ["-R", "nobody"] if os.getuid() == 0 else []  # it refuses to run as root
    for place in (folder, *folder.parents[:3], folder / "admin"):
        place.mkdir(exist_ok=True)
        place.chmod(0o777)
    process = subprocess.Popen([program, *user, "-c", config, "-l", folder / "admin" / "log"])
    try:
        wait_for(port)
        yield f"root://127.0.0.1:{port}/{folder}"
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_every_format_reads_from_xrootd_as_from_the_disk(xrootd, folder, equal):
    for name in NAMES:
        check_same(Path(f"{xrootd}/{name}"), folder / name, equal)
    found = expand_files([f"{xrootd}/*.root"], base=Path())
    assert found == [Path(f"{xrootd}/a.root"), Path(f"{xrootd}/ntuple.root")]
    with pytest.raises(InputError) as raised:
        open_source(f"{xrootd}/none.root")
    assert raised.value.findings[0].code == "QL-REMOTE-002"
