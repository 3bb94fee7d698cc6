"""Which reader a config file gets: YAML's, or that of a language which registers its suffix."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from quarkline.engine.core.yaml_file import ParsedFile, read_yaml

GROUP = "quarkline.configs"
"""Entry points by suffix without the dot; each is a function from a path to a `ParsedFile`."""

Reader = Callable[[Path], ParsedFile]


def read_config_file(path: Path) -> ParsedFile:
    """Read one config file, whatever language its suffix stands for.

    Raises:
        InputError: If the file is missing or its language refuses it.
    """
    for point in entry_points(group=GROUP, name=path.suffix.removeprefix(".")):
        reader: Reader = point.load()
        return reader(path)
    return read_yaml(path)
