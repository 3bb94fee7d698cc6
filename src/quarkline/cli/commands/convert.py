"""`quarkline convert KIND`: turn files of other systems into files of events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarkline.cli import options
from quarkline.cli.commands import convert_jets, convert_ntuples, convert_xaod

if TYPE_CHECKING:
    from quarkline.tools.convert_pickle import PickleConversion

app = typer.Typer(
    help="Turn files of other systems into files of events.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SHOWN = 4

app.command("divertanalysis")(convert_ntuples.command)
app.command("xaod")(convert_xaod.command)
app.command("jets")(convert_jets.command)


@app.command("pickle")
def pickle(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="Muon and jet pickles, all_mu_N and all_jet_N, or globs."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for event files.")
    ],
    workers: options.Workers = None,
    as_json: options.Json = False,
) -> None:
    """Convert the pickles of dimuonAD or `resonance_ad` to event files, one for each ROOT file.

    Nothing in a pickle is imported or called. Files that are there already are kept.
    """
    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.convert_pickle import convert_pickles

    with (
        options.continued(),
        WorkBar(lambda done, total: f"{done} of {total} files", quiet=as_json) as bar,
    ):
        result = convert_pickles(files, output, workers=workers, progress=bar.update)
    if as_json:
        typer.echo(pretty_json(result), nl=False)
    else:
        _show(result)


def _show(result: PickleConversion) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("file", overflow="fold")
    for heading in ("events", "columns", "state"):
        table.add_column(heading, justify="right" if heading != "state" else "left")
    for file in result.files:
        table.add_row(escape(file.path), f"{file.events:,}", str(file.columns), file.state)
    Console(highlight=False).print(table)
    for name, indices in result.missing.items():
        more = ", ..." if len(indices) > SHOWN else ""
        typer.echo(
            f"`{name}` is missing in {len(indices)} of {len(result.files)} files: "
            f"{', '.join(indices[:SHOWN])}{more}"
        )
    if result.missing:
        typer.echo("a missing flag is not `did not fire`: a run that asks for one is refused")
    identity = ", ".join(result.identity)
    typer.echo(f"{sum(file.events for file in result.files):,} events; in the config:")
    typer.echo("inputs:")
    typer.echo(f'  files: "{result.pattern}"')
    typer.echo("  tree: null  # Parquet has no trees")
    typer.echo(f"  identity: [{identity}]")
