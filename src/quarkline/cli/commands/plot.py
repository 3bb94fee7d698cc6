"""`quarkline plot`: a report that compares training files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quarkline.cli import options


def command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]FILE...",
            help="Tables of jets, with or without a name for legends.",
            default_factory=list,
            show_default=False,
        ),
    ],
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Columns, names of labels, files."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The report; default: reports/report.md."
        ),
    ] = None,
    every_column: Annotated[
        bool, typer.Option("--plot-every-column", help="Draw every column; this takes long.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Compare training files: jets by label and mass, distributions, and which has which column.

    The report is written as Markdown with pictures, and as one HTML file beside it.
    """
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import plot as tool

    done = tool.plot(
        files, config=tool.plot_config(config), output=output, every_column=every_column
    )
    if as_json:
        told = {"markdown": str(done.markdown), "html": str(done.html), "headline": done.headline}
        typer.echo(pretty_json(told), nl=False)
        return
    typer.echo(f"{done.headline}\n{done.markdown}\n{done.html}")
