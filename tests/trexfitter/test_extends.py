"""A config of ours extends one of TRExFitter's, and changes what it names."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from quarkline.catalog import Catalog
from quarkline.engine.core import readers
from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.yaml_file import ParsedFile
from quarkline.engine.workflow.study import StudyConfig
from tests.trexfitter.test_translate import FULL


class Search(StudyConfig, Catalog):
    """A study's config with the keys of a catalog beside its own."""


def test_keys_of_the_parent_hold_unless_they_are_said_again(write, tmp_path: Path):
    write("fit/a.config", FULL)
    path = write(
        "study.yaml",
        "schema: 1\nstudy: search\nname: lq\n"
        "extends: fit/a.config\n"
        "roots: {ntuples: elsewhere}\n"
        "files: {folders: '${roots.ntuples}'}\n"
        "norm_factors: {k: {constant: false}}\n"
        "samples: {tt: {weight: '2'}, extra: {files: {names: e}}}\n",
    )
    file = load_config(path)
    catalog = file.validate(Search)
    assert catalog.files.folders == [f"{tmp_path}/elsewhere"]
    assert catalog.files.trees == ["nominal"]
    assert not catalog.norm_factors["k"].constant
    assert catalog.norm_factors["k"].max == 5
    assert (catalog.samples["tt"].weight, catalog.samples["tt"].selection) == ("2", "hf==1")
    assert list(catalog.samples) == ["lq", "tt", "ghost", "data", "extra"]
    assert file.place("samples", "tt", "weight").file == path
    assert file.place("samples", "tt", "selection").file.name == "a.config"


def test_an_error_in_the_parent_points_there(write):
    write("a.config", FULL.replace("UseFriend", "UseFreind"))
    path = write("study.yaml", "extends: a.config\n")
    with pytest.raises(InputError) as caught:
        load_config(path)
    (found,) = caught.value.findings
    assert found.place.file.name == "a.config"
    assert "`UseFriend`" in found.suggestion


def test_warnings_of_the_parent_are_kept(write):
    write("a.config", FULL.replace('Title: "LQ"', 'Title: "LQ"\n  Title: "lq"'))
    path = write("study.yaml", "extends: a.config\n")
    assert [item.code for item in load_config(path).findings] == ["QL-TREX-013"]


def test_a_missing_parent_is_told_where_it_is_named(write):
    path = write("study.yaml", "extends: a.config\n")
    with pytest.raises(InputError, match=r"cannot read .*a\.config"):
        load_config(path)


def test_packages_may_register_other_languages(write, monkeypatch: pytest.MonkeyPatch):
    point = EntryPoint("toml", "tests.trexfitter.test_extends:read_toml", readers.GROUP)

    def points(*, group: str, name: str) -> list[EntryPoint]:
        return [point] * ((group, name) == (point.group, point.name))

    monkeypatch.setattr(readers, "entry_points", points)
    write("a.toml", "[luminosity]\nvalue = 3.0\n")
    path = write("study.yaml", "extends: a.toml\n")
    assert load_config(path).validate(Catalog).luminosity.value == 3


def read_toml(path: Path) -> ParsedFile:
    """What a package could register."""
    return ParsedFile(path, path.read_text(), tomllib.loads(path.read_text()), {})


def test_a_suffix_that_nothing_registers_is_read_as_yaml(write):
    path = write("study.yaml", "extends: a.conf\n")
    write("a.conf", "luminosity: {value: 2}\n")
    assert load_config(path).validate(Catalog).luminosity.value == 2


def test_the_engine_reads_yaml_without_the_floor_above():
    code = "import quarkline.engine.core.config, sys; print('quarkline.trexfitter' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
