"""Stage `train`: a network of jets for each seed, against an adversary or alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.workflow.stage import Context
from quarkline.studies.tagging.train.config import TrainConfig
from quarkline.studies.tagging.train.kept import (
    MODEL,
    TRAININGS,
    training_folder,
)
from quarkline.studies.tagging.train.results import TaggerTraining, TaggingTraining
from quarkline.studies.tagging.watch.config import WatchConfig


class TrainStageConfig(TrainConfig):
    """What the trainings depend on.

    Attributes:
        seed: Of the analysis.
        watch: What is measured after each epoch.
        parent: Run that the trainings go on from, as its name and number.
    """

    seed: int
    watch: WatchConfig = WatchConfig()
    parent: str = ""


def run(context: Context) -> dict[str, Any]:
    """One item a seed; the first seed's network is the stage's model."""
    config: TrainStageConfig = context.config
    items = [seed_item(context, config, seed) for seed in range(config.seeds)]
    done = context.map("seed", train_seed, items)
    folder = context.out / TRAININGS
    for seed, item in enumerate(done):
        context.place(item.folder, training_folder(folder, seed))
    first = done[0].value
    training = TaggingTraining(
        model=config.model.kind,
        adversary=config.adversary.kind,
        parameters=first["parameters"],
        compatibility=config.compatibility,
        parent=config.parent,
        trainings=tuple(_training(item) for item in done),
    )
    context.summary(_summary(training))
    model = training_folder(folder, 0) / MODEL
    return {TRAININGS: folder, "model": model, "training": training}


def seed_item(context: Context, config: TrainStageConfig, seed: int) -> Item:
    """The training of one seed."""
    args = config.model_dump(mode="json", exclude={"seeds", "start", "parent"})
    inputs = context.files("main", "preprocess")
    if "control" in context.inputs:
        inputs |= context.files("control")
    if "start" in context.inputs:
        inputs["start"] = context.inputs["start"][seed]
    return Item(f"seed {seed + 1} of {config.seeds}", args | {"number": seed}, inputs)


def train_seed(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: train one network, killed at any moment and called again with the same result.

    Args:
        args: The keys of `TrainStageConfig` but `seeds`, `start` and `parent`; `number` of the
            seed.
        inputs: The folders `main` and, unless there is none, `control`; the file `preprocess`; the
            state `start` of an earlier training to go on from.
        folder: Takes `metrics.csv`, `epochs/`, `weights/`, the state and the model.

    Returns:
        Seed, best epoch, kept epochs, metrics, numbers of jets and of parameters.
    """
    from quarkline.studies.tagging.train.fitting import fit_tagger

    config = TrainStageConfig.model_validate(
        {key: value for key, value in args.items() if key != "number"}
    )
    return fit_tagger(config, args["number"], inputs, folder)


def _training(item: Done) -> TaggerTraining:
    value = {key: found for key, found in item.value.items() if key != "parameters"}
    return TaggerTraining(
        **{
            **value,
            "kept": tuple(value["kept"]),
            "jets": {name: tuple(numbers) for name, numbers in value["jets"].items()},
        }
    )


def _summary(training: TaggingTraining) -> str:
    losses = [one.metrics["val_original_lossf"][one.best] for one in training.trainings]
    text = f"{training.parameters:,} parameters · {training.adversary} · "
    text += f"validation loss {np.mean(losses):.4f}"
    worst = [one.metrics["ks_worst"][one.best] for one in training.trainings if _watched(one)]
    return text + (f" · worst K-S {np.mean(worst):.3f}" if worst else "")


def _watched(training: TaggerTraining) -> bool:
    return "ks_worst" in training.metrics
