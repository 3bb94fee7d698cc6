"""What a study has to offer to be searched, and what it is given for a trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from quarkline.engine.workflow.store import StageRecord
from quarkline.learning.training.search.config import Direction


class Pruned(Exception):  # noqa: N818  (it is no error)
    """Raised by `Trial.report` once a trial is not worth going on with; let it pass."""


@dataclass(frozen=True)
class Trial:
    """One training with one set of values.

    Attributes:
        stages: The finished stages, up to the one named by `TunableStudy.tunes`, of this config.
        folder: For files; what an interrupted attempt left is still there.
        metric: What the trial's value measures, one of `TunableStudy.metrics`.
        folds: Train only so many folds.
        report: Takes an epoch, from 1, and the metric after it; raises `Pruned` to end the trial.
    """

    stages: Mapping[str, StageRecord]
    folder: Path
    metric: str
    folds: int
    report: Callable[[int, float], None]


@runtime_checkable
class TunableStudy(Protocol):
    """A study with a training objective.

    Attributes:
        tunes: The stage up to which a config is run before its trial.
        metrics: What a trial can be judged by, and what is better.
    """

    tunes: str
    metrics: Mapping[str, Direction]

    def trial(self, config: Any, trial: Trial) -> float:
        """Train with this config; gives the metric, which `trial.report` hears where known."""
