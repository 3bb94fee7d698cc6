"""Downloads from an archive on this computer that misbehaves in every way we know."""

from __future__ import annotations

import random
import shutil
import subprocess
import threading
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from quarkline.engine.core.findings import InputError, QuarklineError, WorkError
from quarkline.engine.store.download import RETRIES, RemoteFile, checksum, download, read_json
from tests.engine.store.local_archive import LocalArchive, local_archive

CONTENT = random.Random(1).randbytes(3_000_000)
PAGE = "https://archive.example/records/1"


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalArchive]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time", types.SimpleNamespace(sleep=lambda seconds: None))
    with local_archive() as served:
        yield served


def fetched(folder: Path, *files: RemoteFile) -> dict[str, str]:
    return download(files, folder, by_hand=PAGE, progress=lambda done, total, name: None)


def refusal(folder: Path, *files: RemoteFile) -> str:
    with pytest.raises(QuarklineError) as caught:
        fetched(folder, *files)
    (finding,) = caught.value.findings
    return str(finding)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "adler32"])
def test_a_file_arrives_whole_and_is_not_downloaded_again(
    archive: LocalArchive, tmp_path: Path, algorithm: str
) -> None:
    file = archive.add("a.root", CONTENT, algorithm)
    assert fetched(tmp_path, file) == {"a.root": "downloaded"}
    assert (tmp_path / "a.root").read_bytes() == CONTENT
    assert fetched(tmp_path, file) == {"a.root": "there"}
    assert archive.asked == [("/a.root", 0)]
    assert names(tmp_path) == ["a.root"]


@pytest.mark.skipif(shutil.which("md5sum") is None, reason="no md5sum on this computer")
def test_checksums_are_those_of_other_programs(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(CONTENT)
    said = subprocess.run(["md5sum", path], capture_output=True, text=True, check=True).stdout
    assert checksum(path, "md5") == said.split()[0]
    path.write_bytes(b"Wikipedia")
    assert checksum(path, "adler32") == "11e60398"  # the example that Adler-32's article works out


def test_progress_counts_every_byte_once(archive: LocalArchive, tmp_path: Path) -> None:
    files = [archive.add(name, CONTENT) for name in ("a", "b", "c")]
    fetched(tmp_path, files[0])
    told: list[tuple[int, int, str]] = []
    download(files, tmp_path, by_hand=PAGE, progress=lambda *now: told.append(now))
    done = [now[0] for now in told]
    assert done == sorted(done)
    assert told[0] == (len(CONTENT), 3 * len(CONTENT), "a")
    assert told[-1] == (3 * len(CONTENT), 3 * len(CONTENT), "c")


def test_a_cut_connection_goes_on_where_it_ended(archive: LocalArchive, tmp_path: Path) -> None:
    file = archive.add("a.root", CONTENT)
    archive.behaviour["/a.root"] = ["cut 1500000", "cut 1200000"]
    assert fetched(tmp_path, file) == {"a.root": "resumed"}
    assert (tmp_path / "a.root").read_bytes() == CONTENT
    starts = [start for _, start in archive.asked]
    assert starts[0] == 0 < starts[1] < starts[2]
    assert len(starts) == 3


def test_another_day_goes_on_from_the_partial_file(archive: LocalArchive, tmp_path: Path) -> None:
    file = archive.add("a.root", CONTENT)
    archive.behaviour["/a.root"] = ["cut 1100000"] + ["cut 0"] * RETRIES
    assert "QL-FETCH-001" in refusal(tmp_path, file)
    assert names(tmp_path) == [".partial/a.root.part"]
    assert fetched(tmp_path, file) == {"a.root": "resumed"}
    assert (tmp_path / "a.root").read_bytes() == CONTENT
    assert archive.asked[-1][1] >= 2**20
    assert names(tmp_path) == ["a.root"]


def test_partial_files_of_others_are_kept_and_leftovers_are_not(
    archive: LocalArchive, tmp_path: Path
) -> None:
    work = tmp_path / ".partial"
    work.mkdir()
    for name in ("other.root.part", "tmp1a2b3c"):
        (work / name).touch()
    fetched(tmp_path, archive.add("a.root", CONTENT))
    assert names(tmp_path) == [".partial/other.root.part", "a.root"]


def test_a_server_without_ranges_sends_all_again(archive: LocalArchive, tmp_path: Path) -> None:
    file = archive.add("a.root", CONTENT)
    archive.behaviour["/a.root"] = ["cut 1500000", "whole"]
    assert fetched(tmp_path, file) == {"a.root": "downloaded"}
    assert (tmp_path / "a.root").read_bytes() == CONTENT


def test_old_bytes_that_do_not_belong_are_thrown_away(
    archive: LocalArchive, tmp_path: Path
) -> None:
    file = archive.add("a.root", CONTENT)
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / "a.root.part").write_bytes(b"other" * 100)
    assert fetched(tmp_path, file) == {"a.root": "downloaded"}
    assert (tmp_path / "a.root").read_bytes() == CONTENT
    assert [start for _, start in archive.asked] == [500, 0]


