"""Reads YAML 1.2 files into plain data, remembering where every key and value stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarint import ScalarInt

from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean

KeyPath = tuple[str | int, ...]

UNREADABLE = Rule(
    "QL-CONFIG-001",
    "a config is one YAML 1.2 mapping",
    "The file could not be read as YAML, or it is not a mapping of keys to values. Most often a "
    "colon lacks its space, an indentation is off, or a key stands twice in one mapping.",
)
NO_FILE = Rule(
    "QL-CONFIG-003",
    "a config file exists",
    "The config named on the command line or by `extends:` is not there. Relative names after "
    "`extends:` count from the folder of the file that states them.",
)


class Text(str):
    """A string from a config that knows the file it stands in, so that paths resolve against it."""

    __slots__ = ("file",)
    file: Path

    def __new__(cls, value: str, file: Path) -> Self:
        """Keep `value` together with its file."""
        text = super().__new__(cls, value)
        text.file = file
        return text


@dataclass(frozen=True)
class YamlFile:
    """One parsed file.

    Attributes:
        path: The file.
        lines: Its text, line by line.
        data: Plain dicts, lists and scalars; strings are `Text`.
        places: Place of each key (for list items: of the item) by key path.
    """

    path: Path
    lines: tuple[str, ...]
    data: dict[str, Any]
    places: Mapping[KeyPath, Place]


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML file.

    Raises:
        InputError: If the file is missing, not YAML, or not a mapping.
    """
    text = _read_text(path)
    lines = tuple(text.splitlines())
    try:
        tree = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        raise InputError(_syntax_finding(path, lines, error)) from error
    except YAMLError as error:
        raise InputError(UNREADABLE.finding(str(error), place=Place(path))) from error
    if not isinstance(tree, CommentedMap):
        message = "the file is empty" if tree is None else "the top level is not a mapping"
        raise InputError(UNREADABLE.finding(message, place=Place(path)))
    places: dict[KeyPath, Place] = {}
    data = _plain(tree, (), path, lines, places)
    return YamlFile(path, lines, data, places)


def parse_value(text: str, file: Path) -> Any:
    """Read one YAML value, such as the right side of `--set key=value`."""
    tree = YAML(typ="rt", pure=True).load(text)
    return _plain(tree, (), file, (), {})


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        folder = path.parent if path.parent.is_dir() else Path()
        known = [str(item.name) for item in folder.glob("*.y*ml")]
        raise InputError(
            NO_FILE.finding(
                f"there is no config file `{path}`",
                suggestion=did_you_mean(path.name, known, what="config files"),
            )
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            UNREADABLE.finding("the file is not UTF-8 text", place=Place(path))
        ) from error


def _syntax_finding(path: Path, lines: tuple[str, ...], error: MarkedYAMLError) -> Any:
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context or "not valid YAML").splitlines()[0]
    if mark is None:
        return UNREADABLE.finding(problem, place=Place(path))
    line = lines[mark.line] if mark.line < len(lines) else ""
    return UNREADABLE.finding(problem, place=Place(path, mark.line + 1, mark.column + 1, text=line))


def _plain(
    node: Any, at: KeyPath, path: Path, lines: tuple[str, ...], places: dict[KeyPath, Place]
) -> Any:
    """The node as plain data; the places of its keys and items go into `places`."""
    if isinstance(node, CommentedMap):
        return {
            str(key): _child(value, (*at, str(key)), node.lc.key(key), path, lines, places)
            for key, value in node.items()
        }
    if isinstance(node, CommentedSeq):
        return [
            _child(value, (*at, index), node.lc.item(index), path, lines, places)
            for index, value in enumerate(node)
        ]
    return _scalar(node, path)


def _child(
    value: Any,
    at: KeyPath,
    position: tuple[int, int],
    path: Path,
    lines: tuple[str, ...],
    places: dict[KeyPath, Place],
) -> Any:
    line, column = position
    length = len(str(at[-1])) if isinstance(at[-1], str) else 1
    text = lines[line] if line < len(lines) else None
    places[at] = Place(path, line + 1, column + 1, length, text)
    return _plain(value, at, path, lines, places)


def _scalar(node: Any, path: Path) -> Any:
    if isinstance(node, ScalarBoolean):
        return bool(node)
    if isinstance(node, ScalarFloat):
        return float(node)
    if isinstance(node, ScalarInt) and not isinstance(node, bool):
        return int(node)
    return Text(node, path) if isinstance(node, str) else node
