"""`quarkline score`: a friend with a model's scores for each file of events."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.learning.scoring.run import ScoredFile, ScoreRun


class FriendFormat(StrEnum):
    """Formats of friends."""

    root = "root"
    rntuple = "rntuple"
    parquet = "parquet"
    hdf5 = "hdf5"


class Runtime(StrEnum):
    """What computes scores."""

    torch = "torch"
    onnx = "onnx"


class As(StrEnum):
    """What files hold."""

    auto = "auto"
    simulation = "simulation"
    data = "data"


def command(
    model: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run, RUN:STAGE[/FOLD], a model's folder or key, or an export.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the friends.")
    ],
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="[FILE]...",
            help="Files, globs or addresses.",
            default_factory=list,
            show_default=False,
        ),
    ],
    files_from: options.FilesFrom = None,
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The branch; default: probs_CLASS, or probs of all."),
    ] = None,
    classes: Annotated[
        str, typer.Option(metavar="signal|all|CLASS", help="Whose probabilities.")
    ] = "signal",
    origin: Annotated[
        As,
        typer.Option(
            "--as",
            help="What files hold; default: what columns of the group say.",
        ),
    ] = As.auto,
    tree: Annotated[
        list[str] | None,
        typer.Option(metavar="TREE", help="Trees to score; default: the only one."),
    ] = None,
    identity: Annotated[
        list[str] | None,
        typer.Option(metavar="BRANCH", help="Branches that identify an event, for the proof."),
    ] = None,
    runtime: Annotated[
        Runtime | None, typer.Option(help="What computes the scores; default: onnx for an export.")
    ] = None,
    base: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Friends mirror the paths below it.")
    ] = None,
    format: Annotated[  # noqa: A002
        FriendFormat, typer.Option(help="Format of the friends.")
    ] = FriendFormat.root,
    retries: Annotated[int, typer.Option(min=0, metavar="N", help="Tries of a failed file.")] = 0,
    device: Annotated[
        options.Device, typer.Option(help="Where it computes.")
    ] = options.Device.auto,
    site: options.Site = None,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    batch: options.Batch = None,
    submit_dir: options.SubmitDir = None,
    as_json: options.Json = False,
) -> None:
    """Write the scores of FILES to friends in DIR, at the files' own places below it.

    Run it again at any time: friends that are finished and fit file and model are kept.
    """
    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import score as tool

    if not files and files_from is None:
        message = "name files of events, or a list of them as --files-from LIST"
        raise typer.BadParameter(message)
    keys = options.compute_keys(
        workers=workers, cluster=cluster, batch=batch, submit_dir=submit_dir, device=device
    )
    with (
        options.continued(),
        WorkBar(lambda done, total: f"{done} of {total}", quiet=as_json) as bar,
    ):
        done = tool.score(
            model,
            files,
            output,
            files_from=files_from,
            column=column,
            classes=classes,
            origin=origin.value,
            trees=tree or (),
            identity=identity,
            runtime=runtime.value if runtime else None,
            base=base,
            format=format.value,
            retries=retries,
            compute=tool.compute_config(site=site, compute=keys),
            watcher=bar,
        )
    if as_json:
        typer.echo(pretty_json(_summary(done)), nl=False)
    else:
        _show(done, output)
    if done.failures:
        from quarkline.cli.main import show_findings

        show_findings(done.failures, as_json=as_json)
        sys.exit(1)


def _summary(done: ScoreRun) -> dict[str, Any]:
    return {
        "friends": [
            {
                "file": item.file,
                "friend": str(item.friend),
                "entries": item.entries,
                "origin": item.origin.value,
                "key": item.key,
                "infinities": item.infinities,
            }
            for item in done.friends
        ],
        "made": done.made,
        "failures": [finding.as_json() for finding in done.failures],
    }


def _show(done: ScoreRun, output: Path) -> None:
    for kind, found in _kinds(done).items():
        events = sum(item.entries for item in found)
        typer.echo(f"{_count(events, 'event')} of {_count(len(found), 'file')} {kind}")
    if any(item.by_row for item in done.friends):
        typer.echo(
            "files without the columns that identify an event: the same event has another model "
            "in another copy or layout of its file"
        )
    for item in done.friends:
        for feature, number in item.infinities.items():
            typer.echo(f"{item.file}: {_count(number, 'infinite value')} of `{feature}` is missing")
    kept = len(done.friends) - done.made
    typer.echo(f"{_count(done.made, 'friend')} made, {kept} complete already, in {output}")


def _kinds(done: ScoreRun) -> dict[str, list[ScoredFile]]:
    """Friends by what their files were taken for, and what chose the model of an event."""
    found: dict[str, list[ScoredFile]] = {}
    for item in done.friends:
        key = ", ".join(f"`{name}`" for name in item.key)
        kind = f"as {item.origin}, the model of each event chosen by {key}"
        found.setdefault(kind if key else "by the one model", []).append(item)
    return found


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + "s" * (number != 1)
