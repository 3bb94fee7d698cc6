"""Submit files of HTCondor, as its own library reads them, and its answers."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from quarkline.engine.compute.batch.arrays import JobArray, make_array
from quarkline.engine.compute.batch.config import HTCondorConfig
from quarkline.engine.compute.batch.htcondor import HTCondor, _seconds, _state
from quarkline.engine.compute.batch.systems import JobAnswer, JobState
from quarkline.engine.compute.order import Order
from quarkline.engine.compute.outcome import Item


def array_of(folder: Path, items: int = 3, **keys: Any) -> JobArray:
    orders = [
        Order("sample_tasks:write", Item(f"item-{n}", {"x": n}), folder / f"{n}")
        for n in range(items)
    ]
    config = HTCondorConfig(kind="htcondor", **keys)
    return make_array(folder / "jobs", orders, config, home=folder)


READ = """
import json, sys, htcondor2
submit = htcondor2.Submit(sys.stdin.read())
items = [dict(row) for row in submit.itemdata()]
print(json.dumps({"keys": {key: submit[key] for key in submit}, "items": items}))
"""


def read_by_htcondor(text: str) -> dict[str, Any]:
    """What HTCondor reads in a submit file, asked in a process of its own.

    Its wheel brings a SQLite of 2018; once ROOT is imported in the same process, Python's
    `sqlite3` would use it, and MLflow's files need a newer one.
    """
    if find_spec("htcondor2") is None:
        pytest.skip("pip install htcondor")
    command = [sys.executable, "-c", READ]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.oracle
def test_htcondor_itself_reads_the_submit_file(tmp_path: Path) -> None:
    array = array_of(
        tmp_path,
        items=5,
        items_per_job=2,
        memory="8200 MB",
        disk="2GB",
        gpus=1,
        time="1-02:00:30",
        flavour="nextweek",
        group="group_u_HIGGS.users",
        extra=['+ProjectName = "lq"', "requirements = HasSingularity"],
    )
    submit = read_by_htcondor(HTCondor().script(array)["job.sub"])
    expected = {
        "universe": "vanilla",
        "executable": "job.sh",
        "arguments": "$(job)",
        "output": "logs/$(job).out",
        "log": "logs/$(job).events",
        "request_cpus": "1",
        "request_memory": "8200MB",
        "request_disk": "2000MB",
        "request_gpus": "1",
        "accounting_group": "group_u_HIGGS.users",
        "requirements": "HasSingularity",
        "MY.JobFlavour": '"nextweek"',
        "MY.MaxRuntime": "93630",
        "MY.ProjectName": '"lq"',
        "MY.QuarklineArray": f'"{array.name}"',
        "MY.QuarklineJob": "$(job)",
    }
    assert {key: submit["keys"][key] for key in expected} == expected
    assert submit["items"] == [{"job": f"{n}"} for n in range(3)]


def test_no_two_jobs_share_a_log(tmp_path: Path) -> None:
    array = array_of(tmp_path)
    text = HTCondor().script(array)["job.sub"]
    logs = [line for line in text.splitlines() if line.partition(" ")[0] in {"output", "log"}]
    assert all("$(job)" in line for line in logs)
    assert len({array.log(job) for job in range(array.jobs)}) == 3


def test_the_script_quotes_what_a_shell_would_take_apart(tmp_path: Path) -> None:
    folder = tmp_path / "it's a $HOME; rm"
    array = array_of(folder, python="/opt/my python/bin/python", setup=["source env.sh"])
    redirect, setup, work = HTCondor().script(array)["job.sh"].splitlines()[1:]
    assert setup == "source env.sh"
    words = shlex.split(work)
    assert words[:3] == ["exec", "/opt/my python/bin/python", "-m"]
    assert words[4:] == [str(array.folder), "$1"]
    assert shlex.split(redirect)[1] == f">>{array.folder}/logs/$1.log"


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ({"JobStatus": 1}, JobAnswer(JobState.QUEUED)),
        ({"JobStatus": 2}, JobAnswer(JobState.RUNNING)),
        ({"JobStatus": 6}, JobAnswer(JobState.RUNNING)),
        ({"JobStatus": 7}, JobAnswer(JobState.RUNNING)),
        ({"JobStatus": 3}, None),
        ({"JobStatus": 4}, None),
        (
            {"JobStatus": 5, "HoldReason": "memory", "HoldReasonCode": 34},
            JobAnswer(JobState.HELD, "memory"),
        ),
        (
            {"JobStatus": 5, "HoldReason": "via condor_hold", "HoldReasonCode": 1},
            JobAnswer(JobState.QUEUED, "via condor_hold"),
        ),
    ],
)
def test_states(job: dict[str, Any], expected: JobAnswer | None) -> None:
    assert _state(job) == expected


@pytest.mark.parametrize(
    ("time", "seconds"), [("0:20:00", 1200), ("100:00:01", 360001), ("7-00:00:00", 604800)]
)
def test_times(time: str, seconds: int) -> None:
    assert _seconds(time) == seconds
