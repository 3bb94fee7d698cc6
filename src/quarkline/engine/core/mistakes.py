"""Turns what pydantic says about a config into findings in the words of its author."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from quarkline.engine.core.findings import Finding, Place, Rule, did_you_mean, nearest
from quarkline.engine.core.yaml_file import KeyPath, Text

UNKNOWN_KEY = Rule(
    "QL-CONFIG-002",
    "every key of a config is known",
    "A key that nothing reads is most often a spelling mistake, and a setting that silently does "
    "nothing is worse than an error.",
)
BAD_VALUE = Rule(
    "QL-CONFIG-004",
    "every value has the type and range its key asks for",
    "The value cannot be used for this key. The message names the value and what is allowed.",
)
MISSING_KEY = Rule(
    "QL-CONFIG-005",
    "required keys are present",
    "This key has no default, because no default would be right for every analysis.",
)

NEEDED = {  # pydantic's error types whose words only a programmer understands
    "dict_type": "a map of keys is needed here",
    "model_type": "a map of keys is needed here",
    "model_attributes_type": "a map of keys is needed here",
    "list_type": "a list is needed here",
    "tuple_type": "a list is needed here",
    "path_type": "a path is needed here",
    "string_type": "a text is needed here",
}

LACKS_KIND = "union_tag_not_found"
NO_KIND = "(missing)"  # stands for an absent `kind:`, so that pydantic lists the kinds there are

Mistake = tuple[KeyPath, list[ErrorDetails]]


def find_mistakes(
    data: Any,
    errors: Sequence[ErrorDetails],
    unknown: Mapping[KeyPath, frozenset[str]],
    place_of: Callable[..., Place],
) -> list[Finding]:
    """One finding for each mistake, in the order of the file.

    Args:
        data: The config's data.
        errors: What pydantic found.
        unknown: The path of each unknown key, with the keys allowed beside it.
        place_of: Gives the place of a key from the parts of its path.
    """
    findings = [_unknown_key(at, keys, place_of(*at)) for at, keys in unknown.items()]
    findings += [
        _bad_key(mistake, place_of) for mistake in _without_echo(_group(data, errors), unknown)
    ]
    return sorted(findings, key=_position)


def with_kinds(data: Any, errors: Iterable[ErrorDetails]) -> Any:
    """The data with a mark in each map that should say its `kind:` and does not."""
    lacking = {_existing_path(data, error) for error in errors if error["type"] == LACKS_KIND}

    def copy(value: Any, at: KeyPath) -> Any:
        if isinstance(value, list):
            return [copy(item, (*at, index)) for index, item in enumerate(value)]
        if not isinstance(value, Mapping):
            return value
        marked = {"kind": NO_KIND} if at in lacking else {}
        return marked | {key: copy(item, (*at, key)) for key, item in value.items()}

    return copy(data, ()) if lacking else data


def shown(value: Any) -> str:
    """A value as it stands in YAML, cut to a length that fits a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(str(value) if isinstance(value, Text) else value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unknown_key(at: KeyPath, allowed: frozenset[str], place: Place) -> Finding:
    key = str(at[-1])
    return UNKNOWN_KEY.finding(
        f"unknown key `{key}`",
        suggestion=did_you_mean(key, allowed, what="keys allowed"),
        place=place,
        evidence={"allowed": sorted(allowed)},
    )


def _bad_key(mistake: Mistake, place_of: Callable[..., Place]) -> Finding:
    at, details = mistake
    detail = details[0]
    name, value = ".".join(str(part) for part in at), detail["input"]
    choices = _choices(detail) if len(details) == 1 else []
    if detail["type"] == "missing" and isinstance(at[-1], int):
        return BAD_VALUE.finding(f"`{name}`: this item is missing", place=place_of(*at))
    if detail["type"] == "missing":
        return MISSING_KEY.finding(f"key `{name}` is missing", place=place_of(*at))
    if detail["type"] == "union_tag_invalid":
        at, name, value = (*at, "kind"), f"{name}.kind", value["kind"]
    if value == NO_KIND:
        hint = f"choose one of {', '.join(choices)}"
        return MISSING_KEY.finding(f"key `{name}` is missing", suggestion=hint, place=place_of(*at))
    if choices:
        return BAD_VALUE.finding(
            f"`{name}` = {shown(value)} is none of the values allowed",
            suggestion=did_you_mean(str(value), choices, what="values"),
            place=place_of(*at),
            evidence={"allowed": choices},
        )
    subject = f"`{name}`: " if isinstance(value, Mapping) else f"`{name}` = {shown(value)}: "
    message = " or ".join(_wording(item) for item in details)
    return BAD_VALUE.finding((subject if name else "") + message, place=place_of(*at))


def _group(data: Any, errors: Iterable[ErrorDetails]) -> list[Mistake]:
    """Validation errors by the key they are about.

    A union without `kind:` (such as a name or a map) fails once for each of its forms. The form
    that came farthest is the one that was meant.
    """
    found: dict[KeyPath, list[ErrorDetails]] = {}
    for error in errors:
        found.setdefault(_existing_path(data, error), []).append(error)
    return [
        (at, [item for item in details if item["type"] not in NEEDED] or details)
        for at, details in found.items()
        if not any(
            len(other) > len(at) == len(details[0]["loc"]) - 1 and other[: len(at)] == at
            for other in found
        )
    ]


def _without_echo(
    mistakes: Iterable[Mistake], unknown: Mapping[KeyPath, frozenset[str]]
) -> list[Mistake]:
    """The mistakes without missing keys that stand there misspelt, which is said already."""
    meant = {
        (*at[:-1], near)
        for at, keys in unknown.items()
        for near in nearest(str(at[-1]), keys, most=1)
    }
    return [item for item in mistakes if item[1][0]["type"] != "missing" or item[0] not in meant]


def _position(finding: Finding) -> tuple[str, int, int]:
    place = finding.place or Place()
    return str(place.file or ""), place.line or 0, place.column or 0


def _choices(detail: ErrorDetails) -> list[str]:
    """The texts allowed for a value, where they are a list."""
    key = {"union_tag_invalid": "expected_tags", "literal_error": "expected", "enum": "expected"}
    allowed = detail.get("ctx", {}).get(key.get(detail["type"], ""), "")
    return re.findall(r"'([^']*)'", allowed)


def _wording(detail: ErrorDetails) -> str:
    message = NEEDED.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _existing_path(data: Any, error: ErrorDetails) -> KeyPath:
    """Where an error is, without the parts that are names of union members, not keys."""
    location = error["loc"]
    path: list[str | int] = []
    tagged = False
    for index, part in enumerate(location):
        if isinstance(data, Mapping) and part == data.get("kind") and not tagged:
            tagged = True  # the member of a union told by `kind:`, which may be a key's name, too
        elif _holds(data, part):
            data = data[part]
            path.append(part)
            tagged = False
        elif error["type"] == "missing" and index == len(location) - 1:
            path.append(part)
    return tuple(path)


def _holds(data: Any, part: str | int) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)
