"""An external program makes ntuples: without a shell, with a log, checked, once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.engine.store.locks import lock
from quarkline.engine.workflow.stage import Conditions, Context
from quarkline.studies.tagging.config import TaggingConfig
from quarkline.studies.tagging.convert import stage as convert
from quarkline.studies.tagging.convert.config import NtupleSource
from quarkline.studies.tagging.convert.stage import ConvertStageConfig
from quarkline.studies.tagging.convert.xaod import MadeNtuples, failures
from quarkline.studies.tagging.convert.xaod_stage import XaodStageConfig, run
from quarkline.studies.tagging.stages import stages
from quarkline.tools.convert_xaod import convert_xaod

PROGRAM = """
import os, shutil, sys
given, output, events = sys.argv[1:4]
print("reads", given, "events", events, os.environ.get("RELEASE", ""))
with open(given) as file:
    source = file.read().strip()
if source == "fails":
    print("no such dataset", file=sys.stderr)
    sys.exit(3)
if source == "writes nothing":
    sys.exit()
shutil.copy(source, output)
"""


@pytest.fixture
def folder(tmp_path: Path, data_folder: Path) -> Path:
    """Stands for xAOD files: each says which ntuple the program makes of it."""
    (tmp_path / "program.py").write_text(PROGRAM)
    ntuples = data_folder / "calratio" / "root"
    (tmp_path / "a; b $HOME.xaod").write_text(str(ntuples / "bib.root"))
    return tmp_path


def made(folder: Path, **keys: Any) -> MadeNtuples:
    given = {
        "inputs": [str(folder / "*.xaod")],
        "output": str(folder / "out"),
        "command": [sys.executable, str(folder / "program.py"), "{input}", "{output}", "{events}"],
    }
    return convert_xaod(keys=given | keys).made


def test_an_ntuple_is_made_once_and_its_log_is_kept(folder: Path) -> None:
    (first,) = made(folder, events=7, environment={"RELEASE": "21.2"}).files
    assert (first.state, first.events, first.why) == ("made", 10, "")
    assert Path(first.ntuple).name == "a; b $HOME.root"
    log = Path(first.log).read_text()
    assert "a; b $HOME.xaod events 7 21.2" in log
    (again,) = made(folder, events=7, environment={"RELEASE": "21.2"}).files
    assert (again.state, again.events) == ("kept", 10)
    (other,) = made(folder, events=8).files
    assert other.state == "made"
    assert not list((folder / "out").glob(".*partial*"))


def test_what_fails_is_told_and_tried_again(folder: Path, data_folder: Path) -> None:
    (folder / "b.xaod").write_text("fails")
    (folder / "c.xaod").write_text("writes nothing")
    (folder / "d.xaod").write_text(str(folder / "program.py"))
    files = made(folder).files
    assert [file.state for file in files] == ["made", "failed", "failed", "failed"]
    assert "ended with code 3: no such dataset" in files[1].why
    assert "its output is no ntuple: there is no such file" in files[2].why
    assert "its output is no ntuple" in files[3].why
    assert len(failures(files)) == 3
    assert sorted(path.name for path in (folder / "out").glob("*.root")) == ["a; b $HOME.root"]
    (folder / "b.xaod").write_text(str(data_folder / "calratio/root/bib.root"))
    assert [file.state for file in made(folder).files][:2] == ["kept", "made"]


def test_a_program_that_is_not_there_or_does_not_end_is_told(folder: Path) -> None:
    (file,) = made(folder, command=["no-such-program", "{input}", "{output}"]).files
    assert "`no-such-program` cannot be started" in file.why
    slow = [sys.executable, "-c", "import time; time.sleep(60)", "{input}", "{output}"]
    (file,) = made(folder, command=slow, hours=1e-4).files
    assert "did not end within 0.0001 hours" in file.why


def test_a_file_that_another_process_is_at_is_left_to_it(folder: Path) -> None:
    (folder / "out").mkdir()
    with lock(folder / "out" / "a; b $HOME.root.lock"):
        (file,) = made(folder).files
    assert file.state == "elsewhere"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["x", "{input}"], "names no `{output}`"),
        (["x", "{input}", "{output}", "{event}"], "`{event}` is none of"),
        ([], "at least 1"),
    ],
)
def test_a_command_names_its_files(folder: Path, command: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("{", r"\{").replace("}", r"\}")):
        made(folder, command=command)


def test_two_files_of_one_name_are_refused(folder: Path) -> None:
    (folder / "x").mkdir()
    (folder / "x" / "a.xaod").write_text("")
    (folder / "a.xaod").write_text("")
    with pytest.raises(InputError, match="would be that of"):
        made(folder, inputs=[str(folder / "a.xaod"), str(folder / "x" / "a.xaod")])


def test_a_stage_makes_ntuples_for_the_converter(folder: Path, here: Any) -> None:
    command = [sys.executable, str(folder / "program.py"), "{input}", "{output}", "{events}"]
    given = next(folder.glob("*.xaod"))
    out = folder / "stage"
    out.mkdir()
    config = XaodStageConfig(command=command, names=["bib/first"])
    inputs, conditions = {"xaod": (given,)}, Conditions(executor=here)
    context = Context("xaod", 1, config, inputs, out, folder / "items", conditions)
    found = run(context)
    assert found["made"].events == {"bib/first": 10}
    assert "reads" in (found["ntuples"] / "bib/first.log").read_text()
    sources = [NtupleSource(name="bib/first", kind="bib", masses=(0.0, 0.0))]
    tables = folder / "tables"
    tables.mkdir()
    settings = ConvertStageConfig(sources=sources)
    inputs = {"ntuples": found["ntuples"]}
    context = Context("convert", 1, settings, inputs, tables, folder / "items", conditions)
    (file,) = convert.run(context)["conversion"].files
    assert (file.state, file.rows) == ("converted", 1)
    given.write_text("fails")
    again = folder / "again"
    again.mkdir()
    broken = Context("xaod", 1, config, {"xaod": (given,)}, again, folder / "items", conditions)
    with pytest.raises(WorkError, match="ended with code 3: no such dataset"):
        run(broken)


def test_a_study_may_begin_with_it(folder: Path) -> None:
    data = {
        "schema": 1,
        "study": "tagging",
        "name": "x",
        "ntuples": [{"files": str(folder / "*.xaod"), "kind": "bib"}],
        "xaod": {"command": ["make", "{input}", "{output}"]},
    }
    made = stages(TaggingConfig.model_validate(data))
    assert [stage.name for stage in made][:3] == ["xaod", "convert", "build"]
    assert made[1].inputs == {"ntuples": "xaod.ntuples"}
