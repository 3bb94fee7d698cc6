"""`quarkline export`: what a run made, as files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quarkline.cli import options


def command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run, RUN:STAGE[/FOLD], RUN/EPOCH, a model's folder or key, Keras's weights.",
            show_default=False,
        ),
    ],
    format: Annotated[  # noqa: A002
        str, typer.Option("--format", metavar="FORMAT", help="cpp, frugally-deep, numpy, onnx.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the files.")
    ],
    as_json: options.Json = False,
) -> None:
    """Write what RUN made as files that other programs read.

    `onnx`: a trained network, checked with ONNX Runtime. `cpp`: a recurrent network as a C++
    header. `frugally-deep`: the same as JSON for that library. `numpy`: the features, labels and
    weights of a search, an array a file.
    """
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import export as tool

    done = tool.export(run, format, output)
    if as_json:
        told = {"files": [str(path) for path in done.files], "headline": done.headline}
        typer.echo(pretty_json(told), nl=False)
        return
    for path in done.files:
        typer.echo(path)
    typer.echo(done.headline)
