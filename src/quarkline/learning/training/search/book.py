"""The book of a search: draws the values of trials and keeps what became of them, by Optuna.

It is one file, which grows line by line. The values of a trial are a pure function of the seed, its
number and the trials before it, so a search that is killed and continued is the same search.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial
from optuna.trial import TrialState as OptunaState

from quarkline.engine.core.results import canonical_json
from quarkline.engine.core.rng import rng
from quarkline.learning.training.search.config import (
    Direction,
    HyperbandPruning,
    MedianPruning,
    NoPruning,
    TuneConfig,
    Values,
)
from quarkline.learning.training.search.result import TrialRow, TrialState, TuneResult
from quarkline.learning.training.search.trial import Pruned

JOURNAL = "journal.log"
REASON = "reason"
ENOUGH_FOR_IMPORTANCE = 10

STATES = {
    TrialState.COMPLETE: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
}


class Book:
    """The trials of one search, shared by processes.

    Attributes:
        config: The search.
        folder: Where its file is.
    """

    def __init__(
        self, config: TuneConfig, folder: Path, *, direction: Direction, seed: int
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.config = config
        self.direction: Direction = direction
        self.study = optuna.create_study(
            study_name="tune",
            storage=JournalStorage(JournalFileBackend(str(folder / JOURNAL))),
            sampler=_GridSampler(config) if config.grid else _KeyedSampler(seed),
            pruner=_pruner(config),
            direction=direction,
            load_if_exists=True,
        )

    def unfinished(self) -> list[int]:
        """The trials that a killed process had begun."""
        return [trial.number for trial in self._trials() if trial.state is OptunaState.RUNNING]

    def begin(self) -> int | None:
        """A new trial's number; None if there are enough."""
        if len(self._trials()) >= self.config.size:
            return None
        return self.study.ask().number

    def parameters(self, number: int) -> dict[str, Any]:
        """The values of a trial that has begun, drawn if they are not yet."""
        trial = self._trial(number)
        keys = self.config.keys.items()
        return {key: _draw(trial, key, values) for key, values in keys}

    def report(self, number: int, epoch: int, value: float) -> None:
        """Note the metric after an epoch.

        Raises:
            Pruned: If the trial is not worth going on with.
        """
        trial = self._trial(number)
        if epoch not in self._trials()[number].intermediate_values:  # else it is continued
            trial.report(value, epoch)
        if trial.should_prune():
            raise Pruned

    def end(self, number: int, state: TrialState, value: float | None, reason: str = "") -> None:
        """Note how a trial ended."""
        trial = self._trial(number)
        if reason:
            trial.set_user_attr(REASON, reason)
        complete = state is TrialState.COMPLETE
        self.study.tell(trial, value if complete else None, STATES[state])

    def result(self) -> TuneResult:
        """All trials that have ended."""
        ended = [trial for trial in self._trials() if trial.state in STATES.values()]
        complete = [trial for trial in ended if trial.state is OptunaState.COMPLETE]
        return TuneResult(
            metric=self.config.metric,
            direction=self.direction,
            logarithmic=tuple(key for key, values in self.config.keys.items() if values.log),
            trials=tuple(self._row(trial) for trial in ended),
            best=self.study.best_trial.number if complete else None,
            importance=self._importance() if len(complete) >= ENOUGH_FOR_IMPORTANCE else {},
        )

    def _importance(self) -> dict[str, float]:
        found = get_param_importances(self.study, evaluator=PedAnovaImportanceEvaluator())
        return {key: float(share) for key, share in found.items()}

    def _row(self, trial: FrozenTrial) -> TrialRow:
        state = next(ours for ours, theirs in STATES.items() if theirs is trial.state)
        keys = self.config.keys
        return TrialRow(
            number=trial.number,
            state=state,
            value=None if state is TrialState.FAILED else trial.value,
            epochs=len(trial.intermediate_values),
            parameters={
                key: _value(keys[key], drawn) for key, drawn in sorted(trial.params.items())
            },
            reason=trial.user_attrs.get(REASON, ""),
        )

    def _trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    def _trial(self, number: int) -> Trial:
        return Trial(self.study, self._trials()[number]._trial_id)  # noqa: SLF001  (Optuna names it nowhere else)


def mend(folder: Path) -> None:
    """Remove what a killed process left half done; nobody else may work in the folder."""
    path = folder / JOURNAL
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    if path.exists():
        content = path.read_bytes()
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)


class _KeyedSampler(BaseSampler):
    """Tree-structured Parzen estimators whose random numbers depend on trial and key alone.

    See J. Bergstra et al., Advances in Neural Information Processing Systems 24 (2011) 2546.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._sampler(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        sampler = self._sampler(trial, param_name)
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def _sampler(self, trial: FrozenTrial, *names: str) -> TPESampler:
        number = rng(self.seed, "tune", trial.number, *names).integers(2**32)
        return TPESampler(seed=int(number), multivariate=True, constant_liar=True)


class _GridSampler(BaseSampler):
    """Gives trial n the nth combination; the last key changes fastest."""

    def __init__(self, config: TuneConfig) -> None:
        texts = [[canonical_json(value) for value in values] for values in config.grid.values()]
        self.combinations = [
            dict(zip(config.grid, combination, strict=True))
            for combination in itertools.product(*texts)
        ]

    def infer_relative_search_space(self, *_: Any) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(self, *_: Any) -> dict[str, Any]:
        return {}

    def sample_independent(self, _: Study, trial: FrozenTrial, name: str, *__: Any) -> Any:
        return self.combinations[trial.number][name]


def _draw(trial: Trial, key: str, values: Values) -> Any:
    return _value(values, _suggest(trial, key, values))


def _suggest(trial: Trial, key: str, values: Values) -> Any:
    if values.choices:
        return trial.suggest_categorical(key, [canonical_json(item) for item in values.choices])
    low, high, step, log = values.low, values.high, values.step, values.log
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(key, low, high, step=int(step or 1), log=log)
    return trial.suggest_float(key, float(low or 0), float(high or 0), step=step, log=log)


def _value(values: Values, drawn: Any) -> Any:
    """The value behind what Optuna keeps, which of a choice is its JSON text."""
    return json.loads(drawn) if values.choices else drawn


def _pruner(config: TuneConfig) -> BasePruner:
    pruning = config.pruning or (NoPruning(kind="none") if config.grid else MedianPruning())
    if isinstance(pruning, MedianPruning):
        return MedianPruner(n_startup_trials=pruning.trials, n_warmup_steps=pruning.warm_up + 1)
    if isinstance(pruning, HyperbandPruning):
        return HyperbandPruner(min_resource=pruning.warm_up, reduction_factor=pruning.reduction)
    return NopPruner()
