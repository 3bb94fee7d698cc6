"""Files by list: `--files-from` of every command that reads files."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.tools.input_files import input_files


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in ("a1.csv", "a2.csv", "a10.csv"):
        (tmp_path / "sub" / name).write_text(f"x\n{name[1:-4]}\n")
    names = tmp_path / "sub" / "names.txt"
    names.write_text("# all of them\n\na1.csv\n a?.csv \n")
    return names


def test_a_list_is_relative_to_itself_and_a_repeated_file_named_with_its_line(listed):
    with pytest.raises(InputError) as raised:
        input_files([], files_from=listed)
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-010"
    assert (finding.place.file, finding.place.line) == (listed, 4)
    assert "a1.csv" in finding.message


@pytest.mark.parametrize(
    ("line", "words"),
    [("b.csv", "b.csv: there is no such file"), ("b*.csv", "no file matches `b*.csv`")],
)
def test_a_line_that_names_nothing_is_told_with_its_number(listed, line, words):
    listed.write_text(f"a1.csv\n\n{line}\n")
    with pytest.raises(InputError) as raised:
        input_files([], files_from=listed)
    (finding,) = raised.value.findings
    assert (finding.place.line, finding.place.text) == (3, line)
    assert words in finding.message


def test_a_missing_list_and_an_empty_one(tmp_path, listed):
    with pytest.raises(InputError, match="there is no such file"):
        input_files([], files_from=tmp_path / "none.txt")
    listed.write_text("# nothing\n")
    with pytest.raises(InputError, match="no file is named"):
        input_files([], files_from=listed)


def test_a_folder_with_brackets_is_no_pattern(tmp_path):
    folder = tmp_path / "run[1]"
    folder.mkdir()
    (folder / "a.csv").write_text("x\n1\n")
    (folder / "names.txt").write_text("*.csv\n")
    assert input_files([], files_from=folder / "names.txt") == [folder / "a.csv"]


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_commands_take_a_list(listed):
    listed.write_text("*.csv\n")
    assert "3 events of 3 files" in run("draw", "x", "--files-from", str(listed))
    assert "x" in run("explain", "x > 1", "--files-from", str(listed))
