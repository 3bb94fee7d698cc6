"""Arguments and options that several commands share."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class JoinBy(StrEnum):
    """How rows of a friend find their events."""

    position = "position"
    key = "key"


class Device(StrEnum):
    """Where models train."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class BatchSystem(StrEnum):
    """Batch systems that jobs can be given to."""

    slurm = "slurm"
    htcondor = "htcondor"


ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="The analysis as a YAML file.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as fit.degree=3."),
]
Unblind = Annotated[
    str | None,
    typer.Option(metavar="REASON", help="Read blind data, too, and keep the reason with the run."),
]
Site = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Compute and storage settings of this computer."),
]
Files = Annotated[
    list[str],
    typer.Argument(
        metavar="[FILE]...",
        help="Files, globs or addresses, read as one table.",
        default_factory=list,
        show_default=False,
    ),
]
Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="[CONFIG | [NAME=]FILE...]",
        help="A YAML config, or files, globs or addresses with or without a sample's name.",
        default_factory=list,
        show_default=False,
    ),
]
Tree = Annotated[str | None, typer.Option(metavar="TREE", help="The tree, if a file has several.")]
Weight = Annotated[str | None, typer.Option(metavar="W", help="Weight of each event.")]
Select = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[NAME:] CUT", help="A cut, repeatable; 'a && b' without a name is two cuts."
    ),
]
Friend = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[NAME=]FILE",
        help="A friend, a glob of one for each file, or a folder of them; repeatable.",
    ),
]
FriendBy = Annotated[JoinBy, typer.Option(help="How rows of a friend find their events.")]
FilesFrom = Annotated[
    Path | None,
    typer.Option(metavar="LIST", help="A text file with further files, one a line."),
]
Copy = Annotated[
    bool, typer.Option("--copy", help="Copy remote files once into the cache, and read them there.")
]
Only = Annotated[str | None, typer.Option(metavar="STAGE", help="Run this stage alone.")]
Until = Annotated[
    str | None, typer.Option(metavar="STAGE", help="Run up to and including this stage.")
]
Verify = Annotated[bool, typer.Option("--verify", help="Hash large input files whole.")]
Workers = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Processes of this computer; default: all cores."),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Run on this Dask cluster: tcp://HOST:PORT or its scheduler file."
    ),
]
Batch = Annotated[BatchSystem | None, typer.Option(help="Run as jobs of this batch system.")]
SubmitDir = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Scripts and logs of jobs; default: beside the results."),
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object to standard output.")]


def refuse_both(first: str, first_value: object, second: str, second_value: object) -> None:
    """Refuse two options that contradict each other.

    Raises:
        typer.BadParameter: If both are given.
    """
    if first_value is not None and second_value is not None:
        message = f"{first} and {second} cannot be used together"
        raise typer.BadParameter(message)


def compute_keys(
    *,
    workers: int | None = None,
    cluster: str | None = None,
    batch: BatchSystem | None = None,
    submit_dir: Path | None = None,
    device: Device | None = None,
) -> dict[str, Any]:
    """Keys of the `compute` section from the options given; one place replaces the config's other.

    Raises:
        typer.BadParameter: If two places to compute are given.
    """
    places = {"--workers": workers, "--cluster": cluster, "--batch": batch}
    given = [name for name, value in places.items() if value is not None]
    if len(given) > 1:
        message = f"{given[0]} and {given[1]} cannot be used together"
        raise typer.BadParameter(message)
    keys: dict[str, Any] = {"cluster": None, "batch": None} if given else {}
    if workers is not None:
        keys["workers"] = workers
    if cluster is not None:
        keys["cluster"] = cluster
    if batch is not None:
        keys["batch"] = {"kind": batch.value}  # keeps the config's settings of the same system
    if submit_dir is not None:
        keys["submit_dir"] = str(submit_dir)
    if device is not None:
        keys["device"] = device.value
    return keys


def refuse_with_config(given: Mapping[str, object]) -> None:
    """Refuse options that only go with files, beside a config that says the same.

    Raises:
        typer.BadParameter: If one is given.
    """
    _refuse(given, "goes with files; a config says this itself")


def refuse_without_config(given: Mapping[str, object]) -> None:
    """Refuse options that only go with a config.

    Raises:
        typer.BadParameter: If one is given.
    """
    _refuse(given, "goes with a config, not with files")


def refuse_with_trexfitter(given: Mapping[str, object]) -> None:
    """Refuse options that only go with a config in YAML.

    Raises:
        typer.BadParameter: If one is given.
    """
    _refuse(given, "goes with a config in YAML; a TRExFitter config takes --replace XXX_NAME=VALUE")


def refuse_without_trexfitter(given: Mapping[str, object]) -> None:
    """Refuse options that only go with a TRExFitter config.

    Raises:
        typer.BadParameter: If one is given.
    """
    _refuse(given, "goes with a TRExFitter config; a config in YAML takes --set KEY=VALUE")


def named_values(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Values by name, from texts such as `NAME=VALUE`.

    Raises:
        typer.BadParameter: If a text has no name.
    """
    parts = {text: text.partition("=") for text in texts}
    for text, (name, sign, _) in parts.items():
        if not name or not sign:
            message = f"{option} {text!r} is not of the form NAME=VALUE"
            raise typer.BadParameter(message)
    return {name: value for name, _, value in parts.values()}


def _refuse(given: Mapping[str, object], why: str) -> None:
    for name, value in given.items():
        if value:
            message = f"{name} {why}"
            raise typer.BadParameter(message)


@contextlib.contextmanager
def continued() -> Iterator[None]:
    """Say after Ctrl-C that the work of the block may go on later.

    Raises:
        typer.Exit: With code 130 after Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("stopped; finished work is kept, and the same command continues it", err=True)
        raise typer.Exit(130) from None


def with_reason(overrides: list[str] | None, unblind: str | None) -> list[str]:
    """Overrides with the reason to read blind data."""
    return [*(overrides or ()), *([] if unblind is None else [f"unblind={json.dumps(unblind)}"])]
