"""`quarkline fetch`: download published data."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.engine.store.datasets import DataSet
    from quarkline.tools.fetch import FetchResult


def command(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Such as upsilon-cms/pickles.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Where to; default: a folder named DATASET."
        ),
    ] = None,
    files: Annotated[
        str, typer.Option("--files", metavar="GLOB", help="Names to keep, such as '*_mu_*'.")
    ] = "*",
    first: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Only what belongs to the first N files."),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="List parts, or the files of one; download nothing.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Download DATASET, or what is missing of it.

    Stop it at any moment and start it again: it goes on where it stopped, checks what arrived
    against the published checksums, and never downloads a finished file twice.
    """
    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools import fetch as tool

    if listing and "/" not in dataset:
        typer.echo(_parts(tool.find_dataset(dataset)))
        return
    if listing:
        result = tool.list_files(dataset, output, glob=files, first=first)
    else:
        with options.continued(), WorkBar(_said, quiet=as_json) as bar:
            result = tool.fetch(dataset, output, glob=files, first=first, progress=bar.update)
    if as_json:
        typer.echo(pretty_json(result), nl=False)
    elif listing:
        typer.echo(_list(result))
    else:
        typer.echo(_summary(result))


def _parts(dataset: DataSet) -> str:
    rows = [f"  {dataset.name}/{p.name:<12} {p.holds} ({p.size})" for p in dataset.parts]
    pages = [f"  {'':{len(dataset.name) + 13}} {p.record.page}" for p in dataset.parts]
    pairs = [line for both in zip(rows, pages, strict=True) for line in both]
    return "\n".join([dataset.title, *pairs])


def _list(result: FetchResult) -> str:
    width = max(len(file.name) for file in result.files)
    rows = [
        f"{file.name:<{width}}  {_size(file.size):>8}  {file.state:<8} {file.checksum}"
        for file in result.files
    ]
    return "\n".join([*rows, _total(result), result.page])


def _summary(result: FetchResult) -> str:
    states = Counter(file.state for file in result.files)
    told = ", ".join(f"{number} {state}" for state, number in states.items())
    step = [f"next: {result.next_step}"] if result.next_step else []
    return "\n".join([f"{result.folder}: {_total(result)}: {told}", *step])


def _total(result: FetchResult) -> str:
    return f"{len(result.files)} files, {_size(sum(file.size for file in result.files))}"


def _said(done: int, total: int) -> str:
    return f"{_size(done)} of {_size(total)}"


def _size(size: int) -> str:
    """A number of bytes as a person says it."""
    unit, name = next(
        ((unit, name) for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if size >= unit),
        (1, "bytes"),
    )
    return f"{size / unit:.3g} {name}" if size < 1000 * unit else f"{size / unit:,.0f} {name}"
