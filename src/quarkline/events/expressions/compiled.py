"""Expressions bound to a table: what they need, what they give, and their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Place
from quarkline.events.expressions import nodes
from quarkline.events.expressions.check import Leaf, check
from quarkline.events.expressions.evaluate import evaluate
from quarkline.events.expressions.frame import Frame, Table
from quarkline.events.expressions.functions import ResultKind
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
        return tuple(self._part(node) for node in nodes.clauses(self.tree, "&&"))

    def _part(self, node: Node) -> Expression:
        leaves = {leaf: self.leaves[leaf] for leaf in _standing_for_columns(node, self.leaves)}
        return Expression(self.text[slice(*node.span)], node, self.kinds, leaves)

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns it reads."""
        return frozenset(leaf.column.name for leaf in self.leaves.values())

    @property
    def depth(self) -> int:
        """Array dimensions it loops over: 0 for one value an event, 1 for `Muon_pt`."""
        return max((leaf.free for leaf in self.leaves.values()), default=0)

    def evaluate(self, table: Table) -> NDArray[np.float64] | ak.Array:
        """The values for every event of a table.

        Args:
            table: Columns by name: a record array, or a mapping to arrays of one length.

        Returns:
            With depth 0 float64 of shape (N,); an event without an element that is asked for by
            index has NaN, or 0 if the expression is a condition: it does not pass. Else an
            awkward array of N lists of float64, empty for such an event.
        """
        frame = Frame(table, self.leaves.values())
        values = self.on(frame)
        if self.depth == 0:
            found = np.full(frame.rows, 0.0 if self.kind is ResultKind.BOOLEAN else np.nan)
            found[frame.events] = values
            return found
        return nested(values, frame)

    def on(self, frame: Frame) -> NDArray[np.float64]:
        """The values by instance of a frame made for the leaves of this and other expressions."""
        leaves = {node: frame.values(leaf) for node, leaf in self.leaves.items()}
        values: NDArray[Any] = np.asarray(evaluate(self.tree, leaves), dtype=np.float64)
        return np.broadcast_to(values, (len(frame),))


def compile_expression(text: str, schema: Schema, *, label: str | None = None) -> Expression:
    """Parse an expression and fit it to a table.

    Args:
        text: The expression, in C's or Python's spelling.
        schema: The table's columns.
        label: What the expression is, for findings: "weight", "selection of region `SR`".

    Raises:
        InputError: If the text is no expression, or does not fit the table; the findings point
            at the characters and name near misses.
    """
    try:
        tree = parse(text)
        meaning = check(text, tree, schema)
    except InputError as error:
        raise InputError(*_labelled(error.findings, label)) from None
    reading = python_reading(text, tree)
    warnings = ([reading] if reading else []) + static_warnings(text, tree, meaning)
    return Expression(text, tree, meaning.kinds, meaning.leaves, _labelled(warnings, label))


def _labelled(findings: Sequence[Finding], label: str | None) -> tuple[Finding, ...]:
    places = [replace(finding.place or Place(), label=label) for finding in findings]
    return tuple(finding.at(place) for finding, place in zip(findings, places, strict=True))


def _standing_for_columns(tree: Node, leaves: Mapping[Node, Leaf]) -> Iterator[Node]:
    """Nodes of a tree that are leaves; the `x` in `x[0]` is none."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if node in leaves:
            yield node
        else:
            pending.extend(node.children)


def nested(values: NDArray[np.float64], frame: Frame) -> ak.Array:
    """Values by instance as lists by event, one level per looped dimension."""
    array: Any = values
    lengths = [frame.rows, *(len(groups) for groups in frame.groups)]
    for groups, length in zip(reversed(frame.groups), reversed(lengths[:-1]), strict=True):
        array = ak.unflatten(array, np.bincount(groups, minlength=length))
    return array
