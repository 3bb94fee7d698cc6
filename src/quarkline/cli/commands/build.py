"""`quarkline build`: mix tables of jets into a training set and a control region."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.tools.build import Built

NAMES = {"main": {0: "multijets", 1: "signal", 2: "beam-induced background"}}
NAMES["control"] = {0: "simulation", 2: "data"}


def command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="[FILE...]",
            help="Tables of jets, folders or globs, in place of the config's.",
            default_factory=list,
            show_default=False,
        ),
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="YAML", help="Config; the CalRatio trainer's is read, too."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "--output_file",
            "-o",
            metavar="FILE",
            help="The training set; default: main.parquet.",
        ),
    ] = None,
    min_jet_pt: Annotated[
        float | None,
        typer.Option(
            "--min-jet-pt", "--min_jet_pt", metavar="GEV", help="Least momentum of a jet."
        ),
    ] = None,
    max_jet_pt: Annotated[
        float | None,
        typer.Option(
            "--max-jet-pt", "--max_jet_pt", metavar="GEV", help="Momentum that jets stay below."
        ),
    ] = None,
    scaling: Annotated[
        str | None, typer.Option(metavar="KIND", help="quarkline, upstream or none.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace tables.")] = False,
    overrides: options.Overrides = None,
    as_json: options.Json = False,
) -> None:
    """Mix tables of jets into a training set, and a control region if the config has one."""
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.build import build_file, load_build

    given: dict[str, Any] = {"output": output and str(output.absolute()), "min_jet_pt": min_jet_pt}
    given |= {"max_jet_pt": max_jet_pt, "scaling": scaling, "main": files or None}
    keys = {name: value for name, value in given.items() if value is not None}
    settings = load_build(config, keys=keys, overrides=overrides or ())
    base = Path.cwd() if files or config is None else config.parent
    found = build_file(settings, base=base, replace=replace)
    if as_json:
        typer.echo(pretty_json(found.result), nl=False)
    else:
        _show(found)


def _show(found: Built) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_inputs(found))
    console.print(_classes(found))
    for warning in found.result.warnings:
        typer.echo(f"warning: {warning}", err=True)
    for name, path in found.files.items():
        typer.echo(f"{name}: {path}")


def _inputs(found: Built) -> Any:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("file", overflow="fold")
    table.add_column("part")
    for heading in ("jets", "taken", "outside pT", "filtered", "beyond limit"):
        table.add_column(heading, justify="right")
    for one in found.result.inputs:
        numbers = (f"{number:,}" for number in (one.read, *one.counts.values()))
        table.add_row(escape(one.file), one.part, *numbers)
    return table


def _classes(found: Built) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("part", "label", "class"):
        table.add_column(heading)
    for heading in ("jets", "sum of weights", "effective"):
        table.add_column(heading, justify="right")
    for one in found.result.classes:
        name = NAMES[one.part].get(one.label, "")
        numbers = (f"{one.jets:,}", f"{one.weight:,.4g}", f"{one.effective:,.0f}")
        table.add_row(one.part, str(one.label), name, *numbers)
    return table
