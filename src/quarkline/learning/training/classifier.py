"""Trains classifiers of events: networks, in one or two phases, and boosted trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quarkline.engine.core.rng import library_seed, uniform_per_row
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.spec import FeatureSpec
from quarkline.learning.models.boosted import BoostedTrees, fit_trees
from quarkline.learning.models.config import ModelConfig, NetworkConfig, TreesConfig
from quarkline.learning.models.event_model import EventModel, Predictor
from quarkline.learning.models.networks import Network, build_network
from quarkline.learning.training.class_weights import loss_weights
from quarkline.learning.training.classification import Classification
from quarkline.learning.training.config import TrainingConfig
from quarkline.learning.training.epochs import Report
from quarkline.learning.training.fit import FitResult, fit
from quarkline.learning.training.history import METRICS, History, write_metrics
from quarkline.learning.training.schedules import Constant
from quarkline.learning.training.state import CHECKPOINT
from quarkline.learning.training.warm_start import WarmStart, preprocess_from, warm_up_from

SECOND_PHASE = "second-phase"
"""Folder of the second phase's `metrics.csv` below the first one's."""
REST = "rest"
"""Name of all classes but the signal after a second phase."""
EXAMPLES = 64
"""Events whose probabilities a loaded model must reproduce."""


@dataclass(frozen=True)
class ClassifierData:
    """N events of known classes.

    Attributes:
        arrays: Physical values of the features.
        label: Class of each event, as a place in `classes`, with shape (N,).
        weight: The events' own weights, which may be negative, with shape (N,).
        validation: Which events are held out to pick the best epoch, with shape (N,).
        classes: Names of the classes.
        signal: The one that is looked for.
        spec: The features.
    """

    arrays: FeatureArrays
    label: NDArray[np.int64]
    weight: NDArray[np.float64]
    validation: NDArray[np.bool_]
    classes: tuple[str, ...]
    signal: str
    spec: FeatureSpec

    @property
    def examples(self) -> FeatureArrays:
        """Some held-out events, evenly spaced."""
        rows = np.flatnonzero(self.validation)
        return self.arrays[rows[:: -(-len(rows) // EXAMPLES)]]


def held_out(group: NDArray[np.uint64], share: float, *, seed: int) -> NDArray[np.bool_]:
    """Which events of a training are held out: whole groups, a pure function of group and seed.

    Args:
        group: Group of each event, with shape (N,).
        share: Share of the groups.
        seed: Seed of the training.
    """
    return uniform_per_row(seed, "validation", group) < share


def train_classifier(
    model: ModelConfig,
    training: TrainingConfig,
    data: ClassifierData,
    *,
    seed: int,
    folder: Path,
    report: Report | None = None,
    warm_start: WarmStart | None = None,
    devices: int | None = None,
) -> tuple[EventModel, FitResult]:
    """Train one classifier; killed at any moment and called again, it gives the same bytes.

    Boosted trees train from the start again, networks go on.

    Args:
        model: Kind and shape of the classifier.
        training: How it is trained; of it, trees take `weights` and `balance`.
        data: The events.
        seed: Seed of weights, batches and dropout.
        folder: Where `metrics.csv` grows and states are kept.
        report: Told of every epoch's metrics; what it raises ends the training.
        warm_start: Weights that a network starts from; its scales and codes are taken over.
        devices: GPUs, or processes on a computer without, that share each batch of a network; by
            default as many as `compute.devices` gives.

    Returns:
        The classifier with the weights of the best epoch, and the metrics. After a second phase
        it has two classes, the signal and the rest.

    Raises:
        InputError: If the events or their weights cannot be learned from.
        WorkError: If a loss is not finite, or no learning rate is found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weight = loss_weights(
        data.label,
        data.weight,
        data.validation,
        classes=data.classes,
        signal=data.signal,
        config=training,
    )
    given = warm_start and preprocess_from(warm_start, data.spec)
    preprocess = given or Preprocess.fit(data.spec, data.arrays[~data.validation])
    if isinstance(model, TreesConfig):
        return _train_trees(model, data, preprocess, weight, seed, folder, report)
    job = _NetworkTraining(model, training, data, preprocess, weight, seed, devices)
    return job.run(folder, report, warm_start)


