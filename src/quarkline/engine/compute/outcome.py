"""Items of a mapped task, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Item:
    """One unit of a stage's work, with a content key of its own.

    Its key is made of the stage, the step, its arguments and its inputs' content, and of nothing
    else: not of the number of items, its place among them, or the stage's other config. So an
    item is found again when another config asks for the same one.

    Attributes:
        name: What it is called in progress and messages; unique in its step.
        args: JSON arguments; no paths.
        inputs: Files it reads, keyed by content.
    """

    name: str
    args: Mapping[str, Any]
    inputs: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """The item was worked on now.

    Attributes:
        name: Name of the item.
        value: What the task returned, as JSON values.
        folder: Where the task wrote its files.
    """

    name: str
    value: Any
    folder: Path


@dataclass(frozen=True)
class Cached(Done):
    """The item was finished before; its value and files are those of then."""


@dataclass(frozen=True)
class Failed:
    """The item raised an error on every attempt.

    Attributes:
        name: Name of the item.
        reason: The last error in one line.
        details: Its traceback.
    """

    name: str
    reason: str
    details: str


Outcome = Done | Cached | Failed
