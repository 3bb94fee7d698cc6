"""Stage `classify`: data in the window against generated background, scored out of fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.rng import library_seed
from quarkline.engine.workflow.stage import Context
from quarkline.events.table import read_table, write_table
from quarkline.studies.resonance.config import ClassifierConfig
from quarkline.studies.resonance.events import read_features, read_pairs
from quarkline.studies.resonance.generate import hypothesis_name

Floats = NDArray[np.float64]


class ClassifyConfig(Config):
    """What the classifiers depend on; the first hypothesis is the nominal one."""

    features: list[str]
    window: tuple[float, float]
    hypotheses: list[tuple[int, int]]
    classifier: ClassifierConfig
    seed: int


def run(context: Context) -> dict[str, Any]:
    """One item a repetition of a hypothesis; their scores are averaged."""
    config: ClassifyConfig = context.config
    items = [
        _item(context, config, hypothesis, repetition)
        for hypothesis in config.hypotheses
        for repetition in range(config.classifier.ensemble)
    ]
    done = context.map("repetition", train_repetition, items)
    size = config.classifier.ensemble
    by_hypothesis = [done[i : i + size] for i in range(0, len(done), size)]
    columns: dict[str, Floats] = {}
    for (degree, bins), group in zip(config.hypotheses, by_hypothesis, strict=True):
        rank, probability = _averaged(group, "pairs")
        name = hypothesis_name(degree, bins)
        columns |= {f"rank_{name}": rank, f"probability_{name}": probability}
    scores = context.out / "scores.parquet"
    write_table(scores, columns)
    pool = context.out / "pool-scores.parquet"
    write_table(
        pool, dict(zip(("rank", "probability"), _averaged(by_hypothesis[0], "pool"), strict=True))
    )
    models = context.out / "models"
    for number, item in enumerate(by_hypothesis[0]):
        context.place(item.folder / "model", models / f"{number}")
    folds = config.classifier.folds
    context.summary(f"{len(done) * folds:,} classifiers · {folds} folds x {size} repetitions")
    return {"scores": scores, "pool_scores": pool, "models": models}


def _item(
    context: Context, config: ClassifyConfig, hypothesis: tuple[int, int], repetition: int
) -> Item:
    name = hypothesis_name(*hypothesis)
    nominal = hypothesis == config.hypotheses[0]
    classifier = config.classifier.model_dump(mode="json", exclude={"ensemble", "kind"})
    shared = config.model_dump(mode="json", include={"features", "window", "seed"})
    inputs = context.files("pairs") | {"templates": context.path(f"window-{name}")}
    return Item(
        f"{name} repetition {repetition + 1}",
        shared | {"classifier": classifier, "repetition": repetition},
        inputs | (context.files("pool") if nominal else {}),
    )


def train_repetition(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: the classifiers of one partition into folds, and everybody's scores."""
    from quarkline.learning.models.artifact import save_model
    from quarkline.learning.models.trees import TreeConfig, fit_folds

    settings = args["classifier"]
    pairs = read_pairs(inputs["pairs"], args["features"], tuple(args["window"]))
    data = pairs.searched()
    model = fit_folds(
        data[data.in_window],
        read_features(inputs["templates"], args["features"]),
        data[~data.in_window],
        TreeConfig(**{name: settings[name] for name in TreeConfig.__annotations__}),
        features=args["features"],
        folds=settings["folds"],
        seed=library_seed(args["seed"], "classify"),
        repetition=args["repetition"],
    )
    scores = model.score(pairs.features, pairs.group)
    np.save(folder / "pairs.npy", np.stack([scores.rank, scores.probability]))
    if "pool" in inputs:
        pool = read_features(inputs["pool"], args["features"])
        scores = model.score(pool, np.arange(len(pool), dtype=np.uint64))
        np.save(folder / "pool.npy", np.stack([scores.rank, scores.probability]))
        save_model(model, folder / "model")
    return None


def _averaged(done: Sequence[Done], name: str) -> tuple[Floats, Floats]:
    """Mean rank and mean probability over repetitions, added in their order."""
    total = sum(np.load(item.folder / f"{name}.npy", allow_pickle=False) for item in done)
    rank, probability = np.asarray(total) / len(done)
    return rank, probability


def read_scores(path: Path, column: str) -> Floats:
    """One column of a table of scores."""
    return np.asarray(ak.to_numpy(read_table(path, [column]).array[column]), dtype=np.float64)
