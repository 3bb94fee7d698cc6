"""Tasks that a worker process imports by name."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quarkline.engine.compute.threads import devices_of_this_process
from quarkline.engine.core.findings import InputError, Rule

RULE = Rule("QL-TEST-002", "tasks may find something", "Only for tests.")


def double(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    (folder / "input.txt").write_text("".join(path.read_text() for path in inputs.values()))
    return {"twice": 2 * args["x"], "nan": float("nan"), "pid": os.getpid()}


def conditions(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    import numpy  # noqa: F401, ICN001  (so that its thread pool is there)
    from threadpoolctl import threadpool_info

    print("this belongs to the log, not to the result")  # noqa: T201
    return {
        "threads": sorted({pool["num_threads"] for pool in threadpool_info()}),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "devices": devices_of_this_process(),
    }


def fail(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Fails as told, until it has been tried `times` times."""
    tries = folder / "tries"
    done = len(tries.read_text()) if tries.exists() else 0
    tries.write_text("x" * (done + 1))
    if done >= args["times"]:
        return done
    how = args["how"]
    if how == "finding":
        raise InputError(RULE.finding("the file is no good"))
    if how == "exit":
        sys.exit(3)
    if how == "kill":
        os.kill(os.getpid(), 9)
    message = f"try {done}"
    raise ValueError(message)


def unwritable(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    return object()


def sleep(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    (folder / "started").touch()
    time.sleep(args["seconds"])
    return 1


def write(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Writes the same wherever it runs."""
    (folder / "input.txt").write_text("".join(path.read_text() for path in inputs.values()))
    return {"x": args["x"]}


def slow_once(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Takes its time at the first try only; tells its process, which a test may kill."""
    note = folder / "pid"
    if note.exists():
        return 2
    note.write_text(str(os.getpid()))
    time.sleep(args["seconds"])
    return 1
