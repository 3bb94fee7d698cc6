"""What the scores of a search are worth: from scored rows to result values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.config import Config
from quarkline.engine.core.results import Result
from quarkline.learning.features.arrays import MISSING, FeatureArrays
from quarkline.learning.features.spec import FeatureSpec
from quarkline.statistics.evaluation import (
    Agreement,
    Bootstrap,
    FeatureCorrelation,
    HistStack,
    Overtraining,
    ScoredEvents,
    ScoreShifts,
    VariedEvents,
    WeightedSample,
    binned_significance,
    calibration,
    confusion_matrix,
    feature_agreement,
    feature_correlation,
    hist_stack,
    overtraining,
    roc_curves,
    score_shifts,
    scored_events,
    significance_scan,
)
from quarkline.statistics.evaluation.thresholds import SignificanceScan
from quarkline.studies.search.config import EvaluateConfig
from quarkline.studies.search.scores import Scored

Floats = NDArray[np.float64]

SIGNAL, BACKGROUND = "signal", "background"
REST = "rest"
SCORE_EDGES = np.linspace(0.0, 1.0, 21)
MERIT = "Asimov"


class JudgedConfig(Config):
    """What the evaluation depends on, besides the scores.

    Attributes:
        classes: Names of the classes, as the config has them.
        signal: Name of the signal.
        roles: Role of each sample, in the order of the catalog.
        titles: Name of each sample in figures.
        weights: Which weights of events enter the loss.
        balance: How the classes are balanced in the loss.
        evaluate: What is evaluated.
        seed: Of the analysis.
    """

    classes: list[str]
    signal: str
    roles: dict[str, str]
    titles: dict[str, str]
    weights: str
    balance: str
    evaluate: EvaluateConfig
    seed: int


@dataclass(frozen=True)
class Judge:
    """Everything that is evaluated.

    Attributes:
        config: The settings.
        classes: Classes of the model: those of the config, or the signal and the rest.
        nominal: Scored rows by sample.
        shifted: Scored rows by shift, then by sample.
    """

    config: JudgedConfig
    classes: tuple[str, ...]
    nominal: Mapping[str, Scored]
    shifted: Mapping[str, Mapping[str, Scored]]

    @property
    def bootstrap(self) -> Bootstrap:
        """How errors are found."""
        return Bootstrap(self.config.evaluate.replicas, self.config.seed)

    @property
    def signal(self) -> int:
        """Number of the signal among the model's classes."""
        return self.classes.index(self.config.signal)

    @cached_property
    def labelled(self) -> Scored:
        """Rows that belong to a class, in the order of the catalog."""
        return Scored.concatenated(
            [part for part in self.nominal.values() if len(part) and part.rows.label[0] >= 0]
        )

    @cached_property
    def events(self) -> ScoredEvents:
        """The labelled rows with the model's classes."""
        return self._scored(self.labelled, self.labelled.scores)

    def _scored(self, rows: Scored, scores: Floats) -> ScoredEvents:
        return scored_events(
            scores,
            self.labels(rows),
            classes=self.classes,
            signal=self.config.signal,
            weight=rows.rows.weight,
            group=rows.rows.group,
        )

    def labels(self, rows: Scored) -> NDArray[np.int64]:
        """Numbers of the rows' classes among those of the model."""
        rest = self.classes.index(REST) if REST in self.classes else -1
        known = [
            self.classes.index(name) if name in self.classes else rest
            for name in self.config.classes
        ]
        return np.array(known, dtype=np.int64)[rows.rows.label]

    def expected(
        self, samples: Mapping[str, Scored], weight: str | None = None
    ) -> tuple[ScoredEvents, NDArray[np.uint64]]:
        """Signal and all background that is expected, with the rows' numbers.

        Args:
            samples: Scored rows by sample.
            weight: Variation of the weight; None for the nominal one.
        """
        number = self.config.classes.index(self.config.signal)
        parts = [part for name, part in samples.items() if self._counts(name, part)]
        rows = Scored.concatenated(parts)
        score = rows.scores[:, self.signal]
        weights = rows.rows.weights.get(weight or "", rows.rows.weight)
        events = scored_events(
            np.stack([score, 1 - score], axis=1),
            (rows.rows.label != number).astype(np.int64),
            classes=(SIGNAL, BACKGROUND),
            weight=weights,
            group=rows.rows.group,
        )
        return events, rows.row

    def _counts(self, name: str, part: Scored) -> bool:
        """Whether a sample is a part of what is expected: signals that are no class are not."""
        role = self.config.roles[name]
        labelled = bool(len(part)) and part.rows.label[0] >= 0
        return bool(len(part)) and (labelled or role == BACKGROUND)

    def results(self) -> dict[str, Result]:
        """Curves, matrices, significances, calibration, and what systematics do."""
        evaluate = self.config.evaluate
        expected, _ = self.expected(self.nominal)
        scan = significance_scan(
            expected,
            relative_error=evaluate.background_error,
            min_background=evaluate.min_background,
            bootstrap=self.bootstrap,
        )
        return {
            "roc": roc_curves(self.events, bootstrap=self.bootstrap),
            "scan": scan,
            "binned": binned_significance(
                expected,
                least=evaluate.min_background,
                relative_error=evaluate.background_error,
                bootstrap=self.bootstrap,
            ),
            "confusion": confusion_matrix(self.events, bootstrap=self.bootstrap),
            "confusion_binary": confusion_matrix(
                self.events, threshold=_best(scan), binary=True, bootstrap=self.bootstrap
            ),
            "calibration": calibration(self._as_trained(), bootstrap=self.bootstrap),
            "overtraining": self._overtraining(),
            "stack": self._stack(),
            "systematics": self._systematics(),
        }

    def _as_trained(self) -> ScoredEvents:
        """The labelled events, weighted and balanced as they were in the loss."""
        events, config = self.events, self.config
        own = {"none": np.ones(len(events)), "absolute": np.abs(events.weight)}
        weight = own.get(config.weights, events.weight)
        totals = np.bincount(events.label, weights=weight, minlength=len(self.classes))
        totals = np.where(totals > 0, totals, 1.0)
        share = {"none": totals, "classes": np.ones(len(totals))}.get(config.balance)
        if share is None:
            share = totals / np.delete(totals, self.signal).sum()
            share[self.signal] = 1.0
        factor = (share / totals)[events.label] * len(events) / share.sum()
        return scored_events(
            events.score,
            events.label,
            classes=self.classes,
            signal=config.signal,
            weight=weight * factor,
            group=events.group,
        )

    def _overtraining(self) -> Overtraining:
        seen = self.labelled.seen
        if seen is None:
            msg = "the labelled rows were not scored by models that have seen them"
            raise ValueError(msg)
        return overtraining(
            self._scored(self.labelled, seen), self.events, bootstrap=self.bootstrap
        )

    def _stack(self) -> HistStack:
        score = {name: part.scores[:, self.signal] for name, part in self.nominal.items()}
        samples = {
            self.config.titles[name]: WeightedSample(score[name], part.rows.weight, part.rows.group)
            for name, part in self.stacked
        }
        data = [score[name] for name in self.data]
        return hist_stack(
            f"Score ({self.config.signal})",
            samples,
            SCORE_EDGES,
            signal=self.signal_titles,
            data=WeightedSample(np.concatenate(data)) if data else None,
        )

    @property
    def data(self) -> list[str]:
        """The samples of data."""
        return [name for name in self.nominal if self.config.roles[name] == "data"]

    @property
    def stacked(self) -> Iterator[tuple[str, Scored]]:
        """Simulated samples by yield, the smallest first, signals last."""
        chosen = [(name, part) for name, part in self.nominal.items() if self._counts(name, part)]

        def order(item: tuple[str, Scored]) -> tuple[bool, float]:
            return self._is_signal(item[1]), float(item[1].rows.weight.sum())

        return iter(sorted(chosen, key=order))

    def _is_signal(self, part: Scored) -> bool:
        return bool(part.rows.label[0] == self.config.classes.index(self.config.signal))

    @property
    def signal_titles(self) -> list[str]:
        """What the samples of the signal are called in figures."""
        return [self.config.titles[name] for name, part in self.stacked if self._is_signal(part)]

    def _systematics(self) -> ScoreShifts:
        """Weights, and shifted events; a sample that a shift leaves alone stays as it is."""
        nominal, row = self.expected(self.nominal)
        weights = dict.fromkeys(
            name for part in self.nominal.values() for name in part.rows.weights
        )
        varied = [
            VariedEvents(*_side(name), self.expected(self.nominal, name)[0], row)
            for name in weights
        ]
        for name, samples in self.shifted.items():
            events, rows = self.expected({**self.nominal, **samples})
            varied.append(VariedEvents(*_side(name), events, rows))
        return score_shifts(nominal, row, varied, bootstrap=self.bootstrap)


