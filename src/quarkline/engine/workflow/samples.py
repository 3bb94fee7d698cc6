"""What a config reads, and from whom: samples of files with tree, columns, cuts and weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class InputSample:
    """Files that are read as one table of events.

    Attributes:
        name: What the sample is called.
        files: Its files, in order.
        tree: The tree, None where files have one only.
        columns: Columns that the study reads.
        cuts: Expressions by name, in order, that an event has to pass.
        weight: Expression of an event's weight, None if every event counts 1.
        identity: Columns that identify an event.
    """

    name: str
    files: tuple[Path, ...]
    tree: str | None = None
    columns: tuple[str, ...] = ()
    cuts: Mapping[str, str] = field(default_factory=dict)
    weight: str | None = None
    identity: tuple[str, ...] = ()
