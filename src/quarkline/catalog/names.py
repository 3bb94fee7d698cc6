"""Lists of names of samples and regions, in which `*` stands for anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator

T = TypeVar("T")


def as_list(value: Any) -> Any:
    """A single value as a list of one."""
    return [value] if isinstance(value, str | int | float | bool) else value


Listed = Annotated[list[T], BeforeValidator(as_list)]
"""A list in which a single value may stand without brackets."""


def selects(patterns: Iterable[str], name: str) -> bool:
    """Whether a list of names or patterns means a name; `all` and `*` mean every name."""
    return any(pattern == "all" or _matches(pattern, name) for pattern in patterns)


def _matches(pattern: str, name: str) -> bool:
    parts = [re.escape(part) for part in pattern.split("*")]
    return re.fullmatch(".*".join(parts), name) is not None
