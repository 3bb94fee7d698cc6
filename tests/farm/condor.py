"""Stand-ins for HTCondor's commands, which run the jobs here: `condor.py PROGRAM ARGUMENTS...`

Jobs of a cluster run one after another in a process of their own. A file `hold` in the folder
named by `STUB_CONDOR` holds jobs when they are submitted, `silent` lets no command answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

POOL = Path(os.environ.get("STUB_CONDOR", "."))


def install(folder: Path) -> None:
    """Put the commands into `folder/bin`."""
    (folder / "bin").mkdir(parents=True)
    for name in ("condor_submit", "condor_q", "condor_rm"):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" {name} "$@"\n')
        program.chmod(0o755)


def jobs(cluster: str = "*") -> list[dict]:
    found = sorted(POOL.glob(f"{cluster}.[0-9]*.job"))
    return [json.loads(path.read_text()) | {"path": path} for path in found]


def save(job: dict) -> None:
    path = job["path"]
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps({key: job[key] for key in job if key != "path"}))
    temporary.replace(path)


def condor_submit(*arguments: str) -> None:
    assert arguments[0] == "-terse"
    text = Path(arguments[1]).read_text()
    values = dict(re.findall(r"(?m)^(\S+) = (.*)$", text))
    indices = text.partition("queue job from (")[2].rpartition(")")[0].split()
    cluster = 1 + max((int(path.name.partition(".")[0]) for path in POOL.glob("*.job")), default=0)
    for process, index in enumerate(indices):
        save(
            {
                "path": POOL / f"{cluster}.{process}.job",
                "QuarklineArray": values["+QuarklineArray"].strip('"'),
                "QuarklineJob": int(index),
                "JobStatus": 5 if (POOL / "hold").exists() else 1,
                "HoldReason": "memory usage exceeded request_memory",
                "HoldReasonCode": 34,
                "command": [str(Path(values["executable"]).absolute()), index],
                "out": str(Path(values["output"].replace("$(job)", index)).absolute()),
            }
        )
    sys.stdout.write(f"{cluster}.0 - {cluster}.{len(indices) - 1}\n")
    command = [sys.executable, __file__, "run", str(cluster)]
    nowhere = subprocess.DEVNULL
    subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)


def run(cluster: str) -> None:
    while waiting := [job for job in jobs(cluster) if job["JobStatus"] == 1]:
        job = waiting[0]
        with Path(job["out"]).open("wb") as out:
            process = subprocess.Popen(job["command"], stdout=out, stderr=out)
        save(job | {"JobStatus": 2, "pid": process.pid})
        process.wait()
        job["path"].unlink(missing_ok=True)


def condor_q(*arguments: str) -> None:
    names = re.findall(r'QuarklineArray == "([\w-]+)"', arguments[-1])
    shown = [job for job in jobs() if job["QuarklineArray"] in names]
    keys = ("QuarklineArray", "QuarklineJob", "JobStatus")
    held = ("HoldReason", "HoldReasonCode")
    answer = [{key: job[key] for key in keys + held * (job["JobStatus"] == 5)} for job in shown]
    sys.stdout.write(json.dumps(answer) if answer else "")  # it writes nothing of no jobs


def condor_rm(*arguments: str) -> None:
    name = re.findall(r'QuarklineArray == "([\w-]+)"', arguments[-1])
    numbers = [int(n) for n in re.findall(r"QuarklineJob == (\d+)", arguments[-1])]
    for job in jobs():
        if job["QuarklineArray"] in name and job["QuarklineJob"] in numbers:
            if job["JobStatus"] == 2:
                os.kill(job["pid"], signal.SIGTERM)
            job["path"].unlink(missing_ok=True)


def stop(folder: Path) -> None:
    """End what failed tests left."""
    for path in folder.glob("*.job"):
        job = json.loads(path.read_text())
        path.unlink()
        if "pid" in job:
            with contextlib.suppress(ProcessLookupError):
                os.kill(job["pid"], signal.SIGKILL)


if __name__ == "__main__":
    if (POOL / "silent").exists() and sys.argv[1] != "run":
        time.sleep(0.1)
        sys.exit("Failed to connect to the schedd")
    globals()[sys.argv[1]](*sys.argv[2:])
