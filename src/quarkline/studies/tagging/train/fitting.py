"""Fits the network of one seed, with its adversary, and keeps what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quarkline.engine.core.rng import library_seed
from quarkline.learning.adversary.config import Adversarial, NoAdversary
from quarkline.learning.adversary.network import DecorrelatedNetwork, new_adversary
from quarkline.learning.adversary.task import CONTROL, Decorrelation
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.models.artifact import save_model
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.networks import Network, build_network
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import FitResult, fit
from quarkline.learning.training.rows import MAIN, Given
from quarkline.studies.tagging.features.folder import read_preprocess
from quarkline.studies.tagging.rows import JetRows
from quarkline.studies.tagging.train.config import TrainConfig
from quarkline.studies.tagging.train.data import TrainedJets, mirrored, read_control, read_main
from quarkline.studies.tagging.train.kept import MODEL, KeptWeights, kept_epochs, write_weights
from quarkline.studies.tagging.upstream import CLASSES, examples
from quarkline.studies.tagging.watch.config import WatchConfig
from quarkline.studies.tagging.watch.watcher import (
    Watcher,
    control_agreement,
    history_quantities,
)

if TYPE_CHECKING:
    from quarkline.studies.tagging.train.run import TrainStageConfig

MIRRORED = "mirrored"
"""The stream of the control region that upstream's classifier step reads."""
IN_MEMORY = 1 << 29
"""Most bytes of padded jets that are kept in memory."""
SCORES = len(CLASSES)
Outputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class TaggerData:
    """Jets of a training.

    Attributes:
        main: Jets of known classes.
        control: The control region; None without one.
        preprocess: How they are scaled, which travels with the network.
    """

    main: TrainedJets
    control: TrainedJets | None
    preprocess: Preprocess

    @classmethod
    def read(cls, inputs: Mapping[str, Path], config: TrainConfig) -> TaggerData:
        """The folders `main` and `control`, if there is one, and the file `preprocess`."""
        control = read_control(inputs["control"], config) if "control" in inputs else None
        return cls(
            read_main(inputs["main"], config), control, read_preprocess(inputs["preprocess"])
        )

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Jets trained on and held out, by set."""
        found = {"main": self.main.counts}
        return found | ({"control": self.control.counts} if self.control else {})

    def training(self, config: TrainConfig) -> dict[str, Given]:
        """The streams of the training; upstream's classifier step reads its control region."""
        found = {MAIN: _near(self.main, self.main.train)}
        if self.control is None or isinstance(config.adversary, NoAdversary):
            return found
        found[CONTROL] = _near(self.control, self.control.train)
        if config.compatibility == "upstream":
            there = mirrored(len(self.control.train), len(self.main.train))
            found[MIRRORED] = _near(self.control, self.control.train[there])
        return found

    def validation(self) -> dict[str, Given]:
        """The streams of the jets held out."""
        found = {MAIN: _near(self.main, self.main.held_out)}
        if self.control is not None:
            found[CONTROL] = _near(self.control, self.control.held_out)
        return found


def fit_tagger(
    config: TrainStageConfig, number: int, inputs: Mapping[str, Path], folder: Path
) -> dict[str, Any]:
    """Train the network of one seed, and keep what the config asks for.

    Args:
        config: What is trained, how, and what is kept.
        number: Of the seed, from 0.
        inputs: As `train_seed` takes them.
        folder: Of the training.

    Returns:
        The attributes of `TaggerTraining`, and `parameters`.
    """
    data = TaggerData.read(inputs, config)
    seed = library_seed(config.seed, "train", number)
    network = new_network(config, data.preprocess, seed=seed)
    watches = Watches(
        (
            watcher_of(data, config.watch, folder=folder, seed=seed),
            KeptWeights(folder, every=config.epoch_weights == "all", ks_limit=config.ks_limit),
        )
    )
    result = fit(
        network,
        data.training(config),
        data.validation(),
        fit_config(config),
        task=task_of(config, network, data),
        seed=seed,
        folder=folder,
        devices=1,  # the adversary's steps are not shared by several
        watch=watches,
        start=inputs.get("start"),
        keep_state=True,
    )
    best = result.history.best
    write_weights(folder, best, network.classifier)
    save_model(_model(config, data.preprocess, network), folder / MODEL)
    return {
        "seed": number,
        "best": best,
        "kept": kept_epochs(folder),
        "metrics": _by_metric(result),
        "jets": data.counts,
        "parameters": sum(one.numel() for one in network.classifier.parameters()),
    }


