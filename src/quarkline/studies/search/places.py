"""Where the keys of a validated config stand, as far as its texts remember it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from quarkline.catalog import Written
from quarkline.engine.core.findings import Place


def place_of(config: BaseModel, *at: str | int) -> Place:
    """Where the first text below a key stands; of a key without any, below its nearest parent.

    Args:
        config: The config.
        at: The parts of the key.
    """
    for length in range(len(at), 0, -1):
        found = next(_places(_at(config, at[:length])), None)
        if found is not None:
            return found
    return Place()


def _at(value: Any, at: tuple[str | int, ...]) -> Any:
    for part in at:
        if isinstance(value, BaseModel):
            value = getattr(value, str(part), None)
        elif isinstance(value, Mapping):
            value = value.get(part)
        else:
            return value
    return value


def _places(value: Any) -> Iterator[Place]:
    if isinstance(value, Written):
        if value.place is not None:
            yield value.place
    elif isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield from _places(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _places(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _places(item)
