"""`quarkline cutflow`: what each cut keeps, sample by sample, and what it would lose last."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarkline.cli import options

MOST_DIGITS = 6

if TYPE_CHECKING:
    from rich.table import Table

    from quarkline.engine.core.results import Quantity
    from quarkline.tools.cutflow import CutFlowReport, SampleFlow


def command(
    files: options.Inputs,
    select: options.Select = None,
    weight: options.Weight = None,
    tree: options.Tree = None,
    friend: options.Friend = None,
    friend_by: options.FriendBy = options.JoinBy.position,
    files_from: options.FilesFrom = None,
    copy: options.Copy = False,
    overrides: options.Overrides = None,
    site: options.Site = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Write table and figures here: CSV, JSON, PDF, PNG."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Count the events that pass cuts one after the other, and all but one of them (N-1).

    Name samples as in ttbar='mc/tt*.root'. With a CONFIG the samples, cuts and weights are its
    own, and only those of its cuts that are conditions on events.
    """
    from rich.console import Console
    from rich.progress import Progress

    from quarkline.engine.core.results import pretty_json
    from quarkline.engine.store.atomic import make_folder
    from quarkline.events.cuts import named_cuts
    from quarkline.tools.config_inputs import load_inputs, samples_of
    from quarkline.tools.cutflow import cut_flows, write_report
    from quarkline.tools.friend_files import friends_of
    from quarkline.tools.samples import is_config, named_samples

    if is_config(files):
        given = {
            "--select": select,
            "--weight": weight,
            "--tree": tree,
            "--friend": friend,
            "--files-from": files_from,
        }
        options.refuse_with_config(given)
        samples = samples_of(load_inputs(Path(files[0]), site=site, overrides=overrides or ()))
    else:
        options.refuse_without_config({"--set": overrides, "--site": site})
        samples = named_samples(
            files,
            files_from=files_from,
            copy=copy,
            tree=tree,
            cuts=named_cuts(select or ()),
            weight=weight,
        )
    if out:
        make_folder(out)
    hosts = [path for sample in samples for path in sample.files]
    friends = friends_of(hosts, friend or (), by=friend_by)
    console = Console(stderr=True)
    hidden = as_json or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as bars:
        bar = bars.add_task("reading", total=1.0)
        report = cut_flows(
            samples, friends=friends, progress=lambda read: bars.update(bar, completed=read)
        )
    written = write_report(report, out) if out else []
    if as_json:
        typer.echo(pretty_json(report), nl=False)
        return
    for warning in report.warnings:
        typer.echo(f"{warning['code']}  {warning['message']}\n   {warning['suggestion']}", err=True)
    _show(report)
    if written:
        typer.echo(f"{out}: {len(written)} files, among them cutflow.csv")


def _show(report: CutFlowReport) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    for sample in report.samples:
        files = f"{sample.files} file" + "s" * (sample.files != 1)
        weighted = f", weighted with {sample.flow.weight}" if sample.flow.weight else ""
        console.print(f"{sample.name}: {sample.flow.events:,} events of {files}{weighted}")
        for table in [_weighted(sample), _without(sample)] if weighted else [_counted(sample)]:
            console.print(table)
        if sample.flow.nan_weights:
            console.print(f"{sample.flow.nan_weights:,} weights are NaN and in no sum")


def _counted(sample: SampleFlow) -> Table:
    """Counts: alone, so far, and without the cut."""
    flow = sample.flow
    table = _table("cut", "alone", "events", "of all", "of before", "N-1", "of N-1")
    shares = (flow.efficiencies, flow.step_efficiencies, flow.last_efficiencies)
    for step, *found in zip(flow.steps, *shares, strict=True):
        whole, before, last = map(_share, found)
        without = f"{step.events_without:,}"
        row = (step.name, f"{step.alone:,}", f"{step.events:,}", whole, before, without, last)
        table.add_row(*row)
    return table


def _weighted(sample: SampleFlow) -> Table:
    """Sums of weights with their errors, and counts."""
    flow = sample.flow
    table = _table("cut", "events", "sum of weights", "of all", "of before")
    table.add_row("all events", f"{flow.events:,}", _sum(flow.sum_weights, flow.error), "", "")
    for step, *found in zip(flow.steps, flow.efficiencies, flow.step_efficiencies, strict=True):
        sums = _sum(step.sum_weights, step.error)
        table.add_row(step.name, f"{step.events:,}", sums, *map(_share, found))
    return table


def _without(sample: SampleFlow) -> Table:
    """What passes all cuts but one, with the fraction that this one keeps."""
    flow = sample.flow
    table = _table("all cuts but", "events", "sum of weights", "kept by it")
    for step, kept in zip(flow.steps, flow.last_efficiencies, strict=True):
        sums = _sum(step.sum_weights_without, step.error_without)
        table.add_row(step.name, f"{step.events_without:,}", sums, _share(kept))
    return table


def _share(quantity: Quantity) -> str:
    return "-" if quantity.value != quantity.value else f"{100 * quantity.value:.3g} %"


def _sum(value: float, error: float) -> str:
    """A sum with two digits of its error."""
    digits = 1 - math.floor(math.log10(error)) if error > 0 else 0
    if abs(digits) > MOST_DIGITS:
        return f"{value:.5g} ± {error:.2g}"
    return f"{value:,.{max(digits, 0)}f} ± {error:,.{max(digits, 0)}f}"


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    first = table.columns[0]
    first.justify, first.no_wrap, first.overflow = "left", False, "fold"
    return table
