"""`quarkline doctor`: what is wrong with files of events, or with the inputs of a config."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    replace: Annotated[
        list[str] | None,
        typer.Option(
            metavar="XXX_NAME=VALUE", help="Another value of a placeholder of a TRExFitter config."
        ),
    ] = None,
    site: options.Site = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Processes.")] = 1,
    as_json: options.Json = False,
) -> None:
    """Look over files of events, or a CONFIG and its inputs, and say what is wrong.

    A CONFIG is a YAML file, or a TRExFitter config, whose name ends in .config.

    Missing files and branches, damage, NaN, huge and constant values, sentinels, events that
    occur twice, weights. Exit code 0: no errors found; 1: errors found; 2: wrong usage.
    """
    from rich.console import Console

    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.config_inputs import is_trexfitter, load_inputs
    from quarkline.tools.doctor import doctor, doctor_config
    from quarkline.tools.samples import is_config

    def said(done: int, total: int) -> str:
        return f"{done:,} of {total:,} files"

    with WorkBar(said, quiet=as_json) as bar:
        if is_config(files) or is_trexfitter(files):
            given = {"--identity": identity, "--weight": weight, "--tree": tree}
            options.refuse_with_config(given | {"--files-from": files_from})
            if is_trexfitter(files):
                options.refuse_with_trexfitter({"--set": overrides, "--site": site})
            else:
                options.refuse_without_trexfitter({"--replace": replace})
            config = load_inputs(
                Path(files[0]),
                site=site,
                overrides=overrides or (),
                replace=options.named_values("--replace", replace or ()),
            )
            report = doctor_config(config, every=all_columns, workers=workers, told=bar.update)
        else:
            options.refuse_without_config(
                {
                    "--set": overrides,
                    "--site": site,
                    "--replace": replace,
                    "--all-columns": all_columns,
                }
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
    if as_json:
        typer.echo(pretty_json(report), nl=False)
    else:
        console = Console()
        typer.echo(_blocks(report, console.width) if console.is_terminal else _lines(report))
    raise typer.Exit(1 if report.errors else 0)


def _lines(report: DoctorReport) -> str:
    """A line a finding, then what was looked at."""
    lines = [
        "  ".join(part for part in (f"{item['severity']:7}", *_parts(item)) if part)
        for item in report.findings
    ]
    return "\n".join([*lines, _summary(report)])


def _blocks(report: DoctorReport, width: int) -> str:
    """For eyes: severity and place, then what is wrong and what to do, within the terminal."""
    blocks = []
    for item in report.findings:
        code, place, message = _parts(item)
        colour = {"error": "red", "warning": "yellow"}.get(item["severity"], "cyan")
        head = f"{typer.style(item['severity'], fg=colour, bold=True)}  {code}  {place}"
        hint = [f"-> {item['suggestion']}"] if item["suggestion"] else []
        blocks.append("\n".join([head, *(_indented(text, width) for text in (message, *hint))]))
    end = "`--json` adds the rules and the evidence, such as every file that is not there"
    return "\n\n".join([*blocks, "\n".join([_summary(report), *([end] if blocks else [])])])


def _indented(text: str, width: int) -> str:
    return textwrap.fill(
        text,
        max(40, width),
        initial_indent="    ",
        subsequent_indent="       " if text.startswith("-> ") else "    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _parts(finding: Mapping[str, Any]) -> tuple[str, str, str]:
    """Code, place and message, with paths as seen from the current folder."""
    here = f"{Path.cwd()}/"
    place, message = finding["place"] or "", finding["message"]
    return finding["code"], place.replace(here, ""), message.replace(here, "")


def _summary(report: DoctorReport) -> str:
    counts = {"error": report.errors, "warning": report.warnings, "note": report.notes}
    found = ", ".join(f"{n:,} {what}{'s' * (n != 1)}" for what, n in counts.items())
    files = f"{report.files:,} file{'s' * (report.files != 1)}"
    part = f" (the first {report.first:,} of each file looked at)" if report.first else ""
    return f"{files}, {report.events:,} events{part}: {found}"
