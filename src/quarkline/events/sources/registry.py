"""Which formats there are, and which one a file has."""

from __future__ import annotations

from pathlib import Path

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.sources import root
from quarkline.events.sources.base import Source

MISSING_FILE = Rule(
    "QL-EVENTS-001",
    "an input file exists",
    "The path names no file. Relative paths in a config start at the file that states them; on "
    "the command line at the working folder.",
)


def open_source(path: str | Path, *, tree: str | None = None) -> Source:
    """Open a file of events."""
    path = Path(path)
    if not path.is_file():
        raise InputError(MISSING_FILE.finding("there is no such file", place=Place(file=path)))
    return root.RootSource(path, tree)
