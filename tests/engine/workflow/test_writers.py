"""Two processes at once: one works, the other waits, refuses or uses what it finds."""

from __future__ import annotations

import subprocess

import pytest
from bench import Bench


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_equal_configs_at_once_make_one_run(bench: Bench, finished: object) -> None:
    processes = [bench.start(TOY_PAUSE="numbers:0.5") for _ in range(2)]
    ended = sorted(finish(process) for process in processes)
    assert [code for code, _, _ in ended] == [0, 2]
    (_, out, err) = ended[1]
    assert out == ""
    assert err.count("QL-") == 1
    assert "QL-STORE-001  runs/bench/00001 is in use by process" in err
    assert [path.name for path in sorted(bench.runs.glob("0*"))] == ["00001"]
    assert bench.done().count("numbers") == 1


def test_different_configs_share_a_stage_that_only_one_makes(bench: Bench) -> None:
    bench.environment["TOY_PAUSE"] = "numbers:0.5"
    one = bench.start()
    other = bench.start("run", bench.file.name, "--set", "power=3")
    ended = [finish(process) for process in (one, other)]
    assert [code for code, _, _ in ended] == [0, 0], ended
    assert sum("waiting for process" in " ".join(err.split()) for _, _, err in ended) == 1
    steps = bench.done()
    assert (steps.count("numbers"), steps.count("squares"), steps.count("total")) == (1, 2, 2)
    assert sorted(path.name for path in bench.runs.glob("0*")) == ["00001", "00002"]


@pytest.mark.slow
def test_many_writers_at_once_agree(bench: Bench, ran: Bench) -> None:
    import shutil

    expected = {name: data for name, data in ran.contents().items() if "stages/" in name}
    shutil.rmtree(ran.runs)
    processes = [
        bench.start("run", bench.file.name, "--set", f"power={2 + number % 2}")
        for number in range(6)
    ]
    codes = [finish(process)[0] for process in processes]
    assert set(codes) <= {0, 2}
    assert codes.count(0) >= 2
    found = bench.contents()
    assert {name: found.get(name) for name in expected} == expected
    assert bench.done().count("numbers") == 1
