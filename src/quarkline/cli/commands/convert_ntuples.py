"""`quarkline convert divertanalysis`: ntuples of displaced jets to tables of jets."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.studies.tagging.convert.results import Conversion


class DataType(StrEnum):
    """What ntuples hold."""

    sig = "sig"
    qcd = "qcd"
    bib = "bib"
    data = "data"


class Compatibility(StrEnum):
    """Whose tables are written."""

    none = "none"
    upstream = "upstream"


def command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="[FILE]...",
            help="Ntuples, ROOT or Parquet, or globs; they replace those of the config.",
            default_factory=list,
            show_default=False,
        ),
    ],
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="CONFIG", help="Settings, ours or the trainer's."),
    ] = None,
    data_type: Annotated[
        DataType | None,
        typer.Option("--data-type", "--data_type", help="What FILEs hold; default: sig."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output-path", "--output_path", "-o", metavar="FOLDER", help="Folder for tables."
        ),
    ] = None,
    min_jet_pt: Annotated[
        float | None,
        typer.Option("--min-jet-pt", "--min_jet_pt", metavar="GEV", help="Default: 40."),
    ] = None,
    max_jet_pt: Annotated[
        float | None,
        typer.Option("--max-jet-pt", "--max_jet_pt", metavar="GEV", help="Default: 500."),
    ] = None,
    llp_mh: Annotated[
        float | None,
        typer.Option("--llp-mh", "--llp_mH", metavar="GEV", help="mH of FILEs; default: 0."),
    ] = None,
    llp_ms: Annotated[
        float | None,
        typer.Option("--llp-ms", "--llp_mS", metavar="GEV", help="mS of FILEs; default: 0."),
    ] = None,
    compatibility: Annotated[
        Compatibility | None, typer.Option(help="`upstream`: the trainer's 815 columns.")
    ] = None,
    allow_bad_files: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Go on without N unusable ntuples.")
    ] = None,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    batch: options.Batch = None,
    submit_dir: options.SubmitDir = None,
    as_json: options.Json = False,
) -> None:
    """Turn DiVertAnalysis ntuples (tree `trees_DV_`) into tables of jets, one of each file.

    Tables that are there already are kept. Several commands may run at once and share the work.
    """
    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import convert_ntuples as tool

    if not files:
        goes_with_files = {"--data-type": data_type, "--llp-mh": llp_mh, "--llp-ms": llp_ms}
        _refuse_without_files(goes_with_files)
        if config is None:
            message = "name ntuples, or a config with `--config`"
            raise typer.BadParameter(message)
    entry = {
        "files": files,
        "kind": (data_type or DataType.sig).value,
        "llp_mH": llp_mh or 0.0,
        "llp_mS": llp_ms or 0.0,
    }
    given: dict[str, Any] = {
        "ntuples": [entry] if files else None,
        "output": None if output is None else str(output),
        "min_jet_pt": min_jet_pt,
        "max_jet_pt": max_jet_pt,
        "compatibility": compatibility.value if compatibility else None,
        "allow_bad_files": allow_bad_files,
    }
    if config is None:
        given["output"] = given["output"] or "."
    settings, words = tool.load_conversion(
        config,
        keys={name: value for name, value in given.items() if value is not None},
        compute=options.compute_keys(
            workers=workers, cluster=cluster, batch=batch, submit_dir=submit_dir
        ),
    )
    for finding in () if as_json else words:
        typer.echo(f"{finding}\n", err=True)
    with (
        options.continued(),
        WorkBar(lambda done, total: f"{done} of {total} ntuples", quiet=as_json) as bar,
    ):
        outcome = tool.convert_ntuples(settings, progress=bar.update)
    if as_json:
        typer.echo(pretty_json(outcome.conversion), nl=False)
    else:
        _show(outcome.conversion)
    if outcome.failures:
        from quarkline.cli.main import show_findings

        show_findings(outcome.failures, as_json=as_json)
        sys.exit(1)


def _refuse_without_files(given: Mapping[str, object]) -> None:
    for name, value in given.items():
        if value is not None:
            message = f"{name} goes with files; a config says this itself, entry by entry"
            raise typer.BadParameter(message)


def _show(found: Conversion) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("ntuple", overflow="fold")
    table.add_column("kind")
    for heading in ("events", "kept", "jets"):
        table.add_column(heading, justify="right")
    table.add_column("state", overflow="fold")
    for file in found.files:
        events = sum(file.events.values())
        numbers = (f"{number:,}" for number in (events, file.events.get("kept", 0), file.rows))
        state = ": ".join(part for part in (file.state, file.why) if part)
        table.add_row(escape(file.file), file.kind, *numbers, escape(state))
    Console(highlight=False).print(table)
    for reason, number in found.events.items():
        typer.echo(f"{number:>12,} events: {reason}")
    typer.echo(f"{sum(file.rows for file in found.files):>12,} jets")
