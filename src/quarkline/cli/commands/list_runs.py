"""`quarkline list`: the runs of a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from quarkline.cli import options


def command(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="The folder of all runs; default: runs."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List the runs below FOLDER with their state and result."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.list_runs import rows

    nothing_yet = folder is None and not Path("runs").exists()
    folder = folder or Path("runs")
    found = [] if nothing_yet else rows(folder)
    if as_json:
        listed = [asdict(row) | {"folder": str(row.folder)} for row in found]
        typer.echo(pretty_json(listed), nl=False)
        return
    if not found:
        typer.echo(f"no runs in {folder}; `quarkline new upsilon` starts an analysis")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("run", "study", "state", "last worked on"):
        table.add_column(heading, no_wrap=True)
    table.add_column("result", overflow="fold")
    for row in found:
        run = f"{row.name}/{row.number:05d}"
        table.add_row(run, row.study, row.state, row.time, escape(row.headline))
    Console(highlight=False).print(table)
