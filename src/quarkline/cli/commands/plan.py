"""`quarkline plan`: what a run would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.engine.workflow.plan import Plan


def command(
    config: options.ConfigFile,
    overrides: options.Overrides = None,
    site: options.Site = None,
    only: options.Only = None,
    until: options.Until = None,
    unblind: options.Unblind = None,
    verify: options.Verify = False,
    as_json: options.Json = False,
) -> None:
    """Show which stages of CONFIG would run, and why; nothing is written."""
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import run as tool

    options.refuse_both("--only", only, "--until", until)
    overrides = options.with_reason(overrides, unblind)
    analysis = tool.load_analysis(config, site=site, overrides=overrides)
    planned, warnings = tool.plan(analysis, only=only, until=until, verify=verify)
    if as_json:
        typer.echo(pretty_json(_rows(planned)), nl=False)
        return
    _show(planned)
    for finding in warnings:
        typer.echo(f"\n{finding}", err=True)


def _rows(plan: Plan) -> list[dict[str, object]]:
    return [
        {
            "stage": item.stage.name,
            "state": _state(plan, item.stage.name),
            "why": item.why,
            "estimate_seconds": None if item.record else item.seconds,
            "key": item.key,
            "weak_keys": list(item.weak),
        }
        for item in plan.stages
    ]


def _state(plan: Plan, stage: str) -> str:
    return plan.by_name[stage].state if stage in plan.wanted else "not asked for"


def _show(plan: Plan) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from quarkline.cli.watch import duration

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("stage", "state", "why", "estimate"):
        table.add_column(heading, overflow="fold")
    for item in plan.stages:
        known = item.seconds is not None and item.record is None
        estimate = duration(item.seconds or 0.0) if known else "-"
        state = _state(plan, item.stage.name)
        table.add_row(item.stage.name, state, escape(item.why), estimate)
    console = Console(highlight=False)
    console.print(table)
    for item in plan.stages:
        for file in item.weak:
            hint = "its hash agrees" if item.verified else "--verify hashes it"
            text = f"known by size, first and last MiB only ({hint}): {file}"
            console.print(text, markup=False, soft_wrap=True)