def _train_trees(
    model: TreesConfig,
    data: ClassifierData,
    preprocess: Preprocess,
    weight: NDArray[np.float64],
    seed: int,
    folder: Path,
    report: Report | None,
) -> tuple[EventModel, FitResult]:
    history = History()

    def told(round_: int, losses: Mapping[str, float]) -> None:
        history.epochs.append({**losses, "learning_rate": model.learning_rate})
        write_metrics(folder / METRICS, history)
        if report:
            report(round_ + 1, history.epochs[-1])

    fitted = fit_trees(
        model,
        preprocess.matrix(data.arrays),
        data.label,
        weight,
        data.validation,
        classes=len(data.classes),
        categories=preprocess.matrix_categories,
        seed=library_seed(seed, "trees"),
        report=told,
    )
    trees: Predictor = BoostedTrees(fitted.text)
    made = EventModel(model, data.classes, preprocess, trees, data.examples)
    return made, FitResult(history)


@dataclass(frozen=True)
class _NetworkTraining:
    """What both phases of a network's training share."""

    model: NetworkConfig
    training: TrainingConfig
    data: ClassifierData
    preprocess: Preprocess
    weight: NDArray[np.float64]
    seed: int
    devices: int | None

    def run(
        self, folder: Path, report: Report | None, warm_start: WarmStart | None
    ) -> tuple[EventModel, FitResult]:
        classes = self.data.classes
        module = build_network(self.model, self.preprocess.geometry, len(classes), seed=self.seed)
        warmed = None if warm_start is None else warm_up_from(module, warm_start)
        result = self._fit(module, self.training, folder, report, binary=False)
        result = replace(result, warm_start=warmed)
        if self.training.second_phase:
            result = replace(result, second_phase=self._second(module, result, folder, report))
            module, classes = self._of_two_classes(module), self._two_classes
        (folder / CHECKPOINT).unlink(missing_ok=True)
        made = Network(module)
        config = cast("ModelConfig", self.model)
        trained = EventModel(config, classes, self.preprocess, made, self.data.examples)
        return trained, result

    def _fit(
        self,
        module: nn.Module,
        config: TrainingConfig,
        folder: Path,
        report: Report | None,
        *,
        binary: bool,
    ) -> FitResult:
        inputs = self.preprocess.tensors(self.data.arrays)
        task = Classification(
            self.data.classes, self._signal, len(inputs), config.batch_size, binary=binary
        )
        own = torch.from_numpy(np.asarray(self.data.weight, dtype=np.float64))
        rows = [
            *inputs,
            torch.from_numpy(self.data.label),
            torch.from_numpy(self.weight.astype(np.float32)),
        ]
        out = torch.from_numpy(self.data.validation)
        return fit(
            module,
            [tensor[~out] for tensor in rows],
            [tensor[out] for tensor in (*rows, own)],
            config,
            task=task,
            seed=library_seed(self.seed, "second-phase" if binary else "fit"),
            folder=folder,
            devices=self.devices,
            report=report,
            keep_state=True,
        )

    def _second(
        self, module: nn.Module, first: FitResult, folder: Path, report: Report | None
    ) -> FitResult:
        """Train on: the signal's logit against all other classes, without a schedule."""
        assert self.training.second_phase is not None  # noqa: S101
        changes = {
            "epochs": self.training.second_phase.epochs,
            "learning_rate": self.training.second_phase.learning_rate,
            "schedule": Constant(),
            "warm_up": 0.0,
        }
        config = self.training.model_copy(update=changes)
        before = len(first.history)

        def told(epoch: int, metrics: Mapping[str, float]) -> None:
            assert report is not None  # noqa: S101
            report(before + epoch, metrics)

        result = self._fit(module, config, folder / SECOND_PHASE, report and told, binary=True)
        (folder / SECOND_PHASE / CHECKPOINT).unlink(missing_ok=True)
        return result

    @property
    def _signal(self) -> int:
        return self.data.classes.index(self.data.signal)

    @property
    def _two_classes(self) -> tuple[str, str]:
        others = [name for name in self.data.classes if name != self.data.signal]
        return self.data.signal, others[0] if len(others) == 1 else REST

    def _of_two_classes(self, module: nn.Module) -> nn.Module:
        """The network whose two logits are the signal's and 0, so that softmax is its sigmoid."""
        geometry, classes = self.preprocess.geometry, len(self.data.classes)
        two, more = (
            build_network(self.model, geometry, count, seed=0) for count in (2, classes + 1)
        )
        trained, other = module.state_dict(), more.state_dict()
        weights = {
            name: value if value.shape == other[name].shape else _against_zero(value, self._signal)
            for name, value in trained.items()
        }
        two.load_state_dict(weights)
        return two.eval()


def _against_zero(weights: Tensor, row: int) -> Tensor:
    """One row of a last layer, and a row of zeros."""
    return torch.stack([weights[row], torch.zeros_like(weights[row])])
