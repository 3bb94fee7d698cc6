"""What a table of events holds: its columns with type, nesting and unit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LABEL = "quarkline"
"""Name under which our own files say what their table is."""
NOTES = ("quarkline_friend",)
"""Names of what else they may say."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its name, as an expression spells it.
        dtype: NumPy name of the innermost values ("float32", "bool", ...), or "string".
        depth: Number of variable-length levels inside an event: 0 flat, 1 `Muon_pt`, 2 nested.
        shape: Fixed inner dimensions, for array leaves such as `x[3]`.
        unit: Unit of the values, "" if none is known.
        title: The format's own comment on the column.
    """

    name: str
    dtype: str
    depth: int = 0
    shape: tuple[int, ...] = ()
    unit: str = ""
    title: str = ""


@dataclass(frozen=True)
class Schema:
    """The columns of one table, in the file's order.

    Attributes:
        columns: Column by name.
        entries: Number of events.
        tree: Name of the tree, where the format has trees.
        metadata: What else the file says about the table.
    """

    columns: Mapping[str, Column]
    entries: int
    tree: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]


def own_notes(texts: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """What our own sinks wrote beside a table, from JSON texts by name.

    Returns:
        Always an entry for `LABEL`; nothing of a text that is not ours.
    """
    return {LABEL: {}} | {name: _parsed(texts[name]) for name in (LABEL, *NOTES) if name in texts}


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
