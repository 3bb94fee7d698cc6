"""Stage `analyze`: chooses an epoch, and measures those worth a look on the test jets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.compute.outcome import Item
from quarkline.engine.workflow.stage import Context
from quarkline.learning.models.event_model import EventModel
from quarkline.studies.tagging.analyze.choose import Choice
from quarkline.studies.tagging.analyze.config import AnalyzeConfig
from quarkline.studies.tagging.analyze.history import TrainingHistory, choose_epoch
from quarkline.studies.tagging.analyze.measure import class_counts, control_counts, judged_epoch
from quarkline.studies.tagging.analyze.reasons import looked_at
from quarkline.studies.tagging.analyze.results import Judged, JudgedEpoch
from quarkline.studies.tagging.analyze.trainings import Training, trainings_in
from quarkline.studies.tagging.columns import Label
from quarkline.studies.tagging.features.choice import Split
from quarkline.studies.tagging.features.folder import ScaledJets
from quarkline.studies.tagging.train.kept import MODEL, epoch_model
from quarkline.studies.tagging.watch.config import WatchConfig
from quarkline.studies.tagging.watch.judged import JudgedJets, JudgedTagger, judged_tagger
from quarkline.studies.tagging.watch.quantities import WatchedJets

BATCH = 4096
OUTPUTS = ("choice", "judged", "tagger", "model")
"""What the stage puts out."""


class AnalyzeStageConfig(AnalyzeConfig):
    """What the analysis depends on.

    Attributes:
        watch: Bins of pT and permutations of the K-S tests.
        seed: Of the permutations.
    """

    watch: WatchConfig
    seed: int


def run(context: Context) -> dict[str, Any]:
    """One item a training; the chosen epoch's network becomes the model of the run."""
    from quarkline.learning.models.artifact import save_model

    config: AnalyzeStageConfig = context.config
    trainings = trainings_in(context.path("trainings"))
    histories = [training.history() for training in trainings]
    kept = {training.name: training.kept for training in trainings}
    choice = choose_epoch(histories, config, kept)
    own = [choose_epoch([history], config, kept) for history in histories]
    items = [
        _item(context, config, training, _reasons(history, training, choice, mine, config.best))
        for training, history, mine in zip(trainings, histories, own, strict=True)
    ]
    done = context.map("training", judge_training, items)
    parts = [Judged.from_json(item.value["judged"]) for item in done]
    (tagger,) = (item.value["tagger"] for item in done if item.value["tagger"])
    epochs = _chosen_first([one for part in parts for one in part.epochs], choice)
    judged = Judged(parts[0].jets, parts[0].control, epochs)
    by_name = {training.name: training for training in trainings}
    chosen = by_name[choice.chosen.training].model(choice.chosen.epoch)
    context.summary(f"epoch {judged.chosen.name}: {choice.why}")
    return {
        "choice": choice,
        "judged": judged,
        "tagger": JudgedTagger.from_json(tagger),
        "model": save_model(chosen, context.out / MODEL),
    }


CHOSEN, OWN = "chosen", "choice of its training"


def _reasons(
    history: TrainingHistory, training: Training, choice: Choice, own: Choice, best: int
) -> dict[int, list[str]]:
    """Epochs of a training that are measured, with the reasons: those whose weights were kept."""
    found = {
        history.epochs[place]: list(words)
        for place, words in looked_at(history.metrics, best).items()
        if history.epochs[place] in training.kept
    }
    found.setdefault(own.chosen.epoch, []).insert(0, OWN)
    if choice.chosen.training == training.name:
        found.setdefault(choice.chosen.epoch, []).insert(0, CHOSEN)
    return found


def _item(
    context: Context,
    config: AnalyzeStageConfig,
    training: Training,
    reasons: Mapping[int, Sequence[str]],
) -> Item:
    metrics = {epoch: training.history().at(epoch) for epoch in reasons}
    args = {
        "training": training.name,
        "epochs": [[epoch, list(words), metrics[epoch]] for epoch, words in reasons.items()],
        "config": config.model_dump(mode="json"),
    }
    inputs = context.files("main", "control") | {"training": training.folder}
    return Item(f"training {training.name}", args, inputs)


def judge_training(args: Mapping[str, Any], inputs: Mapping[str, Path], _: Path) -> Any:
    """Task: measure some epochs of a training on the test jets.

    Args:
        args: `training`, its name; `epochs`: number, reasons and quantities of each; `config` of
            the stage.
        inputs: Scaled jets `main` and `control`; the folder of the `training`.

    Returns:
        `judged`, the result of this training alone; `tagger`, all of the chosen epoch, if it is
        among them.
    """
    config = AnalyzeStageConfig.model_validate(args["config"])
    main, control = _test_jets(inputs["main"]), _test_jets(inputs["control"])
    epochs, chosen = [], None
    counts: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for number, reasons, metrics in args["epochs"]:
        model = epoch_model(inputs["training"], number)
        scored = _judged_jets(model, *main)
        region = _judged_jets(model, *control, data=True) if len(control[1]) else None
        tagger = judged_tagger(scored, region, config.watch, seed=config.seed)
        known = {name: np.nan if value is None else value for name, value in metrics.items()}
        epochs.append(
            judged_epoch(
                args["training"], number, scored, tagger, config, reasons=reasons, metrics=known
            )
        )
        if CHOSEN in reasons:
            chosen = tagger
        counts = class_counts(scored), control_counts(region)
    return {"judged": Judged(*counts, tuple(epochs)), "tagger": chosen}


def _test_jets(folder: Path) -> tuple[ScaledJets, NDArray[np.int64]]:
    held = ScaledJets.load(folder)
    return held, held.rows(Split.TEST)


def _judged_jets(
    model: EventModel, held: ScaledJets, rows: NDArray[np.int64], *, data: bool = False
) -> JudgedJets:
    """Test jets with a network's outputs; of a control region data have label 1."""
    jets, label = held.jets, np.asarray(held.jets.label[rows])
    known = WatchedJets(
        (label == Label.BIB).astype(np.int8) if data else label,
        np.asarray(jets.weight[rows]),
        np.asarray(held.momenta[rows], np.float64),
    )
    return JudgedJets(scores_of(model, held, rows), known, np.asarray(jets.mass[rows]))


def scores_of(model: EventModel, held: ScaledJets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Outputs of a network for jets that are scaled already, with shape (N, classes).

    Args:
        model: The network.
        held: The jets.
        rows: Which of them, with shape (N,).
    """
    import torch

    from quarkline.learning.models.networks import Network
    from quarkline.studies.tagging.rows import JetRows

    if not isinstance(model.predictor, Network):
        msg = f"a tagger is a network, not {type(model.predictor)}"
        raise TypeError(msg)
    module = model.predictor.module
    source = JetRows(held.jets, rows, np.zeros(len(rows), np.int64), np.ones(len(rows), np.float32))
    parts = [np.zeros((0, len(model.classes)), np.float32)]
    with torch.inference_mode():
        for indices in torch.split(torch.arange(len(rows)), BATCH):
            *inputs, _, _ = source.take(indices)
            parts.append(torch.softmax(module(*inputs), dim=1).numpy())
    return np.concatenate(parts)


def _chosen_first(epochs: Sequence[JudgedEpoch], choice: Choice) -> tuple[JudgedEpoch, ...]:
    chosen = (choice.chosen.training, choice.chosen.epoch)
    return tuple(sorted(epochs, key=lambda one: (one.training, one.epoch) != chosen))
