"""Kills the toy at a chosen change of the file system, so that a test can try every one.

Python announces each such change to audit hooks just before it happens. `TOY_KILL=main|17|group`
kills the whole process group before the 17th change that the main process makes below `runs`,
`worker|open *half.txt*|parent` the main process before a worker opens such a file for writing.
`TOY_CHANGES=FILE` has the main process count its changes.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

CHANGES = {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def arm(process: str) -> None:
    """Start counting in this process, and kill if that was asked for."""
    victim, moment, extent = os.environ.get("TOY_KILL", "||").split("|")
    counter = os.environ.get("TOY_CHANGES") if process == "main" else None
    changes: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if (path := changed_path(event, arguments)) is None:
            return
        changes.append(f"{event} {path}")
        if process == victim and (str(len(changes)) == moment or fnmatch(changes[-1], moment)):
            kill(extent)

    if process == victim or counter:
        sys.addaudithook(watch)
    if counter:
        atexit.register(lambda: Path(counter).write_text(str(len(changes))))


def kill(extent: str) -> None:
    if extent == "group":
        os.killpg(os.getpgrp(), signal.SIGKILL)
    else:
        os.kill({"alone": os.getpid(), "parent": os.getppid()}[extent], signal.SIGKILL)


def changed_path(event: str, arguments: tuple[Any, ...]) -> Path | None:
    """What an event is about to change below a folder `runs`."""
    if event == "open":
        path, _, flags = arguments
        if not flags & WRITING:
            return None
    elif event in CHANGES:
        path = arguments[0]
    else:
        return None
    below = isinstance(path, str | os.PathLike) and "runs" in Path(path).parts
    return Path(path) if below else None
