"""`quarkline convert jets`: pickled tables of the CalRatio trainer to Parquet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from quarkline.cli import options


def command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Pickled pandas tables, or globs.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for Parquet files.")
    ],
    as_json: options.Json = False,
) -> None:
    """Convert the CalRatio trainer's pickled tables of jets to Parquet, columns as they are.

    Nothing in a pickle is imported or called. Files that are there already are kept.
    """
    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.convert_jets import convert_jets

    with (
        options.continued(),
        WorkBar(lambda done, total: f"{done} of {total} tables", quiet=as_json) as bar,
    ):
        outcome = convert_jets(files, output, progress=bar.update)
    if as_json:
        typer.echo(pretty_json(outcome.conversion), nl=False)
    else:
        for file in outcome.conversion.files:
            typer.echo(f"{file.state:>9}  {file.rows:>9,} x {file.columns:<4}  {file.file}")
    if outcome.failures:
        from quarkline.cli.main import show_findings

        show_findings(outcome.failures, as_json=as_json)
        sys.exit(1)
