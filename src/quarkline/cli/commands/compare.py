"""`quarkline compare`: runs of the tagging study side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quarkline.cli import options


def command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Runs: NAME, NAME/NUMBER (-1 is the newest), or a folder.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The report.")
    ] = Path("reports/compare.md"),
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A key of the choice: analyze.ks_limit=0.2."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compare RUNs: which epoch is best and why, losses, efficiencies, settings that differ.

    The report is written as Markdown with pictures, and as one HTML file beside it.
    """
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.compare import compare

    done = compare(runs, output=output, settings=settings or ())
    if as_json:
        told = {"markdown": str(done.markdown), "html": str(done.html), "headline": done.headline}
        typer.echo(pretty_json(told), nl=False)
        return
    typer.echo(f"{done.headline}\n{done.markdown}\n{done.html}")
