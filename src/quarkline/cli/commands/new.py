"""`quarkline new`: start an analysis from an example."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    example: Annotated[str, typer.Argument(metavar="EXAMPLE", help="A shipped example.")],
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Name of the new analysis.")
    ] = None,
) -> None:
    """Copy EXAMPLE as NAME.yaml, a commented config to edit."""
    from quarkline.tools.new import new, studies

    path = new(example, name)
    following = f"plan {path}" if example in studies() else f"skim --plan {path}"
    typer.echo(f"wrote {path}; next: quarkline {following}")
