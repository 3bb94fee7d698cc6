"""Where, when and with what something was made: everything that is kept out of content keys."""

from __future__ import annotations

import datetime as dt
import getpass
import importlib.metadata
import platform
import sys
from typing import Any

import quarkline

LIBRARIES = (
    "awkward", "lightgbm", "lightning", "matplotlib", "numpy", "pyarrow", "scipy", "torch",
    "uproot", "zuko",
)  # fmt: skip


def provenance() -> dict[str, Any]:
    """The computer, the user, the time and the versions at work now."""
    return {
        "quarkline": quarkline.__version__,
        "python": platform.python_version(),
        "libraries": {name: version for name in LIBRARIES if (version := _version(name))},
        "host": platform.node(),
        "platform": platform.platform(),
        "user": _user(),
        "command": sys.argv,
        "time": now(),
    }


def now() -> str:
    """The time with its offset from UTC, to the second."""
    return dt.datetime.now().astimezone().isoformat(timespec="seconds")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