def fit_config(config: TrainConfig) -> FitConfig:
    """How it is fitted: upstream's batches are pieces of the jets in their order."""
    if config.compatibility == "none":
        return config.fit
    return config.fit.model_copy(update={"pieces": config.num_splits, "shuffle": False})


def new_network(config: TrainConfig, preprocess: Preprocess, *, seed: int) -> DecorrelatedNetwork:
    """A classifier, and its adversary if the way has one, with weights drawn from a seed."""
    classifier = build_network(cast("Any", config.model), preprocess.geometry, SCORES, seed=seed)
    way = config.adversary
    judge = isinstance(way, Adversarial) and new_adversary(SCORES, way.layers, seed=seed)
    return DecorrelatedNetwork(classifier, judge or None)


def task_of(
    config: TrainStageConfig, network: DecorrelatedNetwork, data: TaggerData
) -> Decorrelation:
    """What is learned, with the quantities of the history as metrics."""
    upstream = config.compatibility == "upstream"
    control = None if data.control is None else data.control.watched
    watched = data.main.watched

    def measured(outputs: Mapping[str, Tensor]) -> dict[str, float]:
        told = {name: value.numpy() for name, value in outputs.items()}
        found = history_quantities(told, watched, control, config.watch)
        if control is not None:
            quick = config.watch.model_copy(update={"permutations": 0})
            scores = told[CONTROL][:, :SCORES]
            worst = control_agreement(scores, control, quick, seed=1).worst.value
            found["ks_worst"] = worst
        return found

    return Decorrelation(
        adversary=config.adversary,
        inputs=_inputs(data.preprocess),
        epoch_rows=len(data.main.train),
        against=MIRRORED if upstream else CONTROL,
        penalty=config.penalty,
        penalised=penalised(network.classifier),
        measured=measured,
    )


def watcher_of(data: TaggerData, config: WatchConfig, *, folder: Path, seed: int) -> Watcher:
    """What keeps a record of each epoch."""
    control = None if data.control is None else data.control.watched
    return Watcher(folder, data.main.watched, control, config, library_seed(seed, "watch"))


def penalised(classifier: nn.Module) -> tuple[str, ...]:
    """Names of the weights that upstream's penalty is on: those of layers that see inputs.

    Neither what LSTMs tell themselves, nor the last layer, nor constants.
    """
    return tuple(
        name
        for name, weight in classifier.named_parameters()
        if weight.ndim > 1 and "read_out" not in name and not name.endswith("recurrent")
    )


@dataclass(frozen=True)
class Watches:
    """Several that watch a training, in their order."""

    each: Sequence[Any]

    def epoch(
        self, number: int, module: nn.Module, outputs: Outputs, metrics: Mapping[str, float]
    ) -> None:
        """Tell all of them; their epochs count from 0."""
        for one in self.each:
            one.epoch(number - 1, module, outputs, metrics)


def _near(jets: TrainedJets, chosen: NDArray[np.int64]) -> Given:
    """Rows in memory if they fit there, which saves their padding in every epoch."""
    rows = jets.rows(chosen)
    if len(rows) and len(rows) * _bytes(rows) <= IN_MEMORY:
        return rows.take(torch.arange(len(rows)))
    return rows


def _bytes(rows: JetRows) -> int:
    """Bytes of one row."""
    return sum(one.nbytes for one in rows.take(torch.arange(1)))


def _inputs(preprocess: Preprocess) -> int:
    """How many tensors a network takes."""
    return 3 + 2 * len(preprocess.spec.objects)


def _model(config: TrainConfig, preprocess: Preprocess, network: DecorrelatedNetwork) -> EventModel:
    """The classifier alone, with the scales that belong to it."""
    predictor = Network(network.classifier.eval())
    return EventModel(cast("Any", config.model), CLASSES, preprocess, predictor, examples())


def _by_metric(result: FitResult) -> dict[str, list[float]]:
    epochs = result.history.epochs
    return {name: [epoch[name] for epoch in epochs] for name in (epochs[0] if epochs else ())}
