"""Reads YAML 1.2 files into plain data, remembering where every key and value stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, did_you_mean

KeyPath = tuple[str | int, ...]

UNREADABLE = Rule(
    "QL-CONFIG-001",
    "a config is one YAML 1.2 mapping of plain values",
    "The file could not be read as YAML, or it is not a mapping of keys to values. Most often a "
    "colon lacks its space, an indentation is off, or a key stands twice in one mapping.",
)
NO_FILE = Rule(
    "QL-CONFIG-003",
    "a config file exists and can be read",
    "The config named on the command line or by `extends:` is not there. Relative names after "
    "`extends:` count from the folder of the file that states them.",
)

MOST_VALUES = 50_000  # aliases multiply: a few lines can ask for more values than memory holds
DEEPEST = 32
HINTS = {
    "'\\t'": "indent with spaces; YAML does not allow tabs",
    "cannot start any token": "put the value in quotes",
    "could not find expected ':'": "write `key: value`, with a space after the colon",
}

TAG = "tag:yaml.org,2002:"
MERGE = TAG + "merge"
TEXTS = frozenset(TAG + name for name in ("str", "timestamp", "value"))


class Text(str):
    """A string from a config that knows where it stands.

    Paths resolve against its file, and messages about its content point at its place.
    """

    __slots__ = ("file", "place")
    file: Path
    place: Place

    def __new__(cls, value: str, file: Path, place: Place | None = None) -> Self:
        """Keep `value` together with its file and place."""
        text = super().__new__(cls, value)
        text.file = file
        text.place = place or Place(file)
        return text

    def __getnewargs__(self) -> tuple[str, Path, Place]:  # type: ignore[override]
        """What a copy in another process is made of."""
        return str(self), self.file, self.place


@dataclass(frozen=True)
class ParsedFile:
    """One config file as it was read, before its keys mean anything.

    Attributes:
        path: The file.
        text: Its text.
        data: Plain dicts, lists and scalars; strings of a YAML file are `Text`.
        places: Place of each key (for list items: of the item) by key path.
        findings: What is suspicious about it but did not keep it from being read.
    """

    path: Path
    text: str
    data: dict[str, Any]
    places: Mapping[KeyPath, Place]
    findings: tuple[Finding, ...] = ()


def read_yaml(path: Path) -> ParsedFile:
    """Read one YAML file.

    Raises:
        InputError: If the file is missing, not YAML, or not a mapping.
    """
    text = _read_text(path)
    reader = _Reader(path, text.splitlines())
    data = reader.read(text)
    if not isinstance(data, dict):
        message = "the file is empty" if data is None else "the top level is not a mapping"
        raise InputError(UNREADABLE.finding(message, place=Place(path)))
    return ParsedFile(path, text, data, reader.places)


def read_yaml_value(path: Path) -> Any:
    """Read a YAML file whose top level may be anything, such as a list; None if it is empty.

    Raises:
        InputError: If the file is missing or not YAML.
    """
    return parse_value(_read_text(path), path)


def parse_value(text: str, file: Path) -> Any:
    """Read one YAML value, such as the right side of `--set key=value`.

    Raises:
        InputError: If it is not YAML.
    """
    return _Reader(file, text.splitlines()).read(text)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            UNREADABLE.finding("the file is not UTF-8 text", place=Place(path))
        ) from error
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise InputError(
            NO_FILE.finding(
                f"there is no config file `{path}`",
                suggestion=did_you_mean(path.name, _configs_near(path), what="config files"),
            )
        ) from error
    except OSError as error:
        raise InputError(
            NO_FILE.finding(f"cannot read `{path}`: {error.strerror or error}")
        ) from error


def _configs_near(path: Path) -> list[str]:
    folder = path.parent if path.parent.is_dir() else Path()
    return [item.name for item in folder.glob("*.y*ml")]


@dataclass
class _Reader:
    """Turns the nodes of one document into plain data and notes the place of each."""

    path: Path
    lines: list[str]
    places: dict[KeyPath, Place] = field(default_factory=dict)
    values: int = 0

    def read(self, text: str) -> Any:
        yaml = YAML(typ="safe", pure=True)
        yaml.composer.warn_double_anchors = False
        try:
            node = yaml.compose(text)
            if yaml.resolver.processing_version < (1, 2):
                raise self._refuse("the file asks for YAML 1.1", Place(self.path))
            self.construct = yaml.constructor
            return None if node is None else self._plain(node, ())
        except MarkedYAMLError as error:
            raise InputError(self._syntax_finding(error)) from error
        except (YAMLError, ValueError) as error:
            problem = str(error).splitlines()[0]
            raise self._refuse(problem, Place(self.path)) from error
        except RecursionError as error:
            raise self._refuse("the file is nested too deeply", Place(self.path)) from error

    def _plain(self, node: Node, at: KeyPath) -> Any:
        self.values += 1
        if self.values > MOST_VALUES or len(at) > DEEPEST:
            limit = f"more than {MOST_VALUES:,} values, or more than {DEEPEST} levels"
            raise self._refuse(limit, self._place(node.start_mark, 1))
        if isinstance(node, MappingNode):
            return self._mapping(node, at)
        if isinstance(node, SequenceNode) and node.tag == TAG + "seq":
            return [self._child(item, item, (*at, i)) for i, item in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        raise self._tag(node)

    def _mapping(self, node: MappingNode, at: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in self._pairs(node, ()):
            data[key.value] = self._child(key, value, (*at, key.value))
        return data

    def _pairs(self, node: Node, within: tuple[Node, ...]) -> Iterator[tuple[Node, Node]]:
        """Keys and values of a mapping, those that `<<` merges from elsewhere first."""
        if not isinstance(node, MappingNode) or node.tag != TAG + "map" or node in within:
            raise self._tag(node)
        own: dict[str, tuple[Node, Node]] = {}
        for key, value in node.value:
            if key.tag == MERGE:
                others = value.value if isinstance(value, SequenceNode) else [value]
                for other in reversed(others):
                    yield from self._pairs(other, (*within, node))
            elif not isinstance(key, ScalarNode):
                place = self._place(key.start_mark, 1)
                raise self._refuse("a key is not plain text", place)
            elif key.value in own:
                line = own[key.value][0].start_mark.line + 1
                place = self._place(key.start_mark, len(key.value))
                problem = f"key `{key.value}` stands twice, first in line {line}"
                raise self._refuse(problem, place)
            else:
                own[key.value] = key, value
        yield from own.values()

    def _child(self, mark: Node, value: Node, at: KeyPath) -> Any:
        length = len(str(at[-1])) if isinstance(at[-1], str) else 1
        self.places[at] = self._place(mark.start_mark, length)
        return self._plain(value, at)

    def _scalar(self, node: ScalarNode) -> Any:
        if node.tag in TEXTS:
            return Text(node.value, self.path, self._place(node.start_mark, len(node.value)))
        read = {
            TAG + "int": self.construct.construct_yaml_int,
            TAG + "float": self.construct.construct_yaml_float,
            TAG + "bool": self.construct.construct_yaml_bool,
            TAG + "null": self.construct.construct_yaml_null,
        }
        if node.tag not in read:
            raise self._tag(node)
        return read[node.tag](node)

    def _place(self, mark: StreamMark, length: int) -> Place:
        line = self.lines[mark.line] if mark.line < len(self.lines) else ""
        return Place(self.path, mark.line + 1, mark.column + 1, length, line)

    def _tag(self, node: Node) -> InputError:
        what = str(node.tag).replace(TAG, "!!")
        message = f"`{what}` cannot stand here; a config holds plain values"
        return self._refuse(message, self._place(node.start_mark, 1))

    def _refuse(self, message: str, place: Place) -> InputError:
        return InputError(UNREADABLE.finding(message, place=place))

    def _syntax_finding(self, error: MarkedYAMLError) -> Finding:
        context = str(error.context or "")
        scanning = context.startswith("while scanning")  # then the context is where it began
        mark = (error.context_mark if scanning else None) or error.problem_mark
        lines = [part.splitlines()[0] for part in (context, str(error.problem or "")) if part]
        problem = ", ".join(lines) or "not valid YAML"
        hint = next((text for sign, text in HINTS.items() if sign in problem), None)
        place = Place(self.path) if mark is None else self._place(mark, 1)
        return UNREADABLE.finding(problem, suggestion=hint, place=place)
