"""`quarkline inspect`: what is in a file of events, or in a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from rich.table import Table

    from quarkline.tools.inspect import ColumnSummary, InspectResult

VALUES_WIDTH = 24
GAP = 3  # between two columns of a table


def command(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE | MODEL",
            help="A file of events or its address; a run, a model's folder, Keras's weights.",
        ),
    ],
    tree: Annotated[
        str | None, typer.Option(metavar="TREE", help="The tree to describe, if there are several.")
    ] = None,
    stats: Annotated[
        bool,
        typer.Option("--stats", help="Read it all: ranges, NaN, sentinels such as -999, shapes."),
    ] = False,
    friend: options.Friend = None,
    friend_by: options.FriendBy = options.JoinBy.position,
    copy: options.Copy = False,
    as_json: options.Json = False,
) -> None:
    """Show the trees in FILE, and the branches of one with type, counter and first values.

    Of a MODEL it shows inputs, outputs, and layers with their parameters.
    """
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.friend_files import friends_of
    from quarkline.tools.input_files import input_files
    from quarkline.tools.inspect import inspect
    from quarkline.tools.inspect_model import inspect_model, is_model_address

    if is_model_address(file):
        from quarkline.cli.commands.inspect_model import show

        show(inspect_model(file), as_json=as_json)
        return
    (path,) = input_files([file], copy=True) if copy else (Path(file),)
    friends = friends_of([path], friend or (), by=friend_by)
    result = inspect(path, tree=tree, stats=stats, friends=friends)
    if as_json:
        typer.echo(pretty_json(result), nl=False)
        return
    _show(result)


def _show(result: InspectResult) -> None:
    from rich.console import Console

    from quarkline.cli.commands.inspect_values import glyphs_of, remarks, values_table

    console = Console(highlight=False, markup=False, soft_wrap=True)
    size = f"{result.size:,} bytes"
    weak = " (from its size and both ends)" * result.weak
    console.print(f"{result.file}: {result.format}, {size}, content key {result.key}{weak}")
    if result.entries is None or len(result.trees) > 1:
        console.print(_trees(result))
    if result.entries is None:
        if any(not tree.problem for tree in result.trees):
            console.print("describe one with --tree NAME")
        return
    readable = [column for column in result.columns if not column.problem]
    name = f"{result.tree}: " if result.tree else ""
    console.print(f"{name}{result.entries:,} entries, {len(readable)} columns")
    if result.values:
        console.print(values_table(result.values, console.width, glyphs_of(console)))
        for item in result.values:
            if said := remarks(item):
                console.print(f"{item.name}: {said}")
    elif readable:
        console.print(_columns(readable, console.width))
    if refused := [column for column in result.columns if column.problem]:
        console.print(f"not readable ({len(refused)}):")
        for column in refused:
            console.print(f"  {column.name}: {column.problem}")


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table


def _trees(result: InspectResult) -> Table:
    table = _table("tree", "entries", "columns", "")
    for tree in result.trees:
        counts = ["-" if count is None else f"{count:,}" for count in (tree.entries, tree.columns)]
        table.add_row(tree.name, *counts, tree.problem)
    return table


def _columns(columns: Sequence[ColumnSummary], width: int) -> Table:
    """A line a column; only names may take two. What no column has gets no place."""
    facts = {
        "column": [column.name for column in columns],
        "type": [column.type for column in columns],
        "counter": [column.counter for column in columns],
        "unit": [column.unit for column in columns],
    }
    facts = {heading: texts for heading, texts in facts.items() if any(texts)}
    longest = {heading: max(map(len, texts)) for heading, texts in facts.items()}
    longest["column"] = min(longest["column"], 2 * width // 5)
    room = width - sum(size + GAP for size in longest.values())
    titles = [_comment(column) for column in columns]
    with_titles = any(titles) and room > 2 * VALUES_WIDTH
    values_room = VALUES_WIDTH if with_titles else max(room, VALUES_WIDTH // 2)
    facts["first values"] = [_cut(_values(column.first), values_room) for column in columns]
    if with_titles:
        facts["title"] = [_cut(title, room - VALUES_WIDTH - GAP) for title in titles]
    table = _table(*facts)
    table.columns[0].no_wrap, table.columns[0].overflow = False, "fold"
    for row in zip(*facts.values(), strict=True):
        table.add_row(*row)
    return table


def _comment(column: ColumnSummary) -> str:
    """The title, unless it only repeats name and type as ROOT's leaf lists do (`x[n]/F`)."""
    plain = column.title == column.name or re.fullmatch(r"\S+/[A-Za-z]", column.title)
    return "" if plain else column.title


def _values(first: tuple[Any, ...]) -> str:
    return "  ".join(_value(value) for value in first)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return "[" + " ".join(_value(item) for item in value) + "]"
    return str(value)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
