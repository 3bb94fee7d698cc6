"""`quarkline jobs`: the batch jobs of a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.tools.jobs import ArrayRow


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run, a skim, or the folder of --submit-dir.")
    ],
    resume: Annotated[
        bool, typer.Option("--resume", help="Submit again what failed or was lost.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="End what waits or runs.")] = False,
    as_json: options.Json = False,
) -> None:
    """Show the batch jobs of DIR: how many items wait, run, are done, failed or lost, and why."""
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import jobs as tool

    options.refuse_both("--resume", resume or None, "--cancel", cancel or None)
    if cancel:
        ended = tool.cancel(folder)
        typer.echo(pretty_json({"ended": ended}).strip() if as_json else f"ended: {ended} items")
        return
    if resume:
        made = [
            {"folder": str(array.folder), "job": array.job_id, "items": len(array.members)}
            for array in tool.resume(folder)
        ]
        lines = [f"{one['items']} items as job {one['job']}: {one['folder']}" for one in made]
        text = "\n".join(lines or ["nothing to resume"])
        typer.echo(pretty_json(made).strip() if as_json else text)
        return
    rows = tool.show(folder)
    if as_json:
        typer.echo(pretty_json([_as_json(row) for row in rows]), nl=False)
        return
    _show(rows)


def _as_json(row: ArrayRow) -> dict[str, object]:
    return {
        "folder": str(row.array.folder),
        "system": row.array.config.kind,
        "job": row.array.job_id,
        "step": row.array.step,
        "items": {state.value: number for state, number in row.counts.items()},
        "troubles": [asdict(trouble) | {"log": str(trouble.log)} for trouble in row.troubles],
    }


def _show(rows: list[ArrayRow]) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("array", "system", "job", "step"):
        table.add_column(heading, no_wrap=True)
    table.add_column("items", overflow="fold")
    for row in rows:
        array = row.array
        counts = ", ".join(f"{number} {state.value}" for state, number in row.counts.items())
        names = (array.folder.name, array.config.kind, array.job_id or "-", escape(array.step))
        table.add_row(*names, counts)
    console = Console(highlight=False)
    console.print(table)
    for row in rows:
        for trouble in row.troubles:
            text = f"{trouble.items} x {trouble.first}\n    {trouble.log}"
            console.print(text, markup=False, soft_wrap=True)