def _best(scan: SignificanceScan) -> float | None:
    value = scan.merit(MERIT).best.threshold.value
    return value if np.isfinite(value) else None


def _side(name: str) -> tuple[str, str]:
    """The systematic and its side, from the name of both."""
    systematic, _, side = name.rpartition("_")
    return systematic, side


def agreement(
    judge: Judge, arrays: Mapping[str, FeatureArrays], spec: FeatureSpec
) -> Agreement | None:
    """Data and simulation in every input; None without data.

    Args:
        judge: The scored rows.
        arrays: Their features, by sample.
        spec: Names of the features.
    """
    if not judge.data:
        return None
    data = [_inputs(spec, arrays[name], None) for name in judge.data]
    samples = {
        judge.config.titles[name]: _inputs(spec, arrays[name], part) for name, part in judge.stacked
    }
    joined = {
        name: WeightedSample(np.concatenate([np.asarray(part[name].values) for part in data]))
        for name in data[0]
    }
    return feature_agreement(joined, samples, signal=judge.signal_titles)


def _inputs(
    spec: FeatureSpec, arrays: FeatureArrays, part: Scored | None
) -> dict[str, WeightedSample]:
    """Every feature as a weighted sample; features of objects have a value an object."""
    weight = np.ones(len(arrays)) if part is None else part.rows.weight
    group = np.arange(len(arrays)) if part is None else part.rows.group
    found = {
        name: WeightedSample(values, weight, group) for name, values in flat_features(spec, arrays)
    }
    for objects in spec.objects:
        held = arrays.objects[objects.name]
        times = held.present.sum(axis=1)
        for number, feature in enumerate(objects.features):
            found[feature.name] = WeightedSample(
                held.values[held.present][:, number],
                np.repeat(weight, times),
                np.repeat(group, times),
            )
    return found


