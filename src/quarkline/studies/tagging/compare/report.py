"""The report of a comparison of runs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quarkline.engine.core.results import Quantity
from quarkline.engine.store.atomic import write_atomic
from quarkline.report import Block, Cell, Document, Figure, Row, Section, Table, Text, number
from quarkline.studies.tagging.analyze.choose import Choice
from quarkline.studies.tagging.analyze.config import AnalyzeConfig
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


def choice_blocks(choice: Choice, figure: Figure, stage: str = "") -> Iterator[Block]:
    """Why an epoch was chosen, all of them in a plane, and those that no other one beats."""
    chosen = choice.chosen
    yield Text(f"Chosen is `{chosen.training}/{chosen.epoch}`: {choice.why}.", stage)
    yield figure
    rows: list[Row] = []
    for item in choice.front:
        strong = (item.training, item.epoch) == (chosen.training, chosen.epoch)
        name = Cell(f"{item.training}/{item.epoch}", strong=strong)
        rows.append([name, number(item.performance, 4), number(item.ks)])
    yield Table(
        "front",
        ["epoch", choice.performance, f"K-S ({choice.ks})"],
        rows,
        stage,
        "Epochs that no other one beats in both; the chosen one is bold.",
    )


def draw_choice(choice: Choice, place: Path) -> None:
    """Draw all epochs and the choice among them, in every form."""
    from quarkline import figures

    names = dict.fromkeys(item.training for item in choice.candidates)
    of = {name: [item for item in choice.candidates if item.training == name] for name in names}
    figure = figures.plot_choice(
        {
            name: ([item.ks for item in items], [item.performance for item in items])
            for name, items in of.items()
        },
        front=[(item.ks, item.performance) for item in choice.front],
        chosen=(choice.chosen.ks, choice.chosen.performance),
        limit=choice.limit,
        x_label="Worst K-S distance" if choice.ks == "worst" else "Sum of K-S distances",
        y_label=choice.performance,
    )
    _save(figure, place)


def _save(figure: Any, place: Path) -> None:
    from quarkline import figures

    figures.save(figure, place)
    write_atomic(place.with_name(f"{place.name}.svg"), figures.to_svg(figure))


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
    _save(figures.plot_training_metrics(drawn), place)
    yield Figure(place, "Losses after each epoch.")
    drawn = {
        history.name: {name.removesuffix("_hist"): history.metrics[name] for name in KS}
        for history in histories
        if all(name in history.metrics for name in KS)
    }
    if drawn:
        place = folder / "ks"
        _save(figures.plot_training_metrics(drawn), place)
        yield Figure(place, "K-S distances of the outputs after each epoch, summed over pT bins.")


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


def tables_of(
    epochs: Sequence[JudgedEpoch], names: Sequence[str], stage: str = ""
) -> Iterator[Table]:
    """Efficiencies by mass, false positives and working points; the best of each row is bold."""
    columns = [*names]
    masses = dict.fromkeys(share.mass for epoch in epochs for share in epoch.shares.signal)
    rows: list[Row] = []
    for mass in sorted(masses):
        found = [
            next((share.share for share in epoch.shares.signal if share.mass == mass), None)
            for epoch in epochs
        ]
        rows.append([*(Cell(f"{value:g}", value) for value in mass), *best_bold(found)])
    yield Table(
        "efficiencies",
        ["m_H [GeV]", "m_S [GeV]", *columns],
        rows,
        stage,
        "Share of signal jets whose largest output is the signal's; the best of a row is bold.",
    )
    rows = [
        [epochs[0].shares.background[place].name, *best_bold(values, highest=False)]
        for place, values in enumerate(
            zip(*([one.share for one in epoch.shares.background] for epoch in epochs), strict=True)
        )
    ]
    yield Table(
        "false-positives",
        ["jets", *columns],
        rows,
        stage,
        "Share of background jets whose largest output is the signal's; the least is bold.",
    )
    rows = [
        ["AUC", *best_bold([epoch.auc for epoch in epochs])],
        ["largest S/√B", *best_bold([Quantity(epoch.best_merit) for epoch in epochs])],
    ]
    for place, point in enumerate(epochs[0].rejections):
        values = [epoch.rejections[place].value for epoch in epochs]
        rows.append([f"rejection at signal efficiency {point.at:g}", *best_bold(values)])
    for place, point in enumerate(epochs[0].efficiencies):
        values = [epoch.efficiencies[place].value for epoch in epochs]
        rows.append([f"signal efficiency at QCD efficiency {point.at:g}", *best_bold(values)])
    worst = [Quantity(epoch.worst_ks.value) if epoch.worst_ks else None for epoch in epochs]
    if any(worst):
        rows.append(["worst K-S", *best_bold(worst, highest=False)])
    yield Table(
        "performance",
        ["quantity", *columns],
        rows,
        stage,
        "Rejections are of QCD and a tenth of BIB, as in the ROC curves; the best is bold.",
    )


def best_bold(values: Sequence[Quantity | None], *, highest: bool = True) -> list[Cell]:
    """Cells of which the best stand out; none does where there is nothing to compare."""
    known = [item.value for item in values if item and math.isfinite(item.value)]
    best = (max if highest else min)(known, default=math.nan)
    several = len(known) > 1 and len(set(known)) > 1
    return [
        replace(number(item), strong=bool(several and item is not None and item.value == best))
        for item in values
    ]


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
