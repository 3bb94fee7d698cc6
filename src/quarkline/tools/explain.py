"""Explain an expression: how it is read, what it needs, and which events its clauses pass."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.core.results import Result
from quarkline.events.expressions import Batch, Expression, compile_expression, nodes
from quarkline.events.expressions.nodes import Node
from quarkline.events.expressions.sentinels import SentinelCount
from quarkline.events.files import expand_files
from quarkline.events.selection import CutFlow, cut_flow
from quarkline.events.sources.base import CHUNK_ROWS
from quarkline.tools.batches import read_batches
from quarkline.tools.friend_files import NO_FRIENDS, Friends
from quarkline.tools.inspect import type_name


@dataclass(frozen=True)
class Part:
    """One part of a parsed expression: an operator, function, column or constant."""

    name: str
    kind: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class ColumnUse:
    """A column that an expression reads; `type` is such as `float32[]`, `nan` counts its NaN."""

    name: str
    type: str
    unit: str = ""
    title: str = ""
    nan: int = 0


@dataclass(frozen=True)
class ExplainResult(Result, kind="explain"):
    """What an expression means on some files.

    Attributes:
        expression: The text that was given.
        canonical: The same, fully bracketed.
        tree: Its parts.
        type: Whether its values are boolean, integer or real numbers.
        depth: Array dimensions it loops over; 0 is one value an event.
        columns: What it reads.
        warnings: Findings about it.
        files: Number of files read.
        clauses: The conditions that `&&` joins as steps of a cut-flow. A value that is not 0
            passes; an event passes if one of its instances does.
    """

    expression: str
    canonical: str
    tree: Part
    type: str
    depth: int
    columns: tuple[ColumnUse, ...]
    warnings: tuple[Mapping[str, Any], ...]
    files: int
    clauses: CutFlow


def explain(
    expression: str,
    files: Sequence[str | Path],
    *,
    tree: str | None = None,
    friends: Friends = NO_FRIENDS,
    step: int = CHUNK_ROWS,
    progress: Callable[[float], None] | None = None,
) -> ExplainResult:
    """Explain an expression on files of events.

    Args:
        expression: The expression.
        files: Paths or globs, read as one table.
        tree: The tree, where a file has several.
        friends: What is read beside the files.
        step: Events read at a time; the result does not depend on it.
        progress: Called with the fraction that has been read.

    Raises:
        InputError: If a file is missing or not readable, or the expression does not fit.
        WorkError: If a file turns out damaged.
    """
    paths = expand_files([str(file) for file in files], base=Path())
    first: Expression | None = None
    flow: CutFlow | None = None
    sentinels: SentinelCount | None = None
    nan: Counter[str] = Counter()
    compiled = functools.partial(compile_expression, expression, numbered=True)
    for bound, batch, read in read_batches(paths, tree, step, compiled, friends):
        first = first or bound
        cuts = {str(place): cut for place, cut in enumerate(bound.clauses, start=1)}
        part = cut_flow(batch, cuts)
        flow = part if flow is None else flow + part
        sentinels = sentinels or SentinelCount(bound.tree, bound.leaves)
        sentinels.add(batch, bound.leaves)
        nan.update(_nans(bound, batch))
        if progress:
            progress(read)
    if first is None or flow is None or sentinels is None:
        msg = "no files to explain an expression on"
        raise ValueError(msg)
    warnings = (*first.warnings, *sentinels.findings(expression))
    return ExplainResult(
        expression=expression,
        canonical=str(first.tree),
        tree=_part(first, first.tree),
        type=first.kind,
        depth=first.depth,
        columns=_columns(first, nan),
        warnings=tuple(finding.as_json() for finding in warnings),
        files=len(paths),
        clauses=flow,
    )


def _nans(expression: Expression, batch: Batch) -> dict[str, int]:
    """How many values of each real column are NaN."""
    columns = {leaf.column for leaf in expression.leaves.values()}
    return {
        column.name: int(np.count_nonzero(np.isnan(batch.levels(column).content)))
        for column in columns
        if column.dtype.startswith("float")
    }


def _part(expression: Expression, node: Node) -> Part:
    below = () if node in expression.leaves else node.children
    return Part(_name(node), _kind(expression, node), tuple(_part(expression, n) for n in below))


def _name(node: Node) -> str:
    match node:
        case nodes.Unary(operator, _) | nodes.Binary(operator, _, _) | nodes.Chain(operator, _):
            return operator
        case nodes.Conditional():
            return "? :"
        case nodes.Call(function, _):
            return f"{function}()"
        case nodes.Cast(name, _):
            return f"({name})"
    return str(node)


def _kind(expression: Expression, node: Node) -> str:
    leaf = expression.leaves.get(node)
    if leaf and not leaf.whole:
        return type_name(leaf.column)
    return expression.kinds[node]


def _columns(expression: Expression, nan: Mapping[str, int]) -> tuple[ColumnUse, ...]:
    columns = {leaf.column.name: leaf.column for leaf in expression.leaves.values()}
    return tuple(
        ColumnUse(name, type_name(column), column.unit, column.title, nan.get(name, 0))
        for name, column in sorted(columns.items())
    )
