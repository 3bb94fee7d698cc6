"""YAML as a physicist writes it: plain values with their places, and every trap refused."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.yaml_file import ParsedFile, Text, parse_value, read_yaml


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(text: str | bytes) -> ParsedFile:
        path = tmp_path / "a.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_yaml(path)

    return read


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", 1000),
        ("1e-3", 1e-3),
        ("1e3", 1e3),
        ("1.", 1.0),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("on", "on"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("12:30", "12:30"),
        ("2024-01-31", "2024-01-31"),
        ("'1'", "1"),
        ("!!str 12", "12"),
        ("=", "="),
        ("a >= 3 && b[0] < 2", "a >= 3 && b[0] < 2"),
        ("[1, 2.0, x]", [1, 2.0, "x"]),
        ("{x: 1}", {"x": 1}),
        ("[]", []),
    ],
)
def test_values(read: Any, written: str, value: Any) -> None:
    found = read(f"key: {written}\n").data["key"]
    assert found == value
    assert type(found) is (Text if isinstance(value, str) else type(value))


def test_infinities_are_read_and_left_to_validation(read: Any) -> None:
    assert read("key: -.inf\n").data["key"] == float("-inf")


def test_keys_are_text_as_written(read: Any) -> None:
    assert list(read("364283: a\ntrue: b\n1.50: c\n").data) == ["364283", "true", "1.50"]


def test_places_count_from_one(read: Any) -> None:
    places = read("a: 1\nb:\n  c: {d: [x, y]}\n").places
    assert {at: (place.line, place.column) for at, place in places.items()} == {
        ("a",): (1, 1),
        ("b",): (2, 1),
        ("b", "c"): (3, 3),
        ("b", "c", "d"): (3, 7),
        ("b", "c", "d", 0): (3, 11),
        ("b", "c", "d", 1): (3, 14),
    }
    assert places[("b", "c")].text == "  c: {d: [x, y]}"
    assert places[("b", "c", "d")].length == 1


def test_aliases_and_merge_keys(read: Any) -> None:
    file = read(
        "base: &base {x: 1, y: 2}\n"
        "more: &more {y: 5, z: 6}\n"
        "one: *base\n"
        "two: {<<: *base, y: 3}\n"
        "three:\n"
        "  <<: [*base, *more]\n"
    )
    assert file.data["one"] == {"x": 1, "y": 2}
    assert file.data["two"] == {"x": 1, "y": 3}
    assert file.data["three"] == {"x": 1, "y": 2, "z": 6}
    assert file.places[("two", "x")].line == 1  # where it was written
    assert file.places[("two", "y")].line == 4


def test_an_anchor_may_be_used_again(read: Any) -> None:
    assert read("a: &x 1\nb: &x 2\nc: *x\n").data["c"] == 2


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_text(read: Any) -> None:
    file = read(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: x\r\n")
    assert file.data == {"a": 1, "b": {"c": "x"}}
    assert file.places[("b", "c")].line == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.yaml  the file is empty"),
        ("# only a comment\n", "a.yaml  the file is empty"),
        ("- a\n- b\n", "a.yaml  the top level is not a mapping"),
        ("hello\n", "a.yaml  the top level is not a mapping"),
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1  key `a` stands twice, first in line 1"),
        ("a: {x: 1, x: 2}\n", "a.yaml:1:11  key `x` stands twice"),
        ("a:\n\tb: 1\n", "a.yaml:2:1 .*indent with spaces; YAML does not allow tabs"),
        ("a: @b\n", "a.yaml:1:4 .*put the value in quotes"),
        ("a: 1\nb 2\nc: 3\n", "a.yaml:2:1 .*write `key: value`, with a space after the colon"),
        ("a: 'b\n", "a.yaml:1:4 .*found unexpected end of stream"),
        ("a: [1, 2\nb: 3\n", "a.yaml:2:2 .*expected ',' or '\\]'"),
        ("a:\n  b: 1\n c: 2\n", "a.yaml:3:2 .*expected <block end>"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2:1 .*expected a single document"),
        ("a: *b\n", "a.yaml:1:4  found undefined alias 'b'"),
        ("a: !!python/object:os.system x\n", "a.yaml:1:4  `!!python/object:os.system` cannot"),
        ("a: !mine {x: 1}\n", "a.yaml:1:4  `!mine` cannot stand here"),
        ("a: !!set {x, y}\n", "a.yaml:1:4  `!!set` cannot stand here"),
        ("a: !!binary aGk=\n", "a.yaml:1:4  `!!binary` cannot stand here"),
        ("a: {<<: 3}\n", "a.yaml:1:9  `!!int` cannot stand here"),
        ("? [a, b]\n: 1\n", "a.yaml:1:3  a key is not plain text"),
        ("%YAML 1.1\n---\na: on\n", "a.yaml  the file asks for YAML 1.1"),
        ("a: \x01\n", "a.yaml  unacceptable character"),
        ("a: caf\xe9\n".encode("latin-1"), "a.yaml  the file is not UTF-8 text"),
        ("a: 1\n".encode("utf-16"), "a.yaml  the file is not UTF-8 text"),
        ("a: !!int x\n", "a.yaml  "),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    read: Any, text: str | bytes, message: str
) -> None:
    with pytest.raises(InputError, match=f"(?s){message}") as error:
        read(text)
    assert [finding.code for finding in error.value.findings] == ["QL-CONFIG-001"]


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "a: &a {<<: *a}\n",
        "a: " + "{a: " * 200 + "1" + "}" * 200 + "\n",
        "a: " + "[" * 600 + "]" * 600 + "\n",
    ],
    ids=["ten to the ten", "itself", "itself by key", "merges itself", "deep", "very deep"],
)
@pytest.mark.timeout(20)
def test_files_that_would_fill_memory_are_refused(read: Any, text: str) -> None:
    with pytest.raises(InputError) as error:
        read(text)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("name", ["nope.yaml", "folder", "a.yaml/b.yaml"])
def test_a_missing_file_is_told_with_near_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "nop.yaml").touch()
    (tmp_path / "a.yaml").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=f"there is no config file `.*{name}`") as error:
        read_yaml(tmp_path / name)
    assert error.value.findings[0].code == "QL-CONFIG-003"
    if name == "nope.yaml":
        assert "did you mean `nop.yaml`" in str(error.value)


def test_one_value() -> None:
    assert parse_value("[a, 1e-3]", Path("x")) == ["a", 1e-3]
    with pytest.raises(InputError):
        parse_value("[a", Path("x"))


def test_text_keeps_its_file_across_processes() -> None:
    text = pickle.loads(pickle.dumps(Text("a/b", Path("x/config.yaml"))))
    assert (text, text.file) == ("a/b", Path("x/config.yaml"))
