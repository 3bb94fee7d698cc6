"""Stage `train`: a classifier for each fold, which has not seen the fold's events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.rng import library_seed
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.keys import content_key
from quarkline.engine.workflow.stage import Context
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.spec import FeatureSpec
from quarkline.learning.models.config import ModelConfig
from quarkline.learning.training.config import TrainingConfig
from quarkline.learning.training.scan import LearningRateScan
from quarkline.studies.search.features import read_arrays
from quarkline.studies.search.results import FoldTraining, Training
from quarkline.studies.search.tables import Rows, read_rows, table_name

if TYPE_CHECKING:
    from quarkline.learning.training.classifier import ClassifierData

MODEL = "model"


class TrainStageConfig(Config):
    """What the models depend on.

    Attributes:
        spec: The features, as JSON values.
        samples: Samples that are trained on, class by class.
        classes: Names of the classes.
        signal: Name of the signal.
        model: The model.
        fit: How it is trained.
        group: Columns of what folds do not separate.
        identity: Columns that identify an event.
        folds: Number of folds.
        members: Models of each fold.
        seed: Of the analysis.
    """

    spec: dict[str, Any]
    samples: list[str]
    classes: list[str]
    signal: str
    model: ModelConfig
    fit: TrainingConfig
    group: list[str]
    identity: list[str]
    folds: int
    members: int
    seed: int


def run(context: Context) -> dict[str, Any]:
    """One item a fold and member; together they are one model."""
    from quarkline.learning.models.artifact import load_model, save_model
    from quarkline.learning.models.event_model import EventModel
    from quarkline.learning.models.folded import FoldedModel

    config: TrainStageConfig = context.config
    items = [
        fold_item(context, config, fold, member)
        for fold in range(config.folds)
        for member in range(config.members)
    ]
    done = context.map("fold", train_fold, items)
    models = [load_model(item.folder / MODEL, EventModel) for item in done]
    size = config.members
    folded = FoldedModel(
        members=tuple(tuple(models[i : i + size]) for i in range(0, len(models), size)),
        group=tuple(config.group),
        identity=tuple(config.identity),
        seed=config.seed,
        training_key=_training_key(items[0].inputs),
    )
    model = save_model(folded, context.out / MODEL)
    training = Training(
        model=config.model.kind,
        classes=tuple(config.classes),
        folds=tuple(_fold(item) for item in done),
    )
    context.summary(_summary(training))
    return {"model": model, "training": training}


def fold_item(context: Context, config: TrainStageConfig, fold: int, member: int) -> Item:
    """The training of one member of a fold."""
    args = config.model_dump(mode="json", exclude={"folds", "members", "group", "identity"})
    inputs = {}
    for name in config.samples:
        inputs[f"events {name}"] = context.path("events") / table_name(name)
        inputs[f"arrays {name}"] = context.path("arrays") / table_name(name, ".npz")
    label = f"fold {fold + 1} of {config.folds}"
    label += f" member {member + 1}" if config.members > 1 else ""
    return Item(label, args | {"fold": fold, "member": member}, inputs)


def train_fold(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: train one model on all folds but one, with some groups held out to stop in time.

    Args:
        args: The keys of `TrainStageConfig` but `folds`, `members`, `group` and `identity`;
            `fold` and `member`.
        inputs: Table and arrays of each sample, as `events NAME` and `arrays NAME`.
        folder: Takes `metrics.csv` and the model.

    Returns:
        Fold, member, number of events trained on and held out, metrics and learning-rate scan.
    """
    from quarkline.learning.models.artifact import save_model
    from quarkline.learning.training.classifier import train_classifier

    data = fold_data(args, inputs)
    model, result = train_classifier(
        TypeAdapter(ModelConfig).validate_python(args["model"]),
        TrainingConfig.model_validate(args["fit"]),
        data,
        seed=library_seed(args["seed"], "train", args["fold"], args["member"]),
        folder=folder,
    )
    save_model(model, folder / MODEL)
    history = result.history
    return {
        "fold": args["fold"],
        "member": args["member"],
        "events": int((~data.validation).sum()),
        "held_out": int(data.validation.sum()),
        "best": history.best if len(history) else 0,
        "metrics": _by_metric(history.epochs),
        "scan": result.learning_rates,
    }


def fold_data(args: Mapping[str, Any], inputs: Mapping[str, Path]) -> ClassifierData:
    """The events that the model of a fold learns from.

    Those held out to pick the best epoch lie in the region, and none of their groups is trained
    on.
    """
    from quarkline.learning.training.classifier import ClassifierData, held_out

    rows = Rows.concatenated([read_rows(inputs[f"events {name}"]) for name in args["samples"]])
    arrays = FeatureArrays.concatenated(
        [read_arrays(inputs[f"arrays {name}"]) for name in args["samples"]]
    )
    share, groups = args["fit"]["validation"], rows.group.view(np.uint64)
    aside = held_out(groups, share, seed=args["seed"])
    kept = (rows.fold != args["fold"]) & (rows.selected | ~aside)
    return ClassifierData(
        arrays=arrays[kept],
        label=rows.label[kept],
        weight=rows.weight[kept],
        validation=aside[kept],
        classes=tuple(args["classes"]),
        signal=args["signal"],
        spec=FeatureSpec.from_json(args["spec"]),
    )


def _by_metric(epochs: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return {name: [epoch[name] for epoch in epochs] for name in (epochs[0] if epochs else ())}


def _training_key(inputs: Mapping[str, Path]) -> str:
    """One key for all events that were trained on."""
    return content_key({name: file_key(path).digest for name, path in inputs.items()})


def _fold(item: Done) -> FoldTraining:
    value = dict(item.value)
    scan = value.pop("scan")
    return FoldTraining(**value, scan=LearningRateScan.from_json(scan) if scan else None)


def _summary(training: Training) -> str:
    losses = [fold.metrics["validation_loss"][fold.best] for fold in training.folds]
    epochs = [fold.best + 1 for fold in training.folds]
    spread = f"{min(epochs)}" if min(epochs) == max(epochs) else f"{min(epochs)}-{max(epochs)}"
    return f"{len(training.folds)} models · held-out loss {np.mean(losses):.4f} after {spread} " + (
        "rounds" if training.model == "bdt" else "epochs"
    )