def test_a_file_that_became_shorter_is_downloaded_anew(
    archive: LocalArchive, tmp_path: Path
) -> None:
    file = archive.add("a.root", CONTENT[:1000])
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / "a.root.part").write_bytes(CONTENT)
    assert fetched(tmp_path, file) == {"a.root": "downloaded"}
    assert (tmp_path / "a.root").read_bytes() == CONTENT[:1000]


def test_a_wrong_checksum_leaves_nothing(archive: LocalArchive, tmp_path: Path) -> None:
    file = archive.add("a.root", CONTENT)
    archive.content["/a.root"] = CONTENT[::-1]
    found = refusal(tmp_path, file)
    assert "QL-FETCH-003" in found
    assert file.checksum in found
    assert PAGE in found
    assert not names(tmp_path)


@pytest.mark.parametrize("served", [CONTENT[:-1], b"<html>busy</html>", CONTENT + b"x"])
def test_a_wrong_size_is_seen_before_the_transfer(
    archive: LocalArchive, tmp_path: Path, served: bytes
) -> None:
    file = archive.add("a.root", CONTENT)
    archive.content["/a.root"] = served
    found = refusal(tmp_path, file)
    assert "QL-FETCH-003" in found
    assert f"offers {len(served):,} bytes" in found
    assert len(archive.asked) == 1


def test_a_server_that_sends_on_and_on_is_stopped(archive: LocalArchive, tmp_path: Path) -> None:
    file = archive.add("a.root", b"x" * 1000)
    archive.behaviour["/a.root"] = ["more"]
    assert "QL-FETCH-003" in refusal(tmp_path, file)
    assert not names(tmp_path)


def test_a_busy_server_is_asked_again(archive: LocalArchive, tmp_path: Path) -> None:
    file = archive.add("a.root", CONTENT)
    archive.behaviour["/a.root"] = ["500"]
    assert fetched(tmp_path, file) == {"a.root": "downloaded"}
    assert len(archive.asked) == 2


@pytest.mark.parametrize("status", ["404", "403", "410"])
def test_a_refusal_is_final(archive: LocalArchive, tmp_path: Path, status: str) -> None:
    file = archive.add("a.root", CONTENT)
    archive.behaviour["/a.root"] = [status]
    found = refusal(tmp_path, file)
    assert "QL-FETCH-002" in found
    assert f"{file.url} answers {status}" in found
    assert len(archive.asked) == 1


def test_no_connection_is_one_clear_finding(archive: LocalArchive, tmp_path: Path) -> None:
    nobody = RemoteFile("a.root", "http://127.0.0.1:9/a.root", 10)
    with pytest.raises(WorkError) as caught:
        fetched(tmp_path / "data", nobody)
    (finding,) = caught.value.findings
    assert finding.code == "QL-FETCH-001"
    assert "http://127.0.0.1:9/a.root cannot be reached" in finding.message
    assert finding.suggestion is not None
    assert PAGE in finding.suggestion
    assert str(tmp_path / "data") in finding.suggestion


def test_what_has_arrived_stays_when_a_later_file_fails(
    archive: LocalArchive, tmp_path: Path
) -> None:
    files = [archive.add(name, CONTENT) for name in ("a", "b", "c")]
    archive.behaviour["/b"] = ["404"]
    refusal(tmp_path, *files)
    assert names(tmp_path) == ["a"]
    assert fetched(tmp_path, *files) == {"a": "there", "b": "downloaded", "c": "downloaded"}


def test_space_is_checked_before_anything_is_written(archive: LocalArchive, tmp_path: Path) -> None:
    huge = RemoteFile("a.root", f"{archive.address}/a.root", 10**18)
    with pytest.raises(InputError, match="QL-FETCH-004") as caught:
        fetched(tmp_path / "data", huge)
    assert "1,000,000,000.0 GB are needed" in str(caught.value)
    assert not (tmp_path / "data").exists()
    assert not archive.asked


def test_two_runs_at_once_download_once(archive: LocalArchive, tmp_path: Path) -> None:
    file = archive.add("a.root", CONTENT)
    archive.behaviour["/a.root"] = ["slow"]
    states: list[dict[str, str]] = []
    runs = [
        threading.Thread(target=lambda: states.append(fetched(tmp_path, file))) for _ in range(2)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(state["a.root"] for state in states) == ["downloaded", "there"]
    assert len(archive.asked) == 1
    assert names(tmp_path) == ["a.root"]


@pytest.mark.parametrize("text", [b"{", b"<html>", b"\xff\xfe"])
def test_what_is_no_json_is_said_so(archive: LocalArchive, tmp_path: Path, text: bytes) -> None:
    archive.content["/record"] = text
    with pytest.raises(WorkError, match=r"QL-FETCH-002.*no JSON"):
        read_json(f"{archive.address}/record", by_hand=PAGE, folder=tmp_path)
