"""SVG for pages: the same drawing in fewer bytes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_WORD = re.compile(r"[A-Za-z]|[^A-Za-z\s]+")
_USED = re.compile(r"url\(#([^)]+)\)")
_LONG = re.compile(r"-?\d+\.\d+")
_DIGITS = {"transform": 3, "x": 2, "y": 2}
"""Digits behind the point that stay, by attribute: a hundredth of a point is no pixel."""

ET.register_namespace("", SVG.strip("{}"))


def compact(text: str, mark: str) -> str:
    """The `<svg>` element of a drawing without what no browser shows.

    Names that nothing refers to, groups without attributes, styles said twice and digits below a
    hundredth of a point are left out.

    Args:
        text: The drawing as Matplotlib writes it.
        mark: What the names that stay begin with, so that several drawings share a page.
    """
    root = ET.fromstring(text)  # noqa: S314  # written by Matplotlib a moment ago
    elements = list(root.iter())
    root.set("id", mark)
    names = _names(elements, mark)
    styles = {element.get("id"): element.get("style") for element in elements}
    for element in elements:
        _shorten(element, names, styles)
    _unwrap(root)
    return ET.tostring(root, encoding="unicode")


def _names(elements: list[ET.Element], mark: str) -> dict[str, str]:
    """A short name for each that is referred to, in order of appearance."""
    used: set[str] = set()
    for element in elements:
        used.update(name for value in element.attrib.values() for name in _USED.findall(value))
        used.add(element.get(LINK, "").partition("#")[2])
    kept = [name for element in elements if (name := element.get("id", "")) in used and name]
    return {name: f"{mark}-{number:x}" for number, name in enumerate(kept)}


def _shorten(
    element: ET.Element, names: dict[str, str], styles: dict[str | None, str | None]
) -> None:
    link = element.attrib.pop(LINK, "")
    if link.startswith("#"):
        if element.get("style") == styles.get(link[1:]):
            element.attrib.pop("style", None)
        element.set("href", f"#{names[link[1:]]}")
    elif link:
        element.set("href", link)  # a picture, in base64 that has no `#`
    name = element.get("id", "")
    if name in names:
        element.set("id", names[name])
    elif element.tag != f"{SVG}svg":
        element.attrib.pop("id", None)
    for key, value in element.attrib.items():
        if key == "d":
            element.set(key, _path(value))
        elif key in _DIGITS:
            element.set(key, _rounded(value, _DIGITS[key]))
        elif "url(#" in value:
            element.set(key, _USED.sub(lambda found: f"url(#{names[found[1]]})", value))
    element.text = None if element.tag != f"{SVG}style" else element.text
    element.tail = None


def _rounded(value: str, digits: int) -> str:
    return _LONG.sub(lambda number: _number(number[0], digits), value)


def _number(text: str, digits: int = 2) -> str:
    short = f"{float(text):.{digits}f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def _path(data: str) -> str:
    """A path whose lines along an axis give one number, and whose lines of no length are gone."""
    parts: list[str] = []
    before: list[str] = []
    for command, *numbers in _commands(data):
        at = numbers[-2:]
        if command == "L" and at == before and parts[-1][0] != "M":
            continue
        if command == "L" and at[1] == before[1]:
            parts.append(f"H{at[0]}")
        elif command == "L" and at[0] == before[0]:
            parts.append(f"V{at[1]}")
        else:
            parts.append(command + " ".join(numbers))
        before = at
    return "".join(parts)


def _commands(data: str) -> Iterator[list[str]]:
    """Each letter of a path with its numbers, rounded."""
    command: list[str] = []
    for word in _WORD.findall(data):
        if word.isalpha():
            if command:
                yield command
            command = [word]
        else:
            command.append(_number(word))
    if command:
        yield command


def _unwrap(parent: ET.Element) -> None:
    """Put the content of groups without attributes in their place."""
    children: list[ET.Element] = []
    for child in list(parent):
        _unwrap(child)
        plain = child.tag == f"{SVG}g" and not child.attrib
        children += list(child) if plain else [child]
    parent[:] = children
