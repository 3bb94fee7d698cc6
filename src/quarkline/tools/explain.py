"""Explain an expression: how it is read, what it needs, and which events its clauses pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from quarkline.engine.core.results import Result
from quarkline.events.expressions import Expression, compile_expression, nodes
from quarkline.events.expressions.nodes import Node
from quarkline.events.files import expand_files
from quarkline.events.selection import CutFlow, cut_flow
from quarkline.events.sources import open_source
from quarkline.events.sources.base import CHUNK_ROWS
from quarkline.tools.inspect import type_name


@dataclass(frozen=True)
class Part:
    """One part of a parsed expression: an operator, function, column or constant."""

    name: str
    kind: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class ColumnUse:
    """A column that an expression reads; `type` is such as `float32[]`."""

    name: str
    type: str
    unit: str = ""
    title: str = ""


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
    step: int = CHUNK_ROWS,
    progress: Callable[[float], None] | None = None,
) -> ExplainResult:
    """Explain an expression on files of events.

    Args:
        expression: The expression.
        files: Paths or globs, read as one table.
        tree: The tree, where a file has several.
        step: Events read at a time; the result does not depend on it.
        progress: Called with the fraction that has been read.

    Raises:
        InputError: If a file is missing or not readable, or the expression does not fit.
        WorkError: If a file turns out damaged.
    """
    paths = expand_files([str(file) for file in files], base=Path())
    bound: list[Expression] = []
    flows = _flows(expression, paths, tree, step, progress, bound)
    clauses = reduce(add, flows)
    first = bound[0]
    return ExplainResult(
        expression=expression,
        canonical=str(first.tree),
        tree=_part(first, first.tree),
        type=first.kind,
        depth=first.depth,
        columns=_columns(first),
        warnings=tuple(finding.as_json() for finding in first.warnings),
        files=len(paths),
        clauses=clauses,
    )


def _flows(
    text: str,
    paths: Sequence[Path],
    tree: str | None,
    step: int,
    progress: Callable[[float], None] | None,
    bound: list[Expression],
) -> Iterator[CutFlow]:
    """The cut-flow of each chunk; fills `bound` with the expression of each file."""
    for number, path in enumerate(paths):
        with open_source(path, tree=tree) as source:
            expression = compile_expression(text, source.schema)
            bound.append(expression)
            cuts = {str(place): cut for place, cut in enumerate(expression.clauses, start=1)}
            for chunk in source.chunks(sorted(expression.columns), step=step):
                yield cut_flow(chunk.array, cuts)
                if progress:
                    read = (chunk.start + len(chunk.array)) / max(1, source.schema.entries)
                    progress((number + read) / len(paths))


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
    return str(node)


def _kind(expression: Expression, node: Node) -> str:
    if leaf := expression.leaves.get(node):
        return type_name(leaf.column)
    return expression.kinds[node]


def _columns(expression: Expression) -> tuple[ColumnUse, ...]:
    columns = {leaf.column.name: leaf.column for leaf in expression.leaves.values()}
    return tuple(
        ColumnUse(name, type_name(column), column.unit, column.title)
        for name, column in sorted(columns.items())
    )
