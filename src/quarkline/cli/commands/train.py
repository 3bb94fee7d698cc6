"""`quarkline train`: train taggers of jets."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.studies.tagging.train.seed_keys import TranslatedKey
    from quarkline.tools.run import RunOutcome

KEYS = "Keys of the CalRatio trainer"


class Compatibility(StrEnum):
    """How exactly the CalRatio trainer is followed."""

    none = "none"
    upstream = "upstream"


def _key(name: str, text: str, *, metavar: str | None = None, least: float | None = None) -> Any:
    """An option for a key of the CalRatio trainer, in both spellings."""
    names = dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}"))
    return typer.Option(
        *names, help=text, metavar=metavar, min=least, rich_help_panel=KEYS, show_default=False
    )


def _flag(name: str, text: str) -> Any:
    """A flag for a key of the CalRatio trainer, which can be switched off."""
    dashed = name.replace("_", "-")
    names = (f"--{dashed}/--no-{dashed}", f"--{name}")
    return typer.Option(*names, help=text, rich_help_panel=KEYS, show_default=False)


def command(
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="A tagging study, or a training config of the CalRatio trainer, as YAML.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        int | None,
        typer.Option(
            "--continue",
            "--continue-n",
            metavar="N",
            help="Go on from the state of run N; -1 is the latest, -2 the one before.",
        ),
    ] = None,
    print_settings: Annotated[
        bool,
        typer.Option("--print-settings", "--print_settings", help="Show the config, and end."),
    ] = False,
    compatibility: Annotated[
        Compatibility, typer.Option(help="Train exactly as the CalRatio trainer did.")
    ] = Compatibility.none,
    overrides: options.Overrides = None,
    site: options.Site = None,
    new: Annotated[
        bool, typer.Option("--new", help="Start a new run even if an equal one exists.")
    ] = False,
    workers: options.Workers = None,
    device: Annotated[
        options.Device | None, typer.Option(help="Where models train; default: auto.")
    ] = None,
    verify: options.Verify = False,
    as_json: options.Json = False,
    model_name: Annotated[str | None, _key("model_name", "Name of the runs' folder.")] = None,
    main_training_file: Annotated[
        str | None, _key("main_training_file", "Jets of known classes.", metavar="FILE")
    ] = None,
    cr_training_file: Annotated[
        str | None, _key("cr_training_file", "Jets of the control region.", metavar="FILE")
    ] = None,
    epochs: Annotated[
        int | None, _key("epochs", "Epochs; with --continue so many more.", least=1)
    ] = None,
    batch_size: Annotated[int | None, _key("batch_size", "Jets in a batch.", least=1)] = None,
    num_splits: Annotated[
        int | None,
        _key("num_splits", "Batches of an epoch, with --compatibility upstream.", least=1),
    ] = None,
    lr_values: Annotated[float | None, _key("lr_values", "Learning rate.")] = None,
    adversary_weight: Annotated[
        float | None, _key("adversary_weight", "Weight of the adversary; 0: none.")
    ] = None,
    frac_list: Annotated[
        float | None, _key("frac_list", "Fraction of the events that is used.")
    ] = None,
    dropout_array: Annotated[
        float | None, _key("dropout_array", "Share of activations left out.")
    ] = None,
    hidden_layer_fraction: Annotated[
        float | None, _key("hidden_layer_fraction", "Scales the layers of 512 and 64.")
    ] = None,
    reg_values: Annotated[float | None, _key("reg_values", "Weight of |w| + w^2.")] = None,
    layers_list: Annotated[int | None, _key("layers_list", "LSTMs of each stream.")] = None,
    nodes_constit_lstm: Annotated[
        int | None, _key("nodes_constit_lstm", "Width of the LSTM over clusters.")
    ] = None,
    nodes_track_lstm: Annotated[
        int | None, _key("nodes_track_lstm", "Width of the LSTM over tracks.")
    ] = None,
    nodes_mseg_lstm: Annotated[
        int | None, _key("nodes_MSeg_lstm", "Width of the LSTM over muon segments.")
    ] = None,
    mh_parametrization: Annotated[
        bool | None, _flag("mH_parametrization", "Tell the network mH.")
    ] = None,
    ms_parametrization: Annotated[
        bool | None, _flag("mS_parametrization", "Tell the network mS.")
    ] = None,
    include_low_mass: Annotated[
        bool | None, _flag("include_low_mass", "Learn from mH up to 200 GeV; alone: only.")
    ] = None,
    include_high_mass: Annotated[
        bool | None, _flag("include_high_mass", "Learn from mH from 400 GeV; alone: only.")
    ] = None,
) -> None:
    """Train the networks of CONFIG: every stage up to `train` that is not finished yet.

    Stop it at any moment and start it again: finished work is kept, and the result is the same.
    """
    from quarkline.cli.watch import RunWatch
    from quarkline.tools import train as tool

    keys = {
        "model_name": model_name,
        "main_training_file": main_training_file,
        "cr_training_file": cr_training_file,
        "epochs": epochs,
        "batch_size": batch_size,
        "num_splits": num_splits,
        "lr_values": lr_values,
        "adversary_weight": adversary_weight,
        "frac_list": frac_list,
        "dropout_array": dropout_array,
        "hidden_layer_fraction": hidden_layer_fraction,
        "reg_values": reg_values,
        "layers_list": layers_list,
        "nodes_constit_lstm": nodes_constit_lstm,
        "nodes_track_lstm": nodes_track_lstm,
        "nodes_MSeg_lstm": nodes_mseg_lstm,
        "mH_parametrization": mh_parametrization,
        "mS_parametrization": ms_parametrization,
        "include_low_mass": include_low_mass,
        "include_high_mass": include_high_mass,
    }
    training = tool.load_training(
        config,
        keys=keys,
        upstream=compatibility is Compatibility.upstream,
        resume=resume,
        site=site,
        overrides=overrides or (),
        compute=options.compute_keys(workers=workers, device=device),
    )
    if training.keys:
        _show_keys(training.keys, to_error=as_json or print_settings)
    if print_settings:
        typer.echo(training.settings, nl=False)
        return
    with options.continued(), RunWatch(quiet=as_json) as watch:
        outcome = tool.train(training, new=new, verify=verify, watcher=watch)
    _show(outcome, as_json=as_json)


def _show(outcome: RunOutcome, *, as_json: bool) -> None:
    """What was trained, where it is, and what comes next."""
    from quarkline.engine.core.findings import Severity
    from quarkline.engine.core.results import pretty_json

    record = outcome.run.record("train")
    if as_json:
        summary = {
            "run": str(outcome.run.folder),
            "trainings": str(record.files["trainings"]),
            "model": str(record.files["model"]),
            "results": record.results,
            "warnings": [finding.as_json() for finding in outcome.warnings],
        }
        typer.echo(pretty_json(summary), nl=False)
        return
    for finding in outcome.warnings:
        if finding.severity is not Severity.NOTE:
            typer.echo(f"\n{finding}", err=True)
    typer.echo(f"{record.files['model']}: the network, for `quarkline score` and `export`")
    typer.echo(str(outcome.run.folder))


def _show_keys(keys: Sequence[TranslatedKey], *, to_error: bool) -> None:
    """What became of each key of the CalRatio trainer."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from quarkline.studies.tagging.train.seed_keys import rows

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("key", "value", "here", "note"):
        table.add_column(heading, overflow="fold")
    for row in rows(keys):
        table.add_row(*(escape(cell) for cell in row))
    Console(highlight=False, stderr=to_error).print(table)
