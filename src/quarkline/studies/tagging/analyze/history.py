"""The history of a training: quantities of each epoch, as the candidates that a choice is among."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean
from quarkline.studies.tagging.analyze.choose import Candidate, Choice, Ks, choose
from quarkline.studies.tagging.analyze.config import AnalyzeConfig
from quarkline.studies.tagging.analyze.reasons import KS, summed
from quarkline.studies.tagging.watch.record import EpochRecord, read_records

WORST = "ks_worst"

BAD_HISTORY = Rule(
    "QL-TAG-061",
    "a training's history has the quantity that is asked for",
    "A training keeps a record of each epoch with all quantities of its history. "
    "`analyze.performance` names one of them; a distance of data and simulation is there if the "
    "training watched a control region.",
)


@dataclass(frozen=True)
class TrainingHistory:
    """What one training measured.

    Attributes:
        name: Which training it is.
        epochs: Number of each epoch, from 0, as its files are named.
        metrics: Quantities of each epoch by name.
    """

    name: str
    epochs: tuple[int, ...]
    metrics: Mapping[str, Sequence[float]]

    def at(self, epoch: int) -> dict[str, float]:
        """The quantities of one epoch."""
        place = self.epochs.index(epoch)
        return {name: values[place] for name, values in self.metrics.items()}

    def candidates(self, performance: str, ks: Ks) -> list[Candidate]:
        """Every epoch with what a choice weighs.

        Args:
            performance: Name of a quantity.
            ks: What the K-S distance is of; with `none` it is 0.

        Raises:
            InputError: If the history lacks one of the two.
        """
        names = {"sum": KS, "worst": (WORST,), "none": ()}[ks]
        distances = summed(self.metrics, names) if names else [0.0] * len(self.epochs)
        if performance not in self.metrics or not distances:
            missing = performance if performance not in self.metrics else f"K-S ({ks})"
            raise InputError(
                BAD_HISTORY.finding(
                    f"the history of {self.name} has no {missing}",
                    suggestion=did_you_mean(missing, self.metrics, what="quantities"),
                )
            )
        return [
            Candidate(self.name, *values)
            for values in zip(self.epochs, self.metrics[performance], distances, strict=True)
        ]


def read_history(name: str, folder: Path) -> TrainingHistory:
    """Read the history of a training from the records in its folder.

    Args:
        name: What the training is called.
        folder: Of the training.

    Raises:
        InputError: If there is none.
    """
    records = read_records(folder)
    if not records:
        raise InputError(
            BAD_HISTORY.finding(
                f"{name} has no record of an epoch",
                suggestion="name a run whose training has finished an epoch",
                place=Place(folder),
            )
        )
    return history_of(name, records)


def history_of(name: str, records: Sequence[EpochRecord]) -> TrainingHistory:
    """The history of a training from the records of its epochs, in their order."""
    names = dict.fromkeys(quantity for record in records for quantity in record.history)
    metrics = {
        quantity: [float(record.history.get(quantity, np.nan)) for record in records]
        for quantity in names
    }
    worst = [record.agreement.worst.value if record.agreement else np.nan for record in records]
    if np.isfinite(worst).any():
        metrics[WORST] = worst
    return TrainingHistory(name, tuple(record.epoch for record in records), metrics)


def choose_epoch(
    histories: Sequence[TrainingHistory],
    config: AnalyzeConfig,
    kept: Mapping[str, Collection[int]],
) -> Choice:
    """Choose among the epochs of some trainings whose weights were kept.

    Args:
        histories: Of the trainings, at least one.
        config: What is weighed, and the limit.
        kept: By training, the epochs whose weights there are.

    Raises:
        InputError: If a history lacks what is weighed.
        WorkError: If no epoch can be chosen.
    """
    watched = any(WORST in history.metrics for history in histories)
    ks: Ks = config.ks if watched else "none"
    everything = [
        item for history in histories for item in history.candidates(config.performance, ks)
    ]
    candidates = [item for item in everything if item.epoch in kept[item.training]]
    return choose(
        candidates,
        performance=config.performance,
        ks=ks,
        limit=config.ks_limit,
        left_out=len(everything) - len(candidates),
    )
