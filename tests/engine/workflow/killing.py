"""Kills the toy at its N-th change of the file system, so that a test can try every one.

Python announces each such change to audit hooks just before it happens. `TOY_KILL=main:17:group`
kills the whole process group before the 17th change that the main process makes below `runs`,
`worker:3:alone` only the worker before its 3rd. `TOY_CHANGES=FILE` has the main process count them.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from pathlib import Path
from typing import Any

CHANGES = {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Count:
    def __init__(self) -> None:
        self.changes = 0


def arm(process: str) -> None:
    """Start counting in this process, and kill it if that was asked for."""
    victim, number, extent = os.environ.get("TOY_KILL", "-:0:-").split(":")
    counter = os.environ.get("TOY_CHANGES")
    if process != victim and (counter is None or process != "main"):
        return
    count = Count()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if not changes_runs(event, arguments):
            return
        count.changes += 1
        if process == victim and count.changes == int(number):
            os.killpg(os.getpgrp(), signal.SIGKILL) if extent == "group" else os.kill(
                os.getpid(), signal.SIGKILL
            )

    sys.addaudithook(watch)
    if counter is not None and process == "main":
        atexit.register(lambda: Path(counter).write_text(str(count.changes)))


def changes_runs(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        path, _, flags = arguments
        if not flags & WRITING:
            return False
    elif event in CHANGES:
        path = arguments[0]
    else:
        return False
    return isinstance(path, str | os.PathLike) and "runs" in Path(path).parts
