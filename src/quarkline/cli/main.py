"""The command line: one Typer application, a command a file, findings rendered in one place."""

from __future__ import annotations

import json
import signal
import sys
from io import TextIOWrapper
from types import FrameType
from typing import Annotated

import typer

import quarkline
from quarkline.cli.commands import (
    build,
    compare,
    convert,
    cutflow,
    doctor,
    draw,
    explain,
    export,
    fetch,
    fit,
    hunt,
    inspect,
    jobs,
    list_runs,
    new,
    plan,
    plot,
    run,
    score,
    score_report,
    simulate,
    skim,
    train,
    trexfitter,
    tune,
)
from quarkline.cli.platforms import refuse_native_windows
from quarkline.engine.core.findings import Finding, QuarklineError

app = typer.Typer(
    name="quarkline",
    help="A high-energy-physics analysis from ntuples to a result, with machine learning inside.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"quarkline {quarkline.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options of every command."""


app.command("new")(new.command)
app.command("plan")(plan.command)
app.command("run")(run.command)
app.command("train")(train.command)
app.command("tune")(tune.command)
app.command("list")(list_runs.command)
app.command("jobs")(jobs.command)
app.command("simulate")(simulate.command)
app.command("fetch")(fetch.command)
app.add_typer(convert.app, name="convert")
app.command("inspect")(inspect.command)
app.command("draw")(draw.command)
app.command("explain")(explain.command)
app.command("cutflow")(cutflow.command)
app.command("doctor")(doctor.command)
app.command("hunt")(hunt.command)
app.command("fit")(fit.command)
app.command("skim")(skim.command)
app.command("build")(build.command)
app.command("score")(score.command)
app.command("score-report")(score_report.command)
app.command("export")(export.command)
app.command("compare")(compare.command)
app.command("plot")(plot.command)
app.command("trexfitter")(trexfitter.command)


def show_findings(findings: tuple[Finding, ...], *, as_json: bool = False) -> None:
    """Write findings to standard error, as text or as one JSON list."""
    if as_json:
        typer.echo(json.dumps([finding.as_json() for finding in findings], default=str), err=True)
        return
    typer.echo("\n\n".join(str(finding) for finding in findings), err=True)


def _end(number: int, _: FrameType | None) -> None:
    """Unwind as after Ctrl-C, so that a batch system's signal leaves no lock behind."""
    raise SystemExit(128 + number)


def main() -> None:
    """Run the command line; findings become messages and exit codes 1 or 2."""
    signal.signal(signal.SIGTERM, _end)
    if isinstance(sys.stdout, TextIOWrapper):  # a σ must not end a run where the locale has none
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        refuse_native_windows()
        app(prog_name="quarkline")
    except QuarklineError as error:
        show_findings(error.findings, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
