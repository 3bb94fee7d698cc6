"""`quarkline score-report`: scores of tables of jets, and a report on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quarkline.cli import options


def command(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A run, an epoch of it (NAME/RUN/EPOCH), a model's folder, Keras's weights.",
            show_default=False,
        ),
    ],
    files: Annotated[
        list[str],
        typer.Argument(metavar="[NAME=]FILE...", help="Tables of jets.", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of scores and report.")
    ],
    masses: Annotated[
        str | None,
        typer.Option(metavar="MH,MS", help="Masses in GeV, for a network that takes them."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Score tables of jets: three outputs a jet as Parquet, and a report on them."""
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.score_report import score_report

    done = score_report(model, files, output, masses=_masses(masses))
    if as_json:
        told = {"scores": [str(path) for path in done.scores], "headline": done.report.headline}
        told |= {"markdown": str(done.report.markdown), "html": str(done.report.html)}
        typer.echo(pretty_json(told), nl=False)
        return
    for path in done.scores:
        typer.echo(path)
    typer.echo(f"{done.report.headline}\n{done.report.markdown}\n{done.report.html}")


def _masses(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        heavy, light = (float(part) for part in text.split(","))
    except ValueError:
        message = f"--masses {text!r} is not of the form MH,MS, such as 600,150"
        raise typer.BadParameter(message) from None
    return heavy, light
