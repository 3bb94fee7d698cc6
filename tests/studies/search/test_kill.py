"""A search that is killed at any moment and run again ends as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quarkline.tools.run import RunOutcome, load_analysis, run
from tests.farm.here import here

from .conftest import write_ntuple
from .test_fit import FITTED, OTHER
from .test_run import files_below

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("search")]

PROGRAM = """
import sys
from pathlib import Path
from quarkline.engine.workflow.study import register_study
from quarkline.studies.search import SEARCH
from quarkline.tools.run import load_analysis, run

if __name__ == "__main__":
    register_study(SEARCH)
    config, runs, *until = sys.argv[1:]
    run(
        load_analysis(Path(config), overrides=[f"roots.runs={runs}"], compute={"workers": 1}),
        until=until[0] if until else None,
    )
"""
STAGES = ("skim", "features", "train", "evaluate", "friends", "figures")


def begin(program: Path, config: Path, runs: Path, *until: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(program), str(config), str(runs), *until],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_in(process: subprocess.Popen[bytes], runs: Path, stage: str, items: int) -> None:
    """Kill all processes of a run once so many items of a stage are begun."""
    folder = runs / "tiny" / "items"
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and process.poll() is None:
        if len(list(folder.glob(f"{stage}-*"))) >= items:
            break
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_killed_in_every_stage_and_run_again_gives_the_same_bytes(
    finished: RunOutcome, events: Path, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    runs, config = tmp_path / "runs", events / "tiny.yaml"
    for stage in STAGES:
        for items in (1, 4):
            kill_in(begin(program, config, runs), runs, stage, items)
    assert begin(program, config, runs).wait(timeout=250) == 0
    again = run(load_analysis(config, overrides=[f"roots.runs={runs}"]))
    assert_same(again, finished)


def assert_same(again: RunOutcome, finished: RunOutcome) -> None:
    """A run that had nothing left to do, and that has the files and results of another."""
    assert again.run.provenance()["attempts"][-1]["ran"] == []
    for stage, record in finished.run.records().items():
        for name in record.files:
            assert files_below(again, stage, name) == files_below(finished, stage, name)
        assert {key: value.as_json() for key, value in again.run.record(stage).results.items()} == {
            key: value.as_json() for key, value in record.results.items()
        }


def test_killed_in_the_fit_and_run_again_gives_the_same_bytes(
    finished: RunOutcome, events: Path, tmp_path: Path
) -> None:
    config, program = events / "fitted.yaml", tmp_path / "program.py"
    config.write_text(FITTED)
    write_ntuple(events / "ntuples" / "mc/2other.root", OTHER, tree="shifted")
    program.write_text(PROGRAM)
    trained = finished.run.folder.parents[1]
    runs, whole = (shutil.copytree(trained, tmp_path / name) for name in ("killed", "whole"))
    with here():
        known = run(load_analysis(config, overrides=[f"roots.runs={whole}"]), until="fit")
    for stage in ("templates", "fit"):
        for items in (1, 3):
            killed = begin(program, config, runs, "fit")
            kill_in(killed, runs, stage, items)
            assert killed.returncode == -signal.SIGKILL
    assert begin(program, config, runs, "fit").wait(timeout=250) == 0
    again = run(load_analysis(config, overrides=[f"roots.runs={runs}"]), until="fit")
    assert_same(again, known)
