"""`quarkline tune`: search for good hyper-parameters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.learning.training.search.result import TrialRow, TuneResult

SHOWN = 10


def command(
    config: options.ConfigFile,
    overrides: options.Overrides = None,
    site: options.Site = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Trials in all; default: the config's."),
    ] = None,
    workers: options.Workers = None,
    device: Annotated[
        options.Device | None, typer.Option(help="Where models train; default: auto.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Train CONFIG with other values of some keys, as its section `tune:` says; keep the best.

    Stop it at any moment and start it again: finished trials are kept.
    """
    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import run as load
    from quarkline.tools import tune as tool

    compute = options.compute_keys(workers=workers, device=device)
    analysis = load.load_analysis(config, site=site, overrides=overrides or (), compute=compute)
    bar = WorkBar(lambda done, total: f"{done} of {total} trials", quiet=as_json)
    with options.continued(), bar:
        outcome = tool.tune(analysis, trials=trials, overrides=overrides or (), progress=bar.update)
    if as_json:
        summary = {
            "folder": str(outcome.folder),
            "best": str(outcome.best),
            "figures": [str(path) for path in outcome.figures],
            "result": outcome.result,
            "warnings": [finding.as_json() for finding in outcome.warnings],
        }
        typer.echo(pretty_json(summary), nl=False)
        return
    for finding in outcome.warnings:
        typer.echo(f"{finding}\n", err=True)
    _show(outcome.result)
    typer.echo(f"{outcome.folder}: all trials as CSV and JSON, {len(outcome.figures)} figures")
    typer.echo(f"next: quarkline run {outcome.best}")


def _show(result: TuneResult) -> None:
    """The best trials as a table, and how many ended how."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from quarkline.learning.training.search.result import TrialState

    sign = -1 if result.direction == "maximize" else 1
    complete = [trial for trial in result.trials if trial.state is TrialState.COMPLETE]
    best = sorted(complete, key=lambda trial: (sign * (trial.value or 0.0), trial.number))[:SHOWN]
    keys = sorted({key for trial in best for key in trial.parameters})
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("trial", result.metric, "epochs", *keys):
        table.add_column(heading, overflow="fold")
    for trial in best:
        table.add_row(*(escape(cell) for cell in _cells(trial, keys)))
    Console(highlight=False).print(table)
    counts = {state: result.count(state) for state in TrialState}
    typer.echo(", ".join(f"{count} {state}" for state, count in counts.items() if count))
    if failed := next((trial for trial in result.trials if trial.reason), None):
        typer.echo(f"trial {failed.number} failed: {failed.reason}")


def _cells(trial: TrialRow, keys: list[str]) -> list[str]:
    values = [trial.parameters.get(key) for key in keys]
    shown = [f"{value:.4g}" if isinstance(value, float) else _text(value) for value in values]
    return [str(trial.number), f"{trial.value:.4f}", str(trial.epochs), *shown]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
