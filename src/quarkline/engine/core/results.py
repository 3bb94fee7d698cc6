"""Result values: what a stage found out, as small frozen dataclasses with a canonical JSON form."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class Quantity:
    """A number with its errors and unit; `up` and `down` are distances from `value`, positive."""

    value: float
    up: float | None = None
    down: float | None = None
    unit: str = ""


class Result:
    """Base of all result values.

    A subclass is a frozen dataclass; defining it registers its `kind`, under which it is written
    and found again. Bump `version` when a field changes its meaning.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1

    def __init_subclass__(cls, *, kind: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        known = _KINDS.setdefault(kind, cls)
        if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
            msg = f"result kind '{kind}' is declared twice: {known} and {cls}"
            raise ValueError(msg)
        _KINDS[kind] = cls
        cls.kind = kind

    def as_json(self) -> dict[str, Any]:
        """The result as a JSON object: `kind`, `version` and the fields."""
        return {"kind": self.kind, "version": self.version, **jsonable(_shallow(self))}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a result of this class from `as_json()`.

        Raises:
            ValueError: If the kind or version is another one.
        """
        found = (data.get("kind"), data.get("version"))
        if found != (cls.kind, cls.version):
            msg = f"expected result {(cls.kind, cls.version)}, found {found}"
            raise ValueError(msg)
        return typing.cast("Self", _build(cls, data))


_KINDS: dict[str, type[Result]] = {}


def result_from_json(data: Mapping[str, Any]) -> Result:
    """Rebuild a result of any registered kind.

    Raises:
        ValueError: If no such kind is registered.
    """
    kind = data.get("kind")
    if kind not in _KINDS:
        msg = f"unknown result kind '{kind}'; known: {', '.join(sorted(_KINDS))}"
        raise ValueError(msg)
    return _KINDS[kind].from_json(data)


def jsonable(value: Any) -> Any:
    """Turn dataclasses, enums, NumPy values and paths' parts into plain JSON values.

    NaN and infinities become null: a result says in a `status` field why a number is absent.
    Minus zero becomes zero, so that equal values have equal text.
    """
    if isinstance(value, Result):
        return value.as_json()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return jsonable(_shallow(value))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return jsonable(value.tolist())
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        return value + 0.0 if math.isfinite(value) else None
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [jsonable(item) for item in items]
    msg = f"cannot write a {type(value).__name__} as JSON: {value!r}"
    raise TypeError(msg)


def canonical_json(value: Any) -> str:
    """JSON text with sorted keys and no spaces: equal values give equal bytes."""
    return json.dumps(
        jsonable(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def pretty_json(value: Any) -> str:
    """JSON text with sorted keys and indentation, ending in a newline."""
    return (
        json.dumps(jsonable(value), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
        + "\n"
    )


def _shallow(value: Any) -> dict[str, Any]:
    return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}


def _build(annotation: Any, data: Any) -> Any:
    """Rebuild `data` as the annotated type: dataclasses, enums, tuples, lists, mappings, unions."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        return None if data is None else _build(_union_member(arguments, data), data)
    if origin is tuple:
        repeated = len(arguments) == 2 and arguments[1] is Ellipsis
        kinds = [arguments[0]] * len(data) if repeated else arguments
        return tuple(_build(kind, item) for kind, item in zip(kinds, data, strict=True))
    if origin in {list, Sequence}:
        return [_build(arguments[0], item) for item in data]
    if origin in {dict, Mapping}:
        return {_build(arguments[0], key): _build(arguments[1], item) for key, item in data.items()}
    if annotation is Result:
        return result_from_json(data)
    if dataclasses.is_dataclass(annotation):
        return _build_dataclass(typing.cast("type", annotation), data)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation(data)
    if annotation is float:
        return math.nan if data is None else float(data)
    if annotation is int:
        return int(data)
    return data


def _union_member(members: tuple[Any, ...], data: Any) -> Any:
    """The member of a union that fits `data`: a result by kind, else the first that is not None."""
    if isinstance(data, Mapping) and "kind" in data:
        for member in members:
            if getattr(member, "kind", None) == data["kind"]:
                return member
    return next(member for member in members if member is not type(None))


_hints = functools.cache(typing.get_type_hints)  # slow beside all else that is done here


def _build_dataclass(cls: type, data: Mapping[str, Any]) -> Any:
    hints = _hints(cls)
    fields = [item.name for item in dataclasses.fields(cls)]
    return cls(**{name: _build(hints[name], data[name]) for name in fields if name in data})
