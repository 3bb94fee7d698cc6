"""Folders of one job side by side."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.trexfitter.compare import compare_folders


@pytest.fixture
def both(data_folder: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A reference, and a copy of it in which some things differ."""
    source = data_folder / "trexfitter_configs" / "official_tests" / "reference"
    theirs, ours = source / "FitExampleNtuple", tmp_path / "ours"
    shutil.copytree(theirs, ours)
    edit(ours / "Fits" / "FitExampleNtuple.txt", "ATLAS_lumi  0.00136167 +0.993334 -0.993334",
         "ATLAS_lumi  0.498029 +1.0926674 -1.0926674")  # fmt: skip
    edit(ours / "PruningText.txt", "ATLAS_JVT      is dropped", "ATLAS_JVT      is kept")
    (ours / "Fits" / "GroupedImpact.txt").unlink()
    return theirs, ours


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_folder_is_like_itself(both):
    theirs, _ = both
    found = compare_folders(theirs, theirs)
    assert {file.name for file in found.files} >= {"PruningText.txt", "Tables/Yields.txt"}
    assert all(file.alike == file.entries for file in found.files)
    assert all(file.largest_shift == 0 and not file.only for file in found.files)
    assert found.missing == ()


def test_differences_are_in_units_of_the_errors(both):
    found = {file.name: file for file in compare_folders(*both).files}
    fit = found["Fits/FitExampleNtuple.txt"]
    (changed,) = [number for number in fit.numbers if not number.printed_alike]
    assert changed.name == "ATLAS_lumi"
    assert changed.shift == pytest.approx(0.5, rel=1e-4)
    assert changed.error_change == pytest.approx(0.1, rel=1e-4)
    assert (fit.largest_shift, fit.largest_error_change) == (changed.shift, changed.error_change)
    (word,) = found["PruningText.txt"].words
    assert (word.name, word.ours) == ("ljets_5j3b_HT, ttH, ATLAS_JVT", "is kept")
    assert compare_folders(*both).missing == ("Fits/GroupedImpact.txt",)


def test_what_is_no_job_is_refused(both, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no results of a job"):
        compare_folders(both[0], tmp_path / "empty")


def test_the_command_shows_both(both):
    theirs, ours = map(str, both)
    shown = CliRunner().invoke(app, ["trexfitter", "compare", theirs, ours])
    assert shown.exit_code == 0, shown.output
    assert "ATLAS_lumi" in shown.output
    assert "+0.5 σ" in shown.output
    assert "ttH, ATLAS_JVT is dropped; ours is kept" in shown.output
    assert "GroupedImpact.txt: ours has no such file" in shown.output
    as_json = CliRunner().invoke(app, ["trexfitter", "compare", theirs, ours, "--json"])
    assert json.loads(as_json.output)["kind"] == "trexfitter-comparison"


def test_one_folder_is_not_enough(both):
    shown = CliRunner().invoke(app, ["trexfitter", "compare", str(both[0])])
    assert isinstance(shown.exception, InputError)
    assert "only one folder is given" in str(shown.exception)
