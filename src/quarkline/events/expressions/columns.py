"""From a name and its indices to a column of the table, or to what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from quarkline.engine.core.findings import Rule, did_you_mean, nearest
from quarkline.events.expressions import nodes
from quarkline.events.expressions.functions import FUNCTIONS
from quarkline.events.expressions.leaves import ENTRY_NAMES, INSTANCE_NAMES, Leaf, Step
from quarkline.events.expressions.nodes import Node
from quarkline.events.schema import Column, Schema

UNKNOWN_COLUMN = Rule(
    "QL-EXPR-001",
    "the columns of an expression exist in the table",
    "Names are those `quarkline inspect FILE` lists; upper and lower case differ. Members of "
    "objects are spelt with dots, as in `jets.fPt`.",
)
INDEX = Rule(
    "QL-EXPR-011",
    "an index is a whole number from 0 on",
    "`x[0]` is the first element of an array column. ROOT reads memory outside the array for a "
    "negative index, and cuts a fractional one; both are refused where they are written. An index "
    "that is computed, `x[y]`, is cut to a whole number, and what lies outside the array gives "
    "nothing. An index with several values an event takes the place of a loop, so that the column "
    "can have no other.",
)

Refuse = Callable[[Rule, Node, str, str | None], None]


class ColumnReader:
    """Finds the columns that nodes name.

    Args:
        schema: The table's columns.
        refuse: Takes what is wrong: rule, node, message and suggestion.
        looping: Whether an index may have several values an event.
    """

    def __init__(self, schema: Schema, refuse: Refuse, looping: Callable[[Node], bool]) -> None:
        self.schema, self.refuse, self.looping = schema, refuse, looping

    def leaf(self, node: Node, name: str, indices: tuple[Node | None, ...]) -> Leaf | None:
        """The column `name` with indices that were checked; None if it is refused."""
        if name not in self.schema:
            self._unknown(node, name)
            return None
        column = self.schema[name]
        steps: list[Step] = []
        for index in indices:
            if index is not None and (step := self._step(index)) is None:
                return None
            steps.append(None if index is None else step)
        return self._fitted(node, column, steps)

    def collection(self, node: Node, name: str) -> Leaf | None:
        """The collection `name`, or one that has members `name.x`, as a whole."""
        members = [
            column
            for column in self.schema.columns.values()
            if column.name == name or column.name.startswith(f"{name}.")
        ]
        for column in members:
            if column.depth:
                return Leaf(column, whole=True)
        if members:
            shown = f"`{node}`: `{name}` is no collection of varying length"
            self.refuse(INDEX, node, shown, f"the number of its elements is `Length$({name})`")
        else:
            self._unknown(node, name)
        return None

    def _step(self, index: Node) -> Step:
        """A constant index as number, any other as it is; None if it is refused."""
        match index:
            case nodes.Number(value) if value.is_integer():
                return int(value)
            case nodes.Number() | nodes.Unary("-", nodes.Number()):
                shown = f"`{index}` is no index: elements count 0, 1, 2, ..."
                self.refuse(INDEX, index, shown, None)
                return None
        return index

    def _fitted(self, node: Node, column: Column, steps: list[Step]) -> Leaf | None:
        """The leaf, if the column has the dimensions and elements that are asked for."""
        sizes: list[float] = [math.inf] * column.depth + list(column.shape)
        # As in ROOT, a single value is also its own element 0.
        ones = [1.0] * (len(steps) - len(sizes))
        for place, (step, size) in enumerate(zip(steps, sizes + ones, strict=False)):
            if isinstance(step, int) and step >= size:
                held = f"`{column.name}` has {_elements(int(size))} there"
                self.refuse(INDEX, node, f"`{node}` asks for element {step}; {held}", None)
                return None
            if place >= len(sizes) and not isinstance(step, int):
                shown = f"`{node}`: `{column.name}` has {_elements(1)} there"
                self.refuse(INDEX, node, shown, None)
                return None
        known = steps[: len(sizes)]
        leaf = Leaf(column, tuple(known + [None] * (len(sizes) - len(known))))
        if leaf.free and any(map(self.looping, leaf.computed)):
            shown = f"`{node}` loops over its index and over `{column.name}` itself"
            self.refuse(INDEX, node, shown, f"give all {len(sizes)} indices of `{column.name}`")
            return None
        return leaf

    def _unknown(self, node: Node, name: str) -> None:
        unreadable = self.schema.metadata.get("unreadable", {})
        if isinstance(unreadable, Mapping) and name in unreadable:
            message = f"column `{name}` cannot be read: {unreadable[name]}"
            self.refuse(UNKNOWN_COLUMN, node, message, None)
            return
        where = f"tree `{self.schema.tree}`" if self.schema.tree else "the table"
        known = [*self.schema.columns, *ENTRY_NAMES, *INSTANCE_NAMES]
        names = known if name.endswith("$") else self.schema.columns
        hint = did_you_mean(name, names, what="columns")
        if name in FUNCTIONS and not nearest(name, self.schema.columns):
            hint = f"`{name}` is a function: write `{name}(...)`"
        self.refuse(UNKNOWN_COLUMN, node, f"{where} has no column `{name}`", hint)


def _elements(number: int) -> str:
    return f"{number} element" + "s" * (number != 1)
