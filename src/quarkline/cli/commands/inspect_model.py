"""What `quarkline inspect` shows of a model."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from quarkline.tools.inspect_model import ModelSummary


def show(model: ModelSummary, *, as_json: bool) -> None:
    """Print inputs, outputs, and a row a layer."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from quarkline.engine.core.results import pretty_json

    if as_json:
        told = asdict(model) | {"trained": model.trained, "fixed": model.fixed}
        typer.echo(pretty_json(told), nl=False)
        return
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    several = f", the first of {model.models} models" if model.models > 1 else ""
    key = f", content key {model.key}" if model.key else ""
    console.print(f"{model.place}: {model.kind}{several}{key}")
    for line in model.inputs:
        console.print(f"takes {line}")
    console.print(f"gives {', '.join(model.classes)}")
    if not model.layers:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("layer", "kind", "shapes"):
        table.add_column(heading, overflow="fold")
    table.add_column("parameters", justify="right")
    for layer in model.layers:
        shapes = "  ".join(
            f"{name} {' x '.join(map(str, shape)) or '1'}" for name, shape in layer.shapes.items()
        )
        fixed = f" (+ {layer.fixed:,} fixed)" if layer.fixed else ""
        table.add_row(layer.name, layer.kind, shapes, f"{layer.trained:,}{fixed}")
    console.print(table)
    fixed = f", and {model.fixed:,} that are not trained" if model.fixed else ""
    console.print(f"{model.trained:,} trained parameters{fixed}")
