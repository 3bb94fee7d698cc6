"""`quarkline convert xaod`: ntuples of xAOD files, by a program that is not ours."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.studies.tagging.convert.xaod import MadeNtuples


def command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="[FILE]...",
            help="xAOD files or globs; they replace those of the config.",
            default_factory=list,
            show_default=False,
        ),
    ],
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="CONFIG", help="The program and its settings."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Folder for ntuples and logs."),
    ] = None,
    events: Annotated[
        int | None,
        typer.Option("--events", "--nevents", min=1, metavar="N", help="Events of each file."),
    ] = None,
    program: Annotated[
        str | None,
        typer.Option(
            "--command", metavar="TEXT", help="Such as 'make_ntuple.sh {input} {output} {events}'."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Make ntuples of xAOD files with an external program, which is run without a shell.

    Its output is kept as a log beside each ntuple. Ntuples that are there already are kept.
    """
    import shlex

    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.convert_xaod import convert_xaod

    if config is None and (program is None or not files):
        message = "name a config with `--config`, or files and `--command`"
        raise typer.BadParameter(message)
    given: dict[str, Any] = {
        "inputs": files or None,
        "output": str(output) if output else None if config else ".",
        "events": events,
        "command": None if program is None else shlex.split(program),
    }
    keys = {name: value for name, value in given.items() if value is not None}
    with (
        options.continued(),
        WorkBar(lambda done, total: f"{done} of {total} files", quiet=as_json) as bar,
    ):
        outcome = convert_xaod(config, keys=keys, progress=bar.update)
    if as_json:
        typer.echo(pretty_json(outcome.made), nl=False)
    else:
        _show(outcome.made)
    if outcome.failures:
        from quarkline.cli.main import show_findings

        show_findings(outcome.failures, as_json=as_json)
        sys.exit(1)


def _show(made: MadeNtuples) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("file", overflow="fold")
    table.add_column("events", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("state", overflow="fold")
    for file in made.files:
        state = ": ".join(part for part in (file.state, file.why) if part)
        table.add_row(escape(file.file), f"{file.events:,}", f"{file.seconds:.1f}", escape(state))
    Console(highlight=False).print(table)
