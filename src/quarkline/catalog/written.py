"""Texts of an analysis that know where each part of them was written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from quarkline.engine.core.findings import Place
from quarkline.engine.core.yaml_file import Text

Origins = tuple[tuple[int, Place], ...]


class Written(str):
    """An expression or name of an analysis, with the places its parts come from.

    It is equal to its text, wherever that was written. A weight put together from several factors
    knows the file, line and column of each of its characters.

    Attributes:
        origins: Offset at which a part begins, with the place of its first character; rising.
    """

    __slots__ = ("origins",)
    origins: Origins

    def __new__(cls, text: str, origins: Origins = ()) -> Self:
        """Keep `text` together with its origins."""
        written = super().__new__(cls, text)
        written.origins = origins
        return written

    def __getnewargs__(self) -> tuple[str, Origins]:  # type: ignore[override]
        """What a copy in another process is made of."""
        return str(self), self.origins

    @classmethod
    def at(cls, text: str, place: Place) -> Self:
        """A text that stands at one place."""
        return cls(text, ((0, place),))

    @classmethod
    def joined(cls, parts: Iterable[str]) -> Self:
        """Several texts one after the other."""
        text, origins = "", []
        for part in parts:
            if isinstance(part, Written):
                origins += [(len(text) + offset, place) for offset, place in part.origins]
            text += part
        return cls(text, tuple(origins))

    @property
    def place(self) -> Place | None:
        """Where it begins; None if that is not known."""
        return self.within(0, len(self))

    def within(self, start: int, stop: int) -> Place | None:
        """Where a part of it was written."""
        index = bisect_right(self.origins, start, key=lambda origin: origin[0]) - 1
        if index < 0:
            return self.origins[0][1] if self.origins else None
        offset, place = self.origins[index]
        if place.column is None:
            return place
        rest = self.origins[index + 1][0] if index + 1 < len(self.origins) else len(self)
        length = max(1, min(stop, rest) - start)
        return replace(place, column=place.column + start - offset, length=length)

    def part(self, start: int, stop: int) -> Written:
        """The characters from `start` to `stop`, with their places."""
        if start == 0 and stop == len(self):
            return self
        first = bisect_right(self.origins, start, key=lambda origin: origin[0]) - 1
        origins = [
            (max(0, offset - start), self.within(max(offset, start), stop))
            for offset, _ in self.origins[max(0, first) :]
            if offset < stop
        ]
        known = tuple((offset, place) for offset, place in origins if place is not None)
        return Written(self[start:stop], known)

    def trimmed(self) -> Written:
        """Without spaces at both ends, and without the quotes around it."""
        inner = self.stripped()
        if len(inner) >= 2 and inner[0] == inner[-1] == '"' and '"' not in inner[1:-1]:
            return inner.part(1, len(inner) - 1).stripped()
        return inner

    def stripped(self) -> Written:  # `strip` would give a text without places
        """Without spaces at both ends."""
        start = len(self) - len(self.lstrip())
        return self.part(start, max(start, len(self.rstrip())))

    def without(self, text: str) -> Written:
        """With 1 in place of a text that it contains."""
        found = self.find(text)
        if found < 0 or not text:
            return self
        rest = self.part(found + len(text), len(self)).without(text)
        return Written.joined([self.part(0, found), "1", rest])

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        """A text, or a number that is its own text."""
        return core_schema.no_info_plain_validator_function(
            _read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )


def _read(value: Any) -> Written:
    if isinstance(value, Written):
        return value
    if isinstance(value, Text):
        return Written(str(value), ((0, _start_of(value)),))
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return Written(str(value))
    message = "a text is needed here"
    raise ValueError(message)


def _start_of(value: Text) -> Place:
    """Where the first character of a YAML value stands, after its quote."""
    place = value.place
    if place.column is None or place.text is None:
        return place
    for column in (place.column, place.column + 1):
        if place.text.startswith(str(value), column - 1):
            return replace(place, column=column, length=len(value))
    return replace(place, column=None)  # folded or escaped: its characters stand elsewhere


def product(factors: Iterable[Written]) -> Written:
    """The factors of a weight, each in brackets; 1 of none."""
    return _combined(list(factors), "*")


def conjunction(cuts: Iterable[Written]) -> Written:
    """Cuts that must all hold, each in brackets; 1 of none."""
    return _combined(list(cuts), "&&")


def _combined(parts: list[Written], operator: str) -> Written:
    if not parts:
        return Written("1")
    if len(parts) == 1:
        return parts[0]
    bracketed = [piece for part in parts for piece in (operator, "(", part, ")")]
    return Written.joined(bracketed[1:])
