"""`quarkline convert divertanalysis` as a user runs it: its table, its exit code, two at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from quarkline.cli.commands.convert import app
from quarkline.tools import convert_ntuples
from tests.studies.tagging.convert.conftest import Here, invented, write_ntuple

RUN = CliRunner()


@pytest.fixture
def ntuples(data_folder: Path) -> Path:
    return data_folder / "calratio" / "root"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert_ntuples, "open_executor", lambda *_, **__: Here())


def test_files_become_tables_and_are_told(ntuples: Path, tmp_path: Path) -> None:
    files = [str(ntuples / "sig*.root"), str(ntuples / "empty*.root")]
    options = ["--llp_mH", "600", "--llp-ms", "275", "-o", str(tmp_path / "out")]
    found = RUN.invoke(app, ["divertanalysis", *files, *options])
    assert found.exit_code == 0, found.output
    assert "70 events: no decay in the calorimeters" in found.output
    assert "no events" in found.output
    table = pq.read_table(tmp_path / "out" / "sig_311314_bad_object_small.parquet")
    assert (table.num_rows, set(table["llp_mH"].to_pylist())) == (21, {600.0})


def test_bad_files_end_it_with_1_unless_they_are_allowed(ntuples: Path, tmp_path: Path) -> None:
    command = ["divertanalysis", str(ntuples / "b*.root"), "--data_type", "qcd"]
    command += ["--output_path", str(tmp_path / "out")]
    found = RUN.invoke(app, command)
    assert found.exit_code == 1
    assert "mcEventWeight" in found.output
    assert "allow_bad_files: 2" in found.output
    allowed = RUN.invoke(app, [*command, "--allow-bad-files", "2", "--json"])
    assert allowed.exit_code == 0
    states = [file["state"] for file in json.loads(allowed.stdout)["files"]]
    assert states == ["left out", "left out"]


def test_the_trainers_config_runs(ntuples: Path, tmp_path: Path) -> None:
    config = tmp_path / "convert.yaml"
    config.write_text(
        f"input_files: [{{input_file: '{ntuples / 'bib.root'}', data_type: bib, output_dir: x}}]\n"
        f"output_path: {tmp_path / 'out'}\n"
    )
    found = RUN.invoke(app, ["divertanalysis", "-c", str(config), "--compatibility", "upstream"])
    assert found.exit_code == 0, found.output
    assert "`input_files` is `ntuples` here" in found.output
    assert pq.read_table(tmp_path / "out" / "x" / "bib.parquet").num_columns == 815


@pytest.mark.parametrize(
    ("options", "message"),
    [([], "name ntuples"), (["--llp-mh", "5", "-c", "x.yaml"], "goes with files")],
)
def test_what_is_not_said_is_asked_for(options: list[str], message: str) -> None:
    found = RUN.invoke(app, ["divertanalysis", *options])
    assert found.exit_code == 2
    assert message in found.output


AT_ONCE = """
import sys
from pathlib import Path
from quarkline.studies.tagging.convert.config import ConversionConfig
from quarkline.studies.tagging.convert.run import run_conversion
from tests.studies.tagging.convert.conftest import Here
entry = {"files": [sys.argv[1]], "kind": "qcd"}
config = ConversionConfig(ntuples=[entry], output=Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
found = run_conversion(config, Here(), lambda *_: None)
print(*(file.state for file in found.files), sep=",")
"""


def test_two_commands_at_once_make_each_table_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(6):
        write_ntuple(tmp_path / "in" / f"{number}.parquet", invented(number, 60))
    command = [sys.executable, "-c", AT_ONCE, str(tmp_path / "in" / "*"), str(tmp_path / "out")]
    root = Path(__file__).parents[2]
    pair = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
        )
        for _ in range(2)
    ]
    for process in pair:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers = [process.communicate("\n")[0].strip().split(",") for process in pair]
    for states in zip(*answers, strict=True):
        assert states.count("converted") == 1, answers
        assert set(states) <= {"converted", "kept", "elsewhere"}
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 6
    assert not list((tmp_path / "out").glob("*.lock"))
    assert not list((tmp_path / "out").glob(".*.tmp"))
