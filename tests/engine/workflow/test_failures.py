"""What a person sees when a stage fails, and that running again goes on from there."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from bench import Bench

from quarkline.engine.core.findings import WorkError


def leftovers(bench: Bench) -> list[str]:
    endings = (".lock", ".tmp", ".claim", ".breaking")
    found = [path.name for path in bench.runs.rglob("*") if path.name.endswith(endings)]
    return [*found, *(path.name for path in bench.runs.glob("stages/*.partial"))]


def test_an_error_in_a_stage_is_one_message_with_its_traceback_in_the_log(bench: Bench) -> None:
    done = bench.command(TOY_FAIL="numbers:raise")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "QL-RUN-007  stage `numbers` failed: RuntimeError: the toy was told to fail" in (
        done.stderr
    )
    assert "log.txt" in done.stderr
    assert "Traceback" not in done.stderr
    log = (bench.runs / "00001" / "log.txt").read_text()
    assert "Traceback" in log
    assert "raise RuntimeError(message)" in log
    assert leftovers(bench) == []


def test_running_again_after_a_failure_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_FAIL", "total:raise")
    with pytest.raises(WorkError, match="stage `total` failed"):
        bench.run()
    bench.done()
    monkeypatch.delenv("TOY_FAIL")
    assert bench.run().run.number == 1
    assert bench.done() == ["total"]


def test_an_error_in_an_item_names_stage_and_item(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_FAIL", "square:raise")
    with pytest.raises(WorkError) as error:
        bench.run()
    assert [finding.code for finding in error.value.findings] == ["QL-RUN-003"] * 3
    assert str(error.value).startswith(
        "QL-RUN-003  squares: number-0: RuntimeError: the toy was told to fail"
    )
    assert (bench.runs / "00001" / "log.txt").read_text().count("Traceback") >= 3


def test_ctrl_c_keeps_finished_work_and_says_so(bench: Bench) -> None:
    process = bench.start(TOY_PAUSE="square:60")
    wait_for(lambda: len(list(bench.runs.glob("items/*.partial/half.txt"))) > 0)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to parent and workers alike
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "stopped; finished work is kept, and the same command continues it" in err
    assert "Traceback" not in err
    assert leftovers(bench) == []
    assert "the run was interrupted" in (bench.runs / "00001" / "log.txt").read_text()
    bench.done()
    assert bench.command().returncode == 0
    assert "numbers" not in bench.done()


def test_a_batch_system_that_ends_a_run_finds_no_lock_left(bench: Bench) -> None:
    process = bench.start(TOY_PAUSE="numbers:60")
    wait_for(lambda: len(list(bench.runs.glob("stages/*.partial"))) > 0)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in err
    assert leftovers(bench) == []


def wait_for(condition: object, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_runs_folder_that_is_a_file_is_one_finding(bench: Bench) -> None:
    Path("runs").touch()
    done = bench.command()
    assert done.returncode == 2
    assert "QL-RUN-009  cannot write runs/bench: Not a directory" in done.stderr
    assert "--set roots.runs=FOLDER" in done.stderr
