"""`quarkline explain`: how an expression is read, and which events its clauses pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.tree import Tree

    from quarkline.tools.explain import ExplainResult, Part


def command(
    expression: Annotated[
        str, typer.Argument(metavar="EXPR", help="An expression, such as a selection.")
    ],
    files: options.Files,
    tree: Annotated[
        str | None, typer.Option(metavar="TREE", help="The tree, if a file has several.")
    ] = None,
    friend: options.Friend = None,
    friend_by: options.FriendBy = options.JoinBy.position,
    files_from: options.FilesFrom = None,
    copy: options.Copy = False,
    as_json: options.Json = False,
) -> None:
    """Explain EXPR: how it is read, which branches it needs, which events its clauses pass."""
    from rich.console import Console
    from rich.progress import Progress

    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.explain import explain
    from quarkline.tools.friend_files import friends_of
    from quarkline.tools.input_files import input_files

    errors = Console(stderr=True)
    paths = input_files(files, files_from=files_from, copy=copy)
    hidden = as_json or not errors.is_terminal
    with Progress(console=errors, transient=True, disable=hidden) as bars:
        bar = bars.add_task("reading", total=1.0)
        result = explain(
            expression,
            paths,
            tree=tree,
            friends=friends_of(paths, friend or (), by=friend_by),
            progress=lambda read: bars.update(bar, completed=read),
        )
    if as_json:
        typer.echo(pretty_json(result), nl=False)
        return
    _show(result, Console(highlight=False, markup=False))


def _show(result: ExplainResult, console: Console) -> None:
    console.print(result.canonical)
    console.print(f"{result.type}, {_instances(result.depth)}\n")
    console.print(_tree(result.tree))
    console.print(_columns(result))
    for warning in result.warnings:
        console.print(f"{warning['code']}  {warning['message']}\n   {warning['suggestion']}")
    console.print(_clauses(result))


def _instances(depth: int) -> str:
    if depth == 0:
        return "one value an event"
    return "one value an element" + f" of {depth} nested arrays" * (depth > 1)


def _tree(part: Part) -> Tree:
    from rich.tree import Tree

    return _branch(part, Tree(_label(part)))


def _branch(part: Part, branch: Tree) -> Tree:
    for below in part.parts:
        _branch(below, branch.add(_label(below)))
    return branch


def _label(part: Part) -> str:
    return part.name if part.name == part.kind else f"{part.name}   {part.kind}"


def _columns(result: ExplainResult) -> Table:
    table = _table("reads", "type", "unit", "NaN")
    for column in result.columns:
        table.add_row(
            column.name, column.type, column.unit, f"{column.nan:,}" if column.nan else ""
        )
    return table


def _clauses(result: ExplainResult) -> Table:
    flow = result.clauses
    table = _table(f"{flow.events:,} events", "pass alone", "", "pass so far", "")
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for step in flow.steps:
        alone, so_far = (_share(count, flow.events) for count in (step.alone, step.events))
        table.add_row(step.expression, f"{step.alone:,}", alone, f"{step.events:,}", so_far)
    return table


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4g} %" if whole else "-"


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
