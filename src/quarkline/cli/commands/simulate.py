"""`quarkline simulate`: write an example's simulated events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.tools.simulate import SimulationResult


def command(
    example: Annotated[str, typer.Argument(metavar="EXAMPLE", help="Example, such as upsilon.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="PATH", help="A .root or .parquet file, or a folder."
        ),
    ],
    events: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="All events, of calratio jets; default: the example's."
        ),
    ] = None,
    signal: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Signal events among them; 0: background only."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Seed of the simulation.")] = 1,
    files: Annotated[
        int, typer.Option(min=1, metavar="K", help="Share the events among K files in a folder.")
    ] = 1,
    negative: Annotated[
        float,
        typer.Option(metavar="F", help="Fraction of negative weights in ttH, ttbar, VV."),
    ] = 0.0,
    as_json: options.Json = False,
) -> None:
    """Simulate events of EXAMPLE and write them to PATH.

    The same seed gives the same events, in however many files.
    """
    from rich.console import Console
    from rich.progress import Progress

    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.simulate import simulate

    console = Console(stderr=True)
    hidden = as_json or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as bars:
        bar = bars.add_task(f"simulating {example}", total=events)
        result = simulate(
            example,
            output,
            events=events,
            signal=signal,
            seed=seed,
            files=files,
            negative=negative,
            progress=lambda done, total: bars.update(bar, completed=done, total=total),
        )
    typer.echo(pretty_json(result) if as_json else _summary(result), nl=not as_json)


def _summary(result: SimulationResult) -> str:
    """The files, what is in them, and what to do with them."""
    shown = result.files if len(result.files) <= 3 else (result.files[0], "...", result.files[-1])
    counts = " · ".join(f"{name} {count:,}" for name, count in result.composition.items() if count)
    return "\n".join(
        [
            f"wrote {' '.join(shown)}",
            f"{result.events:,} events in tree {result.tree}, seed {result.seed}",
            *([counts] if counts else []),
            "next: " + "\n      ".join(result.next_steps),
        ]
    )
