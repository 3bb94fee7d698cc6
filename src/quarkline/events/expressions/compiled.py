"""Expressions bound to a table: what they need, what they give, and their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Place
from quarkline.events.expressions import nodes
from quarkline.events.expressions.batch import EventTable, as_batch
from quarkline.events.expressions.check import check
from quarkline.events.expressions.evaluate import Scope
from quarkline.events.expressions.frame import nested
from quarkline.events.expressions.kinds import ResultKind
from quarkline.events.expressions.leaves import Leaf, depth_of, leaves_of
from quarkline.events.expressions.nodes import Node
from quarkline.events.expressions.parser import parse
from quarkline.events.expressions.python_reading import python_reading
from quarkline.events.expressions.static import static_warnings
from quarkline.events.schema import Schema


@dataclass(frozen=True)
class Expression:
    """An expression that fits a table.

    Attributes:
        text: What the user wrote.
        tree: Its parsed form; `str(tree)` is the canonical text.
        kinds: By node whether its values are boolean, integer or real numbers, or text.
        leaves: By node that stands for a column, what is read.
        warnings: What is suspicious about it.
    """

    text: str
    tree: Node
    kinds: Mapping[Node, ResultKind] = field(repr=False)
    leaves: Mapping[Node, Leaf] = field(repr=False)
    warnings: tuple[Finding, ...] = ()

    @property
    def kind(self) -> ResultKind:
        """Whether the values are boolean, integer or real numbers; they come as float64."""
        return self.kinds[self.tree]

    @property
    def clauses(self) -> tuple[Expression, ...]:
        """The conditions that `&&` joins, as expressions; the expression itself if none does."""
        return tuple(self.part(node) for node in nodes.clauses(self.tree, "&&"))

    def part(self, node: Node) -> Expression:
        """One of its nodes as an expression."""
        leaves = {leaf: self.leaves[leaf] for leaf in leaves_of(node, self.leaves)}
        return Expression(self.text[slice(*node.span)], node, self.kinds, leaves)

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns it reads."""
        return frozenset(leaf.column.name for leaf in self.leaves.values())

    @property
    def names(self) -> frozenset[str]:
        """Names in it, of columns and others, such as `Entries$`."""
        return frozenset(
            node.name for node in nodes.walk(self.tree) if isinstance(node, nodes.Name)
        )

    @property
    def depth(self) -> int:
        """Array dimensions it loops over: 0 for one value an event, 1 for `Muon_pt`."""
        return depth_of(self.tree, self.leaves)

    def evaluate(self, table: EventTable) -> NDArray[np.float64] | ak.Array:
        """The values for every event of a table.

        Args:
            table: Columns by name, or a batch with the entry numbers that `Entry$` needs.

        Returns:
            With depth 0 float64 of shape (N,); an event without an element that is asked for by
            index has NaN, or 0 if the expression is a condition: it does not pass. Else an
            awkward array of N lists of float64, empty for such an event.
        """
        scope = joint_scope(table, [self])
        values = scope.values(self.tree)
        frame = scope.frame
        if self.depth == 0:
            found = np.full(frame.rows, 0.0 if self.kind is ResultKind.BOOLEAN else np.nan)
            found[frame.events] = values
            return found
        return nested(values, frame)


def joint_scope(table: EventTable, expressions: Iterable[Expression]) -> Scope:
    """Several expressions on the instances that they share."""
    joined = list(expressions)
    leaves = {node: leaf for item in joined for node, leaf in item.leaves.items()}
    return Scope(as_batch(table), [item.tree for item in joined], leaves)


def compile_expression(
    text: str, schema: Schema, *, label: str | None = None, numbered: bool = False
) -> Expression:
    """Parse an expression and fit it to a table.

    Args:
        text: The expression, in C's or Python's spelling.
        schema: The table's columns.
        label: What the expression is, for findings: "weight", "selection of region `SR`".
        numbered: Whether it will be evaluated on batches with entry numbers; without them
            `Entry$` and its like are refused.

    Raises:
        InputError: If the text is no expression, or does not fit the table; the findings point
            at the characters and name near misses.
    """
    try:
        tree = parse(text)
        meaning = check(text, tree, schema, numbered=numbered)
    except InputError as error:
        raise InputError(*_labelled(error.findings, label)) from None
    reading = python_reading(text, tree)
    warnings = ([reading] if reading else []) + static_warnings(text, tree, meaning)
    return Expression(text, tree, meaning.kinds, meaning.leaves, _labelled(warnings, label))


def _labelled(findings: Sequence[Finding], label: str | None) -> tuple[Finding, ...]:
    places = [replace(finding.place or Place(), label=label) for finding in findings]
    return tuple(finding.at(place) for finding, place in zip(findings, places, strict=True))
