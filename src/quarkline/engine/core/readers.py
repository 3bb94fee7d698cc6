"""Which reader a config file gets: YAML's, or that of the language its suffix stands for."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import resolve_name

from quarkline.engine.core.yaml_file import ParsedFile, read_yaml

READERS = {".config": "quarkline.trexfitter:read_config"}
"""By suffix the name of a function from a path to a `ParsedFile`, imported when it is needed."""
GROUP = "quarkline.configs"
"""Entry points of other packages, by suffix without the dot."""

Reader = Callable[[Path], ParsedFile]


def read_config_file(path: Path) -> ParsedFile:
    """Read one config file, whatever language its suffix stands for.

    Raises:
        InputError: If the file is missing or its language refuses it.
    """
    return _reader_of(path.suffix)(path)


def _reader_of(suffix: str) -> Reader:
    if suffix in READERS:
        found: Reader = resolve_name(READERS[suffix])
        return found
    for point in entry_points(group=GROUP, name=suffix.removeprefix(".")):
        registered: Reader = point.load()
        return registered
    return read_yaml
