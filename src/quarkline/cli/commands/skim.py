"""`quarkline skim`: cut and thin files of events into files of the same layout."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from rich.table import Table

    from quarkline.events.selection import CutFlow
    from quarkline.events.skim.results import SkimResult
    from quarkline.tools.skim import OutputState, SkimOutcome

CONFIG_ENDINGS = (".yaml", ".yml")
SHOWN = 20


class OutputFormatName(StrEnum):
    """Formats of outputs."""

    root = "root"
    rntuple = "rntuple"
    parquet = "parquet"
    hdf5 = "hdf5"
    csv = "csv"


class Merge(StrEnum):
    """What shares an output."""

    none = "none"
    sample = "sample"
    all = "all"


def command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="[CONFIG | FILE...]",
            help="A config in YAML, or files, globs or addresses.",
            default_factory=list,
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Folder that the skim is written to."),
    ] = None,
    select: options.Select = None,
    weight: Annotated[
        str | None, typer.Option(metavar="W", help="Weight of an event in sums and cut-flow.")
    ] = None,
    sums: Annotated[
        list[str] | None,
        typer.Option("--sums", metavar="NAME=EXPR", help="A further sum before any cut."),
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Branches to keep; default: all.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Branches to drop of these.")
    ] = None,
    tree: Annotated[
        list[str] | None, typer.Option(metavar="TREE", help="Trees to cut; default: the only one.")
    ] = None,
    copy_tree: Annotated[
        list[str] | None, typer.Option(metavar="TREE", help="Trees to copy whole.")
    ] = None,
    format: Annotated[  # noqa: A002
        OutputFormatName | None, typer.Option(help="Format of the outputs; default: root.")
    ] = None,
    compression: Annotated[
        str | None, typer.Option(metavar="C", help="zstd:5, lz4:4, zlib:1 or none.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Target size of a file, such as 2GB.")
    ] = None,
    merge: Annotated[
        Merge | None, typer.Option(help="What shares an output; default: nothing.")
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Outputs mirror the paths of inputs below it."),
    ] = None,
    files_from: options.FilesFrom = None,
    max_bad_files: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Go on without N unusable files.")
    ] = None,
    max_events: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Look at N events of each file only.")
    ] = None,
    task_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Larger files are several tasks.")
    ] = None,
    retries: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Tries of a failed task; default: 1.")
    ] = None,
    overrides: options.Overrides = None,
    site: options.Site = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be made and why; write nothing.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove outputs that the config no longer makes.")
    ] = False,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    batch: options.Batch = None,
    submit_dir: options.SubmitDir = None,
    as_json: options.Json = False,
) -> None:
    """Cut FILES into OUT: selected events, kept branches, sums of weights and cut-flows.

    Run it again at any time: what is finished and unchanged is kept, whatever stopped it.
    """
    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import skim as tool

    config, patterns = _config_or_files(files)
    if config is None and output is None and not any("output=" in key for key in overrides or ()):
        message = "name the folder of the skim as -o OUT, or a config that ends in .yaml"
        raise typer.BadParameter(message)
    given: dict[str, Any] = {
        "files": patterns or None,
        "files_from": _text(files_from),
        "output": _text(output),
        "select": select,
        "weight": weight,
        "sums": None if sums is None else dict(_named(text) for text in sums),
        "keep": keep,
        "drop": drop,
        "tree": tree,
        "copy_tree": copy_tree,
        "format": format.value if format else None,
        "compression": compression,
        "max_size": max_size,
        "merge": merge.value if merge else None,
        "base": _text(base),
        "max_bad_files": max_bad_files,
        "max_events": max_events,
        "task_size": task_size,
        "retries": retries,
    }
    compute = options.compute_keys(
        workers=workers, cluster=cluster, batch=batch, submit_dir=submit_dir
    )
    skim = tool.load_skim(
        config,
        site=site,
        keys={key: value for key, value in given.items() if value is not None},
        overrides=overrides or (),
        compute=compute,
    )
    with (
        options.continued(),
        WorkBar(lambda done, total: f"{done} of {total}", quiet=as_json) as bar,
    ):
        if plan:
            states, warnings = tool.plan_outputs(skim, prune=prune, watcher=bar)
        else:
            outcome = tool.skim(skim, prune=prune, watcher=bar)
            warnings = list(outcome.warnings)
    for finding in () if as_json else warnings:
        typer.echo(f"{finding}\n", err=True)
    if plan:
        _show_plan(states, as_json=as_json)
        return
    if as_json:
        typer.echo(pretty_json(_summary(outcome)), nl=False)
    else:
        _show(outcome)
    if outcome.failures:
        from quarkline.cli.main import show_findings

        show_findings(outcome.failures, as_json=as_json)
        sys.exit(1)


def _config_or_files(files: list[str]) -> tuple[Path | None, list[str]]:
    """The config, if the first argument is one, and the files."""
    if files and files[0].endswith(CONFIG_ENDINGS):
        return Path(files[0]), files[1:]
    return None, files


def _named(text: str) -> tuple[str, str]:
    name, equals, expression = text.partition("=")
    if not equals:
        message = f"`{text}` is not NAME=EXPR"
        raise typer.BadParameter(message, param_hint="--sums")
    return name.strip(), expression.strip()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _summary(outcome: SkimOutcome) -> dict[str, Any]:
    return {
        "output": str(outcome.output),
        "made": outcome.made,
        "complete": outcome.complete,
        "removed": outcome.removed,
        "bad": outcome.bad,
        "result": outcome.result,
        "warnings": [finding.as_json() for finding in outcome.warnings],
        "failures": [finding.as_json() for finding in outcome.failures],
    }


def _show_plan(states: list[OutputState], *, as_json: bool) -> None:
    from quarkline.engine.core.results import pretty_json

    if as_json:
        typer.echo(pretty_json([{"output": s.output, "why": s.why} for s in states]), nl=False)
        return
    pending = [state for state in states if state.why]
    for state in pending[:SHOWN]:
        typer.echo(f"{state.output}: {state.why}")
    if len(pending) > SHOWN:
        typer.echo(f"... and {len(pending) - SHOWN} more")
    typer.echo(f"{len(pending)} of {len(states)} outputs to make")


def _show(outcome: SkimOutcome) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False, soft_wrap=True)
    reasons: dict[str, int] = {}
    for why in outcome.made.values():
        reasons[why] = reasons.get(why, 0) + 1
    for why, count in reasons.items():
        console.print(f"made {_count(count, 'output')}: {why}")
    if outcome.complete:
        console.print(f"{_count(outcome.complete, 'output')} complete already")
    if outcome.removed:
        console.print(f"removed {_count(len(outcome.removed), 'output')} of an earlier skim")
    if outcome.result is None:
        return
    console.print(_samples(outcome.result))
    for name, sample in outcome.result.samples.items():
        for tree, found in sample.trees.items():
            if found.flow.steps:
                console.print(f"{name}  {tree}".rstrip())
                console.print(_flow(found.flow))
        for file, problem in sample.bad.items():
            console.print(f"left out: {file}: {problem}")
    console.print(f"{_count(len(outcome.result.outputs), 'file')} in {outcome.output}")


def _samples(result: SkimResult) -> Table:
    table = _table("sample", "tree", "files", "bad", "events", "pass", "sum of weights", "passes")
    for name, sample in result.samples.items():
        for tree, found in sample.trees.items():
            flow = found.flow
            last = flow.steps[-1] if flow.steps else flow
            counts = [f"{number:,}" for number in (sample.files, len(sample.bad), flow.events)]
            sums = [f"{value:.6g}" for value in (flow.sum_weights, last.sum_weights)]
            table.add_row(name, tree, *counts, f"{last.events:,}", *sums)
        if not sample.trees:
            table.add_row(name, "", str(sample.files), str(len(sample.bad)), "", "", "", "")
    return table


def _flow(flow: CutFlow) -> Table:
    table = _table("cut", "pass alone", "pass so far", "of events", "sum of weights", "without it")
    table.add_row("all", "", f"{flow.events:,}", "", f"{flow.sum_weights:.6g}", "")
    for step in flow.steps:
        share = f"{100 * step.events / flow.events:.4g} %" if flow.events else "-"
        counts = f"{step.alone:,}", f"{step.events:,}"
        table.add_row(
            step.name, *counts, share, f"{step.sum_weights:.6g}", f"{step.events_without:,}"
        )
    return table


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(headings):
        left = number == 0 or heading == "tree"
        table.add_column(heading, justify="left" if left else "right", overflow="fold")
    return table


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + "s" * (number != 1)
