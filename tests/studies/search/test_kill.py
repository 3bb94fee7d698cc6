"""A search that is killed at any moment and run again ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quarkline.tools.run import RunOutcome, load_analysis, run

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
    config, runs = sys.argv[1:]
    run(load_analysis(Path(config), overrides=[f"roots.runs={runs}"], compute={"workers": 1}))
"""
STAGES = ("skim", "features", "train", "evaluate", "friends", "figures")


def begin(program: Path, config: Path, runs: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(program), str(config), str(runs)],
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
    assert again.run.provenance()["attempts"][-1]["ran"] == []
    for stage, record in finished.run.records().items():
        for name in record.files:
            assert files_below(again, stage, name) == files_below(finished, stage, name)
        assert {key: value.as_json() for key, value in again.run.record(stage).results.items()} == {
            key: value.as_json() for key, value in record.results.items()
        }
