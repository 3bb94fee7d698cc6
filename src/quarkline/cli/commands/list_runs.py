"""`quarkline list`: the runs of a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from quarkline.cli import options


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="The folder of all runs.")
    ] = Path("runs"),
    as_json: options.Json = False,
) -> None:
    """List the runs below FOLDER with their state and result."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.list_runs import rows

    found = rows(folder)
    if as_json:
        listed = [asdict(row) | {"folder": str(row.folder)} for row in found]
        typer.echo(pretty_json(listed), nl=False)
        return
    if not found:
        typer.echo(f"no runs in {folder}; `quarkline new upsilon` starts an analysis")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("run", "study", "state", "last worked on", "result"):
        table.add_column(heading, overflow="fold")
    for row in found:
        table.add_row(f"{row.name}/{row.number:05d}", row.study, row.state, row.time, row.headline)
    Console(highlight=False).print(table)
