"""What a table of events holds: its columns with type, nesting and unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
