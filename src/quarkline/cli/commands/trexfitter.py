"""`quarkline trexfitter`: run TRExFitter configs as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarkline.cli import options
from quarkline.cli.alike import alike_lines

if TYPE_CHECKING:
    from quarkline.trexfitter.job import Job
    from quarkline.trexfitter.multifit import MultiFit

SEVERITIES = ("error", "warning", "note")
"""Findings of one code that are shown after actions."""


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

    `check` tells every problem at once, `convert` writes the analysis as our YAML, `compare` shows
    two folders of one job side by side: compare THEIRS OURS.
    """
    values = options.named_values("--replace", replace or ())
    if actions == "check":
        _check(config, option_string, values, free or [], as_json=as_json)
    elif actions == "convert":
        _convert(config, option_string, values, free or [], output)
    elif actions == "compare":
        _compare(config, option_string, as_json=as_json)
    else:
        compute = options.compute_keys(
            workers=workers, cluster=cluster, batch=batch, submit_dir=submit_dir
        )
        job = _load(config, option_string, values, free or [], output)
        if dry_run:
            _plan(job, actions, as_json=as_json)
        else:
            _run(job, actions, compute, as_json=as_json)


def _check(
    config: Path, option_string: str, values: dict[str, str], free: list[str], *, as_json: bool
) -> None:
    """Show everything that is wrong; exit code 2 if there are errors."""
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import trexfitter as tool

    found = tool.check(config, option_string, replace=values, free=free)
    if as_json:
        typer.echo(pretty_json(found), nl=False)
    else:
        for item in found.findings:
            typer.echo(_lines(item))
        counts = Counter(item["severity"] for item in found.findings)
        said = (f"{counts[name]:,} {name}{'s' * (counts[name] != 1)}" for name in SEVERITIES)
        typer.echo(f"{config}: {', '.join(said)}")
    raise typer.Exit(2 if found.errors else 0)


def _lines(item: Mapping[str, Any]) -> str:
    """A finding in one or two lines, its place as seen from the current folder."""
    place = str(item["place"] or "").replace(f"{Path.cwd()}/", "")
    head = "  ".join(part for part in (item["severity"], item["code"], place) if part)
    hint = f"\n    -> {item['suggestion']}" if item["suggestion"] else ""
    return f"{head}\n    {item['message']}{hint}"


def _convert(
    config: Path, option_string: str, values: dict[str, str], free: list[str], output: Path | None
) -> None:
    """Write the analysis as YAML to a file, or show it."""
    from quarkline.tools import trexfitter as tool

    text = tool.convert(config, option_string, replace=values, free=free, output=output)
    typer.echo(str(output) if output else text, nl=output is not None)


def _load(
    config: Path, option_string: str, values: dict[str, str], free: list[str], output: Path | None
) -> Job | MultiFit:
    from quarkline.tools import trexfitter as tool

    return tool.load_job(config, option_string, replace=values, free=free, output=output)


def _plan(job: Job | MultiFit, actions: str, *, as_json: bool) -> None:
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import trexfitter as tool
    from quarkline.trexfitter.plan import plan_text

    planned = tool.plan(job, actions)
    typer.echo(pretty_json(planned) if as_json else plan_text(planned) + "\n", nl=False)


def _compare(theirs: Path, ours: str, *, as_json: bool) -> None:
    """Show what two folders of one job say, side by side."""
    from quarkline.cli.commands.trexfitter_compare import show
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import trexfitter as tool

    comparison = tool.compare(theirs, Path(ours) if ours else None)
    if as_json:
        typer.echo(pretty_json(comparison), nl=False)
    else:
        show(comparison)


def _run(job: Job | MultiFit, actions: str, compute: dict[str, Any], *, as_json: bool) -> None:
    from rich.console import Console

    from quarkline.engine.compute.config import ComputeConfig
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import trexfitter as tool

    console = Console(stderr=True)
    with options.continued(), console.status(job.name) as status:
        told = status.update if console.is_terminal and not as_json else None
        done = tool.run(job, actions, ComputeConfig(**compute), progress=told)
    if as_json:
        typer.echo(pretty_json(done), nl=False)
        return
    for line in alike_lines(done.findings):
        typer.echo(line, err=True)
    if done.headline:
        typer.echo(done.headline)
    typer.echo(f"{done.letters}: {done.folder}, {len(done.files):,} files")
