"""What the records of two archives say, and what happens when they say it another way."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.engine.store.datasets import DataPart, OpenDataRecord, ZenodoRecord
from tests.engine.store.local_archive import LocalArchive, local_archive

MD5 = "md5:" + "0" * 32
EOS = "root://eospublic.cern.ch//eos/opendata/cms/Run2016H"


def zenodo_file(name: str) -> dict[str, Any]:
    url = f"https://zenodo.org/api/records/1/files/{name}/content"
    return {"key": name, "size": 7, "checksum": MD5, "links": {"self": url}}


def eos_file(name: str) -> dict[str, Any]:
    return {"uri": f"{EOS}/{name}", "size": 9, "checksum": "adler32:0a1b2c3d", "key": "index_0"}


ZENODO = {
    "id": 1,
    "files": [zenodo_file(f"all_{kind}_{i}") for kind in ("mu", "jet") for i in (10, 9)],
}
OPEN_DATA = {
    "metadata": {
        "files": [eos_file("list.txt")],
        "_file_indices": [{"key": "a.json", "files": [eos_file("b.root"), eos_file("a.root")]}],
    }
}


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalArchive]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with local_archive() as served:
        yield served


def part(archive: LocalArchive, content: Any, *, zenodo: bool, pattern: str = "*") -> DataPart:
    archive.content["/api/records/1"] = json.dumps(content).encode()
    record = ZenodoRecord(1, archive.address) if zenodo else OpenDataRecord(1, archive.address)
    return DataPart("x", "", "", record, pattern, r"all_(?:mu|jet)_(.+)" if zenodo else "(.*)")


def test_zenodo_lists_names_addresses_sizes_and_checksums(
    archive: LocalArchive, tmp_path: Path
) -> None:
    files = part(archive, ZENODO, zenodo=True).files(tmp_path)
    assert [file.name for file in files] == ["all_jet_9", "all_mu_9", "all_jet_10", "all_mu_10"]
    assert files[0].url == "https://zenodo.org/api/records/1/files/all_jet_9/content"
    assert {(file.size, file.checksum) for file in files} == {(7, MD5)}


def test_open_data_lists_files_and_those_of_its_indices(
    archive: LocalArchive, tmp_path: Path
) -> None:
    every = part(archive, OPEN_DATA, zenodo=False).files(tmp_path)
    assert [file.name for file in every] == ["a.root", "b.root", "list.txt"]
    assert every[0].url == f"{archive.address}/eos/opendata/cms/Run2016H/a.root"
    assert every[0].checksum == "adler32:0a1b2c3d"
    roots = part(archive, OPEN_DATA, zenodo=False, pattern="*.root").files(tmp_path)
    assert [file.name for file in roots] == ["a.root", "b.root"]


def test_the_first_files_are_those_of_the_experiment(archive: LocalArchive, tmp_path: Path) -> None:
    pickles = part(archive, ZENODO, zenodo=True)
    assert [f.name for f in pickles.files(tmp_path, first=1)] == ["all_jet_9", "all_mu_9"]
    assert [f.name for f in pickles.files(tmp_path, glob="all_mu_*", first=1)] == ["all_mu_9"]


def test_a_choice_without_files_is_refused(archive: LocalArchive, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"QL-FETCH-006.*no file.*`all_mu_99`") as caught:
        part(archive, ZENODO, zenodo=True).files(tmp_path, glob="all_mu_99")
    assert "did you mean `all_mu_9`" in str(caught.value)


def changed(content: Any, *path: Any, value: Any = None) -> Any:
    """The content with one value replaced, or removed."""
    content = copy.deepcopy(content)
    place = content
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return content


@pytest.mark.parametrize(
    ("zenodo", "content"),
    [
        (True, []),
        (True, {"files": []}),
        (True, "gone"),
        (True, changed(ZENODO, "files")),
        (True, changed(ZENODO, "files", 0, "key")),
        (True, changed(ZENODO, "files", 0, "links", value=[])),
        (True, changed(ZENODO, "files", 0, "size", value="7")),
        (True, changed(ZENODO, "files", 0, "size", value=-7)),
        (True, changed(ZENODO, "files", 0, "checksum", value="md5:xyz")),
        (True, changed(ZENODO, "files", 0, "checksum", value="crc:00000000")),
        (True, changed(ZENODO, "files", 0, "key", value="../all_mu_0")),
        (True, changed(ZENODO, "files", 0, "key", value="/etc/passwd")),
        (True, changed(ZENODO, "files", 0, "key", value=".bashrc")),
        (True, changed(ZENODO, "files", 0, "key", value="all_mu_9")),
        (True, changed(ZENODO, "files", 0, "links", "self", value="file:///etc/passwd")),
        (False, {}),
        (False, {"metadata": {}}),
        (False, changed(OPEN_DATA, "metadata", "files", 0, "uri")),
        (False, changed(OPEN_DATA, "metadata", "files", 0, "uri", value="root://elsewhere//x")),
        (False, changed(OPEN_DATA, "metadata", "_file_indices", 0, "files")),
        (False, changed(OPEN_DATA, "metadata", "_file_indices", 0, "files", value=[1])),
    ],
)
def test_a_record_of_another_form_is_refused_with_its_page(
    archive: LocalArchive, tmp_path: Path, zenodo: bool, content: Any
) -> None:
    with pytest.raises(WorkError, match="QL-FETCH-005") as caught:
        part(archive, content, zenodo=zenodo).files(tmp_path)
    (finding,) = caught.value.findings
    assert finding.suggestion is not None
    assert f"{archive.address}/record" in finding.suggestion