def flat_features(
    spec: FeatureSpec, arrays: FeatureArrays
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Names and values of the features of events, NaN where missing."""
    for feature, values in zip(spec.continuous, arrays.continuous.T, strict=True):
        yield feature.name, values.astype(np.float64)
    for feature, codes in zip(spec.categorical, arrays.categorical.T, strict=True):
        yield feature.name, np.where(codes == MISSING, np.nan, codes.astype(np.float64))


def correlations(
    judge: Judge, arrays: FeatureArrays, spec: FeatureSpec
) -> tuple[FeatureCorrelation, FeatureCorrelation]:
    """Of the features of events, in signal and in background.

    Args:
        judge: The scored rows.
        arrays: Features of the labelled rows.
        spec: Names of the features.
    """
    names, columns = zip(*flat_features(spec, arrays), strict=True)
    values, events = np.stack(columns, axis=1), judge.events
    signal, background = (
        feature_correlation(
            title,
            names,
            values[chosen],
            events.signal_score[chosen],
            weight=events.weight[chosen],
        )
        for title, chosen in ((SIGNAL, events.is_signal), (BACKGROUND, ~events.is_signal))
    )
    return signal, background


def titles_of(samples: Sequence[str], titles: Mapping[str, str]) -> dict[str, str]:
    """Names of samples in figures; equal ones get the sample's name, so that none is lost."""
    found = {name: titles.get(name) or name for name in samples}
    twice = {title for title in found.values() if list(found.values()).count(title) > 1}
    return {name: name if title in twice else title for name, title in found.items()}
