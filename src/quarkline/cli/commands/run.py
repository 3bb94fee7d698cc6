"""`quarkline run`: run a config."""

from __future__ import annotations

from typing import Annotated

import typer

from quarkline.cli import options


def command(
    config: options.ConfigFile,
    overrides: options.Overrides = None,
    site: options.Site = None,
    only: options.Only = None,
    until: options.Until = None,
    unblind: options.Unblind = None,
    new: Annotated[
        bool, typer.Option("--new", help="Start a new run even if an equal one exists.")
    ] = False,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    batch: options.Batch = None,
    submit_dir: options.SubmitDir = None,
    device: Annotated[
        options.Device | None, typer.Option(help="Where models train; default: auto.")
    ] = None,
    verify: options.Verify = False,
    as_json: options.Json = False,
) -> None:
    """Run CONFIG: every stage that is not finished yet, then the report.

    Stop it at any moment and start it again: finished work is kept, and the result is the same.
    """
    from quarkline.cli.watch import RunWatch
    from quarkline.engine.core.findings import Severity
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import run as tool

    options.refuse_both("--only", only, "--until", until)
    compute = options.compute_keys(
        workers=workers, cluster=cluster, batch=batch, submit_dir=submit_dir, device=device
    )
    analysis = tool.load_analysis(
        config, site=site, overrides=options.with_reason(overrides, unblind), compute=compute
    )
    with options.continued(), RunWatch(quiet=as_json) as watch:
        outcome = tool.run(analysis, new=new, only=only, until=until, verify=verify, watcher=watch)
    if as_json:
        summary = {
            "run": str(outcome.run.folder),
            "complete": outcome.run.complete,
            "headline": outcome.headline,
            "report": None if outcome.report is None else str(outcome.report),
            "figures": [str(path) for path in outcome.figures],
            "results": outcome.run.results(),
            "warnings": [finding.as_json() for finding in outcome.warnings],
        }
        typer.echo(pretty_json(summary), nl=False)
        return
    for finding in outcome.warnings:
        if finding.severity is not Severity.NOTE:  # `plan` and `doctor` show notes
            typer.echo(f"\n{finding}", err=True)
    typer.echo(outcome.headline or f"unfinished: {len(outcome.run.stages)} stages are done")
    if outcome.figures:
        folder = outcome.figures[0].parent
        typer.echo(f"{folder}: {len(outcome.figures)} figures as PDF, PNG and drawn values")
    typer.echo(str(outcome.report or outcome.run.folder))
