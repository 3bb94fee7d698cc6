"""`quarkline trexfitter`: run TRExFitter configs as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quarkline.cli import options


def command(
    actions: Annotated[
        str,
        typer.Argument(
            metavar="ACTIONS",
            help="Letters of nhbwfdprlsixam in any order, or `check`, `convert`, `compare`.",
        ),
    ],
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="The config; of `compare`, their folder.")
    ],
    option_string: Annotated[
        str,
        typer.Argument(
            metavar="[OPTIONS]",
            help="TRExFitter's options, such as `Regions=SR*:Suffix=_v2`; of `compare`, our "
            "folder.",
            show_default=False,
        ),
    ] = "",
    replace: Annotated[
        list[str] | None,
        typer.Option(metavar="XXX_NAME=VALUE", help="Another value of a placeholder."),
    ] = None,
    free: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Fit this parameter although the config fixes it."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Folder for the job's folder, instead of OutputDir; of `convert`, the file.",
        ),
    ] = None,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    batch: options.Batch = None,
    submit_dir: options.SubmitDir = None,
    as_json: options.Json = False,
) -> None:
    """Run a TRExFitter CONFIG as it is: its actions, option string, folders and file names.

    `check` tells every problem at once, `convert` writes the analysis as our YAML.
    """
    from quarkline.engine.compute.config import ComputeConfig
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import trexfitter as tool

    values = options.named_values("--replace", replace or ())
    compute = options.compute_keys(
        workers=workers, cluster=cluster, batch=batch, submit_dir=submit_dir
    )
    job = tool.load_job(config, option_string, replace=values, free=free or (), output=output)
    if dry_run:
        typer.echo(tool.plan(job, actions))
        return
    with options.continued():
        done = tool.run(job, actions, ComputeConfig(**compute))
    if as_json:
        typer.echo(pretty_json(done), nl=False)
    else:
        typer.echo(f"{done.letters}: {done.folder}")
