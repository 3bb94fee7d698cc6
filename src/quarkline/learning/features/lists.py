"""Lists of features as a config has them: written out, or in a file that holds nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from quarkline.catalog.written import Written
from quarkline.engine.core.config import Config, resolve_path
from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.engine.core.yaml_file import read_yaml_value

BAD_LIST = Rule(
    "QL-FEATURES-001",
    "a list of features is a list of names, or of `NAME: EXPRESSION`",
    "Features stand in a config, or in a YAML file of their own that holds the list and nothing "
    "else. A name is a column of the files; `NAME: EXPRESSION` makes a feature from columns.",
)
TWICE = Rule(
    "QL-FEATURES-002",
    "a feature stands once in a list",
    "A feature that is given twice would count twice, and two features of one name could not be "
    "told apart.",
)


class Definition(Config):
    """A feature as it is written: its name and what it is made of."""

    name: Written
    expression: Written


class Sentinel(Config):
    """A value that stands for a missing one, and the features in which it does; None means all."""

    value: float
    features: tuple[Written, ...] | None = None


def place_of(text: str) -> Place | None:
    """Where a text of a config stands, if it knows."""
    return text.place if isinstance(text, Written) else getattr(text, "place", None)


def from_file(value: Any) -> Any:
    """What stands in the file that a text names, relative to the file that states it.

    Raises:
        InputError: If the file is missing, not YAML, or empty.
    """
    if not isinstance(value, str):
        return value
    path = resolve_path(value)
    try:
        held = read_yaml_value(path)
    except InputError as error:
        stated = place_of(value)
        raise InputError(
            *(item if item.place or not stated else item.at(stated) for item in error.findings)
        ) from error
    if not isinstance(held, list | Mapping) or not held:
        message = "the file is empty" if not held else f"the file holds `{held}` and no list"
        raise InputError(BAD_LIST.finding(message, place=Place(path)))
    return held


def _definitions(value: Any) -> Any:
    """Names and `NAME: EXPRESSION`, in order, as what `Definition` is made of."""
    listed = from_file(value)
    if not isinstance(listed, list | tuple):
        message = "a list of features, or the name of a file with one, is needed here"
        raise ValueError(message)
    found = [pair for item in listed for pair in _pairs(item)]
    _refuse_twice([pair["name"] for pair in found])
    return tuple(found)


def _pairs(item: Any) -> Iterator[dict[str, Any]]:
    if isinstance(item, Definition):
        yield {"name": item.name, "expression": item.expression}
    elif isinstance(item, str):
        yield {"name": item, "expression": item}
    elif isinstance(item, Mapping):
        yield from ({"name": name, "expression": made} for name, made in item.items())
    else:
        message = f"`{item}` is no feature: write its name, or `NAME: EXPRESSION`"
        raise ValueError(message)


def _names(value: Any) -> Any:
    listed = from_file(value)
    if not isinstance(listed, list | tuple) or not all(isinstance(item, str) for item in listed):
        message = "a list of names of features, or the name of a file with one, is needed here"
        raise ValueError(message)
    _refuse_twice(listed)
    return tuple(listed)


def _refuse_twice(names: list[str] | tuple[str, ...]) -> None:
    findings = [
        TWICE.finding(
            f"feature `{name}` stands twice in the list",
            suggestion="leave one of them out, or give it another name",
            place=place_of(name),
        )
        for index, name in enumerate(names)
        if name in names[:index]
    ]
    if findings:
        raise InputError(*findings)


def _sentinels(value: Any) -> Any:
    """Values for all features, or lists of features by value, as what `Sentinel` is made of."""
    told = from_file(value)
    if isinstance(told, int | float) and not isinstance(told, bool):
        told = [told]
    if isinstance(told, Mapping):
        pairs = [{"value": key, "features": _names(names)} for key, names in told.items()]
        return tuple(pair | {"value": _number(pair["value"])} for pair in pairs)
    if isinstance(told, list | tuple):
        return tuple(
            {"value": item.value, "features": item.features}
            if isinstance(item, Sentinel)
            else {"value": _number(item)}
            for item in told
        )
    message = "a list of values, or lists of features by value, is needed here"
    raise ValueError(message)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        message = f"`{value}` is no number: write `-999: [FEATURE, ...]`"
        raise ValueError(message) from None


def _written_definitions(value: tuple[Definition, ...]) -> list[Any]:
    return [
        str(item.name) if item.name == item.expression else {str(item.name): str(item.expression)}
        for item in value
    ]


def _written_sentinels(value: tuple[Sentinel, ...]) -> Any:
    if all(item.features is None for item in value):
        return [item.value for item in value]
    return {repr(item.value): [str(name) for name in item.features or ()] for item in value}


FeatureList = Annotated[
    tuple[Definition, ...],
    BeforeValidator(_definitions),
    PlainSerializer(_written_definitions),
]
"""Features in order; in a config names and `NAME: EXPRESSION`, or a file of such."""

NameList = Annotated[tuple[Written, ...], BeforeValidator(_names)]
"""Names of features; in a config a list, or a file with one."""

SentinelList = Annotated[
    tuple[Sentinel, ...],
    BeforeValidator(_sentinels),
    PlainSerializer(_written_sentinels),
]
"""Values that stand for missing ones; in a config a list, or lists of features by value."""
