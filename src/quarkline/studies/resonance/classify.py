"""Stage `classify`: data in the window against background, scored out of fold."""

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
from quarkline.learning.models.folds import Rows
from quarkline.studies.resonance.config import BdtConfig, ClassifierConfig, Method, MlpConfig
from quarkline.studies.resonance.events import read_features, read_masses, read_pairs
from quarkline.studies.resonance.generate import hypothesis_name
from quarkline.studies.resonance.methods import (
    FLOW,
    METHODS,
    Problem,
    method_inputs,
    seen,
    seen_names,
    seen_pairs,
    template_files,
)
from quarkline.studies.resonance.results import Classification

Floats = NDArray[np.float64]


class ClassifyConfig(Config):
    """What the classifiers depend on; the first hypothesis is the nominal one."""

    features: list[str]
    window: tuple[float, float]
    hypotheses: list[tuple[int, int]]
    method: Method
    flows: int
    classifier: ClassifierConfig
    seed: int


def run(context: Context) -> dict[str, Any]:
    """One item a repetition of a hypothesis; their scores are averaged."""
    config: ClassifyConfig = context.config
    size, folds = config.classifier.ensemble, config.classifier.folds
    items = [
        _item(context, config, hypothesis, repetition)
        for hypothesis in config.hypotheses
        for repetition in range(size)
    ]
    done = context.map("repetition", train_repetition, items)
    by_hypothesis = [done[i : i + size] for i in range(0, len(done), size)]
    columns: dict[str, Floats] = {}
    for (degree, bins), group in zip(config.hypotheses, by_hypothesis, strict=True):
        rank, probability = averaged(group, "pairs")
        name = hypothesis_name(degree, bins)
        columns |= {f"rank_{name}": rank, f"probability_{name}": probability}
    scores = context.out / "scores.parquet"
    write_table(scores, columns)
    pool = context.out / "pool-scores.parquet"
    write_table(
        pool, dict(zip(("rank", "probability"), averaged(by_hypothesis[0], "pool"), strict=True))
    )
    models = context.out / "models"
    for number, item in enumerate(by_hypothesis[0]):
        context.place(item.folder / "model", models / f"{number}")
        if FLOW in items[number].inputs:
            context.place(items[number].inputs[FLOW], models / f"{number}" / FLOW)
    method = METHODS[config.method]
    context.summary(
        f"{method.title} · {len(done) * folds:,} classifiers · {folds} folds x {size} repetitions"
    )
    classification = Classification(
        method=config.method,
        classifier=config.classifier.kind,
        folds=folds,
        repetitions=size,
        candidates=done[0].value["candidates"],
        templates=done[0].value["templates"],
    )
    return {
        "scores": scores,
        "pool_scores": pool,
        "models": models,
        "classification": classification,
    }


def _item(
    context: Context, config: ClassifyConfig, hypothesis: tuple[int, int], repetition: int
) -> Item:
    name = hypothesis_name(*hypothesis)
    files = template_files(context.inputs, context.path(f"window-{name}"))
    flows = [context.path("flows") / str(number) for number in range(1, config.flows + 1)]
    nominal = hypothesis == config.hypotheses[0]
    return repetition_item(
        f"{name} repetition {repetition + 1}",
        config.model_dump(mode="json", include={"features", "window", "seed", "method"}),
        config.classifier,
        repetition,
        context.files("pairs", *(["pool"] if nominal else []))
        | method_inputs(config.method, repetition, files, flows),
    )


def repetition_item(
    name: str,
    shared: Mapping[str, Any],
    classifier: BdtConfig | MlpConfig,
    repetition: int,
    inputs: Mapping[str, Path],
) -> Item:
    """An item for `train_repetition`; the number of repetitions is none of its business."""
    settings = classifier.model_dump(mode="json", exclude={"ensemble"})
    return Item(name, {**shared, "classifier": settings, "repetition": repetition}, inputs)


def train_repetition(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: the classifiers of one partition into folds, and everybody's scores."""
    from quarkline.learning.models.artifact import save_model
    from quarkline.learning.models.folds import family_from, fit_folds

    pairs = seen_pairs(read_pairs(inputs["pairs"], args["features"], tuple(args["window"])), inputs)
    searched = pairs.searched()
    candidates = searched[searched.in_window]
    templates = METHODS[args["method"]].templates(Problem(args, inputs, searched))
    model = fit_folds(
        candidates,
        templates,
        searched[~searched.in_window],
        family_from(args["classifier"]),
        features=seen_names(args["features"], inputs),
        folds=args["classifier"]["folds"],
        seed=library_seed(args["seed"], "classify"),
        repetition=args["repetition"],
    )
    scores = model.score(pairs.features, pairs.group)
    np.save(folder / "pairs.npy", np.stack([scores.rank, scores.probability]))
    if "pool" in inputs:
        masses = read_masses(inputs["pool"])
        pool = Rows.numbered(seen(read_features(inputs["pool"], args["features"]), masses, inputs))
        scores = model.score(pool.features, pool.group)
        np.save(folder / "pool.npy", np.stack([scores.rank, scores.probability]))
        save_model(model, folder / "model")
    return {"candidates": len(candidates), "templates": len(templates.features)}


def averaged(done: Sequence[Done], name: str) -> tuple[Floats, Floats]:
    """Mean rank and mean probability over repetitions, added in their order."""
    total = sum(np.load(item.folder / f"{name}.npy", allow_pickle=False) for item in done)
    rank, probability = np.asarray(total) / len(done)
    return rank, probability


def read_scores(path: Path, column: str) -> Floats:
    """One column of a table of scores."""
    return np.asarray(ak.to_numpy(read_table(path, [column]).array[column]), dtype=np.float64)
