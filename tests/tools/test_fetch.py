"""`quarkline fetch`: parts, choices, what is said, and the way from pickles to a selection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError, QuarklineError
from quarkline.engine.store.datasets import DataPart, DataSet, ZenodoRecord
from quarkline.studies.resonance import datasets
from quarkline.tools.fetch import fetch
from tests.engine.store.local_archive import LocalArchive, local_archive


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalArchive]:
    """An archive with two muon and two jet pickles, in place of the one that is published."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    (published,) = (part for part in datasets.UPSILON_CMS.parts if part.name == "pickles")
    with local_archive() as served:
        names = [f"all_{kind}_{index}" for index in (0, 1) for kind in ("mu", "jet")]
        files = [served.add(name, f"content of {name}\n".encode()) for name in names]
        listed = [
            {"key": f.name, "size": f.size, "checksum": f.checksum, "links": {"self": f.url}}
            for f in files
        ]
        served.content["/api/records/1"] = json.dumps({"files": listed}).encode()
        part = DataPart(
            "pickles",
            published.holds,
            published.size,
            ZenodoRecord(1, served.address),
            published.pattern,
            published.index,
            published.next_step,
        )
        local = DataSet("upsilon-cms", "a title", (part,))
        monkeypatch.setattr(datasets, "UPSILON_CMS", local)
        yield served


def command(*words: str) -> Result:
    return CliRunner().invoke(app, ["fetch", *words])


def test_a_part_is_downloaded_into_a_folder_of_its_name(
    archive: LocalArchive, tmp_path: Path
) -> None:
    called = command("upsilon-cms/pickles")
    assert called.exit_code == 0, called.output
    assert called.stdout == (
        "upsilon-cms/pickles: 4 files, 82 bytes: 4 downloaded\n"
        "next: quarkline convert pickle 'upsilon-cms/pickles/all_*' -o events\n"
    )
    folder = tmp_path / "upsilon-cms" / "pickles"
    assert (folder / "all_mu_1").read_text() == "content of all_mu_1\n"
    archive.asked.clear()
    assert "4 there" in command("upsilon-cms/pickles").stdout
    assert archive.asked == [("/api/records/1", 0)]


def test_some_files_may_be_chosen(archive: LocalArchive, tmp_path: Path) -> None:
    assert [f.name for f in fetch("upsilon-cms/pickles", tmp_path / "a", first=1).files] == [
        "all_jet_0",
        "all_mu_0",
    ]
    fetch("upsilon-cms/pickles", tmp_path / "b", glob="all_mu_*")
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["all_mu_0", "all_mu_1"]


def test_a_list_downloads_nothing(archive: LocalArchive, tmp_path: Path) -> None:
    fetch("upsilon-cms/pickles", tmp_path / "d", first=1)
    called = command("upsilon-cms/pickles", "--list", "-o", str(tmp_path / "d"))
    lines = called.stdout.splitlines()
    assert lines[0].split()[:4] == ["all_jet_0", "21", "bytes", "there"]
    assert lines[2].split()[3] == "missing"
    assert lines[-2:] == ["4 files, 82 bytes", f"{archive.address}/records/1"]
    assert len(list((tmp_path / "d").iterdir())) == 2


def test_json_says_the_same(archive: LocalArchive) -> None:
    told = json.loads(command("upsilon-cms/pickles", "--first", "1", "--json").stdout)
    assert told["kind"] == "fetch"
    assert [(file["name"], file["state"]) for file in told["files"]] == [
        ("all_jet_0", "downloaded"),
        ("all_mu_0", "downloaded"),
    ]


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("upsilon", "QL-FETCH-007", "did you mean `upsilon-cms`?"),
        ("upsilon-cms/pickels", "QL-FETCH-007", "did you mean `pickles`?"),
        ("upsilon-cms", "QL-FETCH-008", "upsilon-cms/nanoaod: the NanoAOD files"),
    ],
)
def test_a_wrong_name_needs_no_network(tmp_path: Path, name: str, code: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        fetch(name, tmp_path / "data")
    assert caught.value.findings[0].code == code
    assert words in str(caught.value)


def test_parts_are_listed_without_network() -> None:
    called = command("upsilon-cms", "--list")
    assert called.exit_code == 0
    for words in (
        "upsilon-cms/pickles",
        "28 files of 1 to 2 GB",
        "https://zenodo.org/records/14618719",
        "https://opendata.cern.ch/record/30555",
        "https://opendata.cern.ch/record/14220",
    ):
        assert words in called.stdout


def test_offline_is_one_finding_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = DataPart("pickles", "", "", ZenodoRecord(1, "http://127.0.0.1:9"))
    monkeypatch.setattr(datasets, "UPSILON_CMS", DataSet("upsilon-cms", "", (nobody,)))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QuarklineError) as caught:
        fetch("upsilon-cms/pickles")
    assert caught.value.exit_code == 1
    (finding,) = caught.value.findings
    assert finding.code == "QL-FETCH-001"
    assert "http://127.0.0.1:9/records/1 by hand into upsilon-cms/pickles" in str(finding)
    assert not list(tmp_path.iterdir())
