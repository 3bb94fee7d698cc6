"""`quarkline doctor`: what is wrong with files of events, or with the inputs of a config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.tools.doctor import DoctorReport


def command(
    files: options.Inputs,
    identity: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Columns that identify an event; default: runNumber,eventNumber and their like.",
        ),
    ] = None,
    weight: options.Weight = None,
    tree: options.Tree = None,
    all_columns: Annotated[
        bool, typer.Option("--all-columns", help="Of a CONFIG: not only the columns it reads.")
    ] = False,
    files_from: options.FilesFrom = None,
    copy: options.Copy = False,
    overrides: options.Overrides = None,
    site: options.Site = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Processes.")] = 1,
    as_json: options.Json = False,
) -> None:
    """Look over files of events, or the inputs of a CONFIG, and say what is wrong.

    Missing files and branches, damage, NaN, huge and constant values, sentinels, events that
    occur twice, weights. Exit code 0: no errors found; 1: errors found; 2: wrong usage.
    """
    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.config_inputs import load_inputs
    from quarkline.tools.doctor import doctor, doctor_config
    from quarkline.tools.samples import is_config

    def said(done: int, total: int) -> str:
        return f"{done:,} of {total:,} files"

    with WorkBar(said, quiet=as_json) as bar:
        if is_config(files):
            given = {"--identity": identity, "--weight": weight, "--tree": tree}
            options.refuse_with_config(given | {"--files-from": files_from})
            config = load_inputs(Path(files[0]), site=site, overrides=overrides or ())
            report = doctor_config(config, every=all_columns, workers=workers, told=bar.update)
        else:
            options.refuse_without_config(
                {"--set": overrides, "--site": site, "--all-columns": all_columns}
            )
            report = doctor(
                files,
                files_from=files_from,
                copy=copy,
                tree=tree,
                weight=weight,
                identity=[name.strip() for name in identity.split(",")] if identity else (),
                workers=workers,
                told=bar.update,
            )
    typer.echo(pretty_json(report) if as_json else _lines(report), nl=not as_json)
    raise typer.Exit(1 if report.errors else 0)


def _lines(report: DoctorReport) -> str:
    """A line a finding, then what was looked at."""
    lines = [
        "  ".join(
            part
            for part in (
                f"{finding['severity']:7}",
                finding["code"],
                finding["place"] or "",
                finding["message"],
            )
            if part
        )
        for finding in report.findings
    ]
    counts = {"error": report.errors, "warning": report.warnings, "note": report.notes}
    found = ", ".join(f"{n:,} {what}{'s' * (n != 1)}" for what, n in counts.items())
    files = f"{report.files:,} file{'s' * (report.files != 1)}"
    return "\n".join([*lines, f"{files}, {report.events:,} events: {found}"])
