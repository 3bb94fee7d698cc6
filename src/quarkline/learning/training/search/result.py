"""What a search for hyper-parameters found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from quarkline.engine.core.results import Result


class TrialState(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


@dataclass(frozen=True)
class TrialRow:
    """One trial.

    Attributes:
        number: From 0.
        state: How it ended.
        value: The metric; of a pruned trial the last reported, None if it failed.
        epochs: Number of epochs it reported.
        parameters: Value of each key.
        reason: Why it failed, else empty.
    """

    number: int
    state: TrialState
    value: float | None
    epochs: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class TuneResult(Result, kind="hyper-parameter-search"):
    """All trials of a search.

    Attributes:
        metric: What was compared.
        direction: `maximize` or `minimize`.
        logarithmic: Keys whose range is logarithmic.
        trials: The finished trials by number.
        best: Number of the best complete trial; None if there is none.
        importance: Share of each key in the metric's variation (PED-ANOVA, S. Watanabe et al.,
            arXiv:2304.10255); empty while fewer than ten trials are complete.
    """

    metric: str
    direction: str
    logarithmic: tuple[str, ...]
    trials: tuple[TrialRow, ...]
    best: int | None
    importance: Mapping[str, float]

    @property
    def best_trial(self) -> TrialRow | None:
        """The best complete trial."""
        return next((trial for trial in self.trials if trial.number == self.best), None)

    def count(self, state: TrialState) -> int:
        """Number of trials that ended so."""
        return sum(trial.state is state for trial in self.trials)
