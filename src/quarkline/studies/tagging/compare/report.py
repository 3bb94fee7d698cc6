"""The report of a comparison of runs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.report import Block, Cell, Document, Figure, Row, Section, Table, number
from quarkline.studies.tagging.analyze.blocks import choice_blocks, tables_of
from quarkline.studies.tagging.analyze.choose import Choice
from quarkline.studies.tagging.analyze.config import AnalyzeConfig
from quarkline.studies.tagging.analyze.drawing import draw_choice, save_all
from quarkline.studies.tagging.analyze.history import TrainingHistory, choose_epoch
from quarkline.studies.tagging.analyze.reasons import KS, REASONS, looked_at, summed
from quarkline.studies.tagging.analyze.results import JudgedEpoch
from quarkline.studies.tagging.compare.runs import ComparedRun, differing

LOSSES: Mapping[str, str] = {
    "train_network_loss": "original_lossf",
    "validation_network_loss": "val_original_lossf",
    "train_adversary_loss": "original_adv_lossf",
    "validation_adversary_loss": "val_original_adv_lossf",
    "train_discriminator_loss": "adv_loss",
    "validation_discriminator_loss": "val_adv_loss",
}
"""Curves that are drawn, and the metrics that they are."""


@dataclass(frozen=True)
class Epoch:
    """An epoch that is looked at.

    Attributes:
        history: The training that it is of.
        number: Its number.
        reasons: Why.
        judged: What it is worth on test jets, if that is known.
    """

    history: TrainingHistory
    number: int
    reasons: tuple[str, ...]
    judged: JudgedEpoch | None

    @property
    def name(self) -> str:
        """As commands take it."""
        return f"{self.history.name}/{self.number}"


def compare_runs(runs: Sequence[ComparedRun], config: AnalyzeConfig, folder: Path) -> Document:
    """Compare runs.

    Args:
        runs: At least one.
        config: How an epoch is chosen among all of them.
        folder: Takes figures.

    Raises:
        InputError: If a history lacks what the choice weighs.
        WorkError: If no epoch can be chosen.
    """
    histories = [history for run in runs for history in run.histories]
    kept = {name: epochs for run in runs for name, epochs in run.kept.items()}
    choice = choose_epoch(histories, config, kept)
    epochs = _epochs(runs, choice, config.best)
    sections = [
        Section("Choice", [*_choice(choice, folder)]),
        Section("Epochs", [_epoch_table(epochs)]),
        Section("Losses", [*_losses(histories, folder)]),
        Section("History", [_history(epochs)]),
        *_judged([epoch for epoch in epochs if epoch.judged]),
        Section("Settings", [*_settings(runs)]),
    ]
    chosen = f"{choice.chosen.training}/{choice.chosen.epoch}"
    return Document(
        f"comparison of {', '.join(run.name for run in runs)}",
        f"`{chosen}`: {choice.why}",
        sections,
    )


def _epochs(runs: Sequence[ComparedRun], choice: Choice, best: int) -> list[Epoch]:
    """The chosen epoch, and the best ones of each training, by rising loss of the network."""
    found = []
    for run in runs:
        for history in run.histories:
            reasons = {
                history.epochs[place]: words
                for place, words in looked_at(history.metrics, best).items()
            }
            if choice.chosen.training == history.name:
                number = choice.chosen.epoch
                reasons[number] = ("chosen", *reasons.get(number, ()))
            found += [
                Epoch(history, number, words, run.epoch(history.name, number))
                for number, words in reasons.items()
            ]
    loss = REASONS[0].metrics[0]
    return sorted(found, key=lambda epoch: epoch.history.at(epoch.number).get(loss, math.inf))


def _choice(choice: Choice, folder: Path) -> Iterator[Block]:
    place = folder / "choice"
    draw_choice(choice, place)
    words = "Performance against the distance of data and simulation, epoch by epoch."
    yield from choice_blocks(choice, Figure(place, words))


def _epoch_table(epochs: Sequence[Epoch]) -> Table:
    names = [name for reason in REASONS[:3] for name in reason.metrics]
    rows: list[Row] = []
    for epoch in epochs:
        metrics = epoch.history.at(epoch.number)
        total = summed({name: [value] for name, value in metrics.items()}, KS)
        area = number(epoch.judged.auc) if epoch.judged else Cell("–")
        values = [number(metrics.get(name), 4) for name in names]
        rows.append(
            [
                epoch.name,
                ", ".join(epoch.reasons),
                values[0],
                number(total[0] if total else None),
                *values[1:],
                area,
            ]
        )
    columns = ["network loss", "K-S sum", "adversary loss", "discriminator loss", "AUC on test"]
    return Table(
        "epochs",
        ["epoch", "reason", *columns],
        rows,
        caption="Epochs worth a look, by rising loss of the network. A high loss of the adversary "
        "is good: it fails to tell data from simulation.",
    )


def _losses(histories: Sequence[TrainingHistory], folder: Path) -> Iterator[Block]:
    from quarkline import figures

    drawn = {
        history.name: {
            name: history.metrics[metric]
            for name, metric in LOSSES.items()
            if metric in history.metrics
        }
        for history in histories
    }
    place = folder / "losses"
    save_all(figures.plot_training_metrics(drawn), place)
    yield Figure(place, "Losses after so many epochs: the first one has number 0.")
    drawn = {
        history.name: {name.removesuffix("_hist"): history.metrics[name] for name in KS}
        for history in histories
        if all(name in history.metrics for name in KS)
    }
    if drawn:
        place = folder / "ks"
        save_all(figures.plot_training_metrics(drawn), place)
        words = "K-S distances of the outputs after so many epochs, summed over bins of pT."
        yield Figure(place, words)


def _history(epochs: Sequence[Epoch]) -> Table:
    names = dict.fromkeys(name for epoch in epochs for name in epoch.history.metrics)
    rows: list[Row] = [
        [name, *(number(epoch.history.at(epoch.number).get(name), 4) for epoch in epochs)]
        for name in names
    ]
    columns = ["quantity", *(epoch.name for epoch in epochs)]
    return Table("history", columns, rows, caption="All quantities of these epochs.")


def _judged(epochs: Sequence[Epoch]) -> Iterator[Section]:
    """What epochs are worth on test jets; nothing before the stage `analyze` has run."""
    known = [epoch.judged for epoch in epochs if epoch.judged]
    if known:
        names = [epoch.name for epoch in epochs]
        yield Section("Test jets", [*tables_of(known, names)])


def _settings(runs: Sequence[ComparedRun]) -> Iterator[Block]:
    other, same = differing(runs)
    if len(runs) > 1:
        yield Table(
            "differing",
            ["setting", *(run.name for run in runs)],
            [[name, *(_value(run.parameters, name) for run in runs)] for name in other],
            caption="Settings that differ.",
        )
    yield Table(
        "common",
        ["setting", "value"],
        [[name, _value(runs[0].parameters, name)] for name in same],
        caption="Settings of all of them.",
        folded=True,
    )


def _value(parameters: Mapping[str, Any], name: str) -> str:
    return json.dumps(parameters[name], ensure_ascii=False) if name in parameters else "–"
