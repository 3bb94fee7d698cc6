"""What a training measured: metrics by epoch, and the CSV file that follows them."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from quarkline.engine.store.atomic import write_atomic

METRICS = "metrics.csv"
LOSS = "validation_loss"


@dataclass(frozen=True)
class History:
    """Metrics of each epoch.

    Attributes:
        monitor: The metric that picks the best epoch; those whose names end in `loss` are better
            when lower, all others when higher.
        epochs: The metrics by name, of each epoch.
    """

    monitor: str = LOSS
    epochs: list[dict[str, float]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.epochs)

    def column(self, name: str) -> list[float]:
        """One metric after each epoch."""
        return [epoch[name] for epoch in self.epochs]

    @property
    def train(self) -> list[float]:
        """Mean loss over the batches of each epoch, while the weights were moving."""
        return self.column("train_loss")

    @property
    def validation(self) -> list[float]:
        """Loss of the averaged weights on the held-out rows after each epoch."""
        return self.column(LOSS)

    @property
    def monitored(self) -> list[float]:
        """The monitored metric after each epoch, with the sign that makes lower better."""
        sign = 1.0 if self.monitor.endswith("loss") else -1.0
        return [sign * value for value in self.column(self.monitor)]

    @property
    def best(self) -> int:
        """The first epoch, from 0, with the best monitored metric, whose weights are kept."""
        values = self.monitored
        return min(range(len(values)), key=values.__getitem__)

    def stale(self, least_gain: float) -> int:
        """Epochs since the monitored metric last gained `least_gain` on its earlier best."""
        low, since = math.inf, 0
        for value in self.monitored:
            low, since = (value, 0) if value < low - least_gain else (low, since + 1)
        return since

    def find_smallest(self, name: str, number: int) -> list[int]:
        """The epochs, from 0, with the smallest values of a metric, the smallest first.

        Values that are not numbers come last; of equal ones the earlier epoch comes first.

        Args:
            name: The metric.
            number: How many epochs are wanted; all, if there are fewer.
        """
        values = self.column(name)
        order = sorted(range(len(values)), key=lambda at: (math.isnan(values[at]), values[at]))
        return order[:number]

    def make_sum(self, new: str, names: Sequence[str]) -> History:
        """The same history with a metric that is the sum of others.

        Args:
            new: Name of the sum.
            names: The metrics that are added.
        """
        epochs = [{**epoch, new: sum(epoch[name] for name in names)} for epoch in self.epochs]
        return replace(self, epochs=epochs)

    def values_for(self, epoch: int) -> dict[str, float]:
        """All metrics of an epoch, from 0; -1 is the last."""
        return dict(self.epochs[epoch])

    def as_csv(self) -> str:
        """A line for each epoch, counted from 1; numbers are written so that they read equal."""
        if not self.epochs:
            return ""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["epoch", *self.epochs[0]])
        for number, epoch in enumerate(self.epochs, start=1):
            writer.writerow([number, *(repr(value) for value in epoch.values())])
        return text.getvalue()

    @classmethod
    def from_csv(cls, text: str, *, monitor: str = LOSS) -> History:
        """What `as_csv` has written.

        Args:
            text: The lines.
            monitor: The metric that picks the best epoch.
        """
        rows = csv.DictReader(io.StringIO(text))
        return cls(
            monitor,
            [{name: float(row[name]) for name in row if name != "epoch"} for row in rows],
        )


def write_metrics(path: Path, history: History) -> None:
    """Add to the file the lines it lacks, in one write, so that a kill costs no earlier one.

    Half a line is completed; a file that begins otherwise is written anew.
    """
    text = history.as_csv().encode()
    known = path.read_bytes() if path.exists() else b""
    if not text.startswith(known):
        write_atomic(path, text)
        return
    with path.open("ab") as file:
        file.write(text[len(known) :])
        file.flush()
        os.fsync(file.fileno())
