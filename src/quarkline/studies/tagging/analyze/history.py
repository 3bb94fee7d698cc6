"""The history of a training: metrics of each epoch, as the candidates that a choice is among."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean
from quarkline.learning.training.history import METRICS
from quarkline.studies.tagging.analyze.choose import Candidate
from quarkline.studies.tagging.analyze.reasons import KS, summed

EPOCH, WORST = "epoch", "ks_worst"

BAD_HISTORY = Rule(
    "QL-TAG-061",
    "a training's history has the metric that is asked for",
    "`metrics.csv` in the folder of a training has a line for each epoch and a column for each "
    "quantity. `analyze.performance` names one of them; a distance of data and simulation is there "
    "if the training watched a control region.",
)


@dataclass(frozen=True)
class TrainingHistory:
    """What one training measured.

    Attributes:
        name: Which training it is.
        epochs: Number of each epoch, as its files are named.
        metrics: Metrics of each epoch by name.
    """

    name: str
    epochs: tuple[int, ...]
    metrics: Mapping[str, list[float]]

    def at(self, epoch: int) -> dict[str, float]:
        """The metrics of one epoch."""
        place = self.epochs.index(epoch)
        return {name: values[place] for name, values in self.metrics.items()}

    def candidates(self, performance: str, ks: Literal["worst", "sum"]) -> list[Candidate]:
        """Every epoch with what a choice weighs.

        Args:
            performance: Name of a metric.
            ks: What the K-S distance is of.

        Raises:
            InputError: If the history lacks one of the two.
        """
        distances = summed(self.metrics, KS if ks == "sum" else (WORST,))
        if performance not in self.metrics or (self.epochs and not distances):
            missing = performance if performance not in self.metrics else f"K-S ({ks})"
            raise InputError(
                BAD_HISTORY.finding(
                    f"the history of {self.name} has no {missing}",
                    suggestion=did_you_mean(missing, self.metrics, what="metrics"),
                )
            )
        return [
            Candidate(self.name, *values)
            for values in zip(self.epochs, self.metrics[performance], distances, strict=True)
        ]


def read_history(name: str, folder: Path) -> TrainingHistory:
    """Read the history of a training from its folder.

    Args:
        name: What the training is called.
        folder: Holds `metrics.csv`.

    Raises:
        InputError: If there is none, or it has another form.
    """
    path = folder / METRICS
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        epochs = tuple(int(row[EPOCH]) for row in rows)
        names = [column for column in rows[0] if column != EPOCH]
        metrics = {column: [float(row[column]) for row in rows] for column in names}
    except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
        raise InputError(
            BAD_HISTORY.finding(
                f"the history of {name} cannot be read: {error!r}",
                suggestion="name a run whose training is finished",
                place=Place(path),
            )
        ) from error
    return TrainingHistory(name, epochs, metrics)
