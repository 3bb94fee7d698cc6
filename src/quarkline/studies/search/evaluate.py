"""Stage `evaluate`: out-of-fold scores of all rows, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.results import Result, result_from_json
from quarkline.engine.core.rng import uniform_per_row
from quarkline.engine.workflow.stage import Context
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.spec import FeatureSpec
from quarkline.statistics.evaluation import BinnedSignificances, RocCurves
from quarkline.statistics.evaluation.binned import AUTOMATIC
from quarkline.studies.search.features import read_arrays
from quarkline.studies.search.judge import Judge, JudgedConfig, agreement, correlations
from quarkline.studies.search.results import Quoted
from quarkline.studies.search.scores import SCORES, Scored, read_scores, score_rows
from quarkline.studies.search.tables import read_rows, shift_folder, table_name

GRADIENT_EVENTS = 500


class EvaluateStageConfig(Config):
    """What the evaluation depends on.

    Attributes:
        spec: The features, as JSON values.
        samples: Samples that have files, in the order of the catalog.
        trained: Samples that belong to a class, class by class.
        shifts: Samples of each shift.
        weights: Variations of weights.
        column: What the scores' names begin with.
        network: Whether the model is a network.
        judged: What is evaluated, and how.
    """

    spec: dict[str, Any]
    samples: list[str]
    trained: list[str]
    shifts: dict[str, list[str]]
    weights: list[str]
    column: str
    network: bool
    judged: JudgedConfig


def run(context: Context) -> dict[str, Any]:
    """One item a table, then one for the importance of features; the rest is quick."""
    config: EvaluateStageConfig = context.config
    tables = {("", name): context.path("events") / table_name(name) for name in config.samples}
    tables |= {
        (shift, name): context.path("shifted") / shift / table_name(name)
        for shift, names in config.shifts.items()
        for name in names
    }
    done = context.map(
        "score",
        score_rows,
        [_score_item(context, config, shift, name, path) for (shift, name), path in tables.items()],
    )
    for (shift, name), item in zip(tables, done, strict=True):
        place = context.out / _folder(shift) / table_name(name)
        context.place(item.folder / SCORES, place)
    importance = context.map("importance", explain, _explain_items(context, config))
    explained = {
        name: result_from_json(value) for item in importance for name, value in item.value.items()
    }
    judge = _judge(config, tuple(done[0].value), context.out)
    spec = FeatureSpec.from_json(config.spec)
    arrays = {name: _selected_arrays(context, name) for name in config.samples}
    labelled = [name for name in judge.nominal if name in config.trained]
    signal, background = correlations(
        judge, FeatureArrays.concatenated([arrays[name] for name in labelled]), spec
    )
    found = judge.results() | explained
    found |= {"correlation_signal": signal, "correlation_background": background}
    compared = agreement(judge, arrays, spec)
    found |= {"agreement": compared} if compared else {}
    quoted = _quoted(found, judge)
    context.summary(quoted.text)
    return {"scores": context.out / "scores", "quoted": quoted, **_filled(found, config)}


OUTPUTS = (
    "roc",
    "scan",
    "binned",
    "confusion",
    "confusion_binary",
    "calibration",
    "overtraining",
    "stack",
    "systematics",
    "correlation_signal",
    "correlation_background",
    "permutation",
)
"""Results that every evaluation has."""


def outputs(config: EvaluateStageConfig) -> tuple[str, ...]:
    """The results of an evaluation by name."""
    data = "data" in (config.judged.roles[name] for name in config.samples)
    return (
        "scores",
        "quoted",
        *OUTPUTS,
        *(["agreement"] if data else []),
        *(["gradients"] if config.network else []),
    )


def _filled(found: Mapping[str, Result], config: EvaluateStageConfig) -> dict[str, Result]:
    return {name: found[name] for name in outputs(config) if name in found}


def _folder(shift: str) -> Path:
    return Path("scores") / shift_folder(shift)


def _score_item(
    context: Context, config: EvaluateStageConfig, shift: str, name: str, path: Path
) -> Item:
    parent = context.path("shifted_arrays") / shift if shift else context.path("arrays")
    return Item(
        " ".join(part for part in (name, shift) if part),
        {"column": config.column, "seen": not shift and name in config.trained},
        {
            "events": path,
            "arrays": parent / table_name(name, ".npz"),
            "model": context.path("model"),
        },
    )


def _judge(config: EvaluateStageConfig, classes: tuple[str, ...], folder: Path) -> Judge:
    def read(shift: str, names: list[str]) -> dict[str, Scored]:
        place = folder / _folder(shift)
        weights = [] if shift else config.weights
        return {
            name: read_scores(place / table_name(name), config.column, classes, weights)
            for name in names
        }

    return Judge(
        config.judged,
        classes,
        read("", config.samples),
        {shift: read(shift, names) for shift, names in config.shifts.items()},
    )


def _selected_arrays(context: Context, name: str) -> FeatureArrays:
    """The features of a sample's rows in the region."""
    rows = read_rows(context.path("events") / table_name(name))
    return read_arrays(context.path("arrays") / table_name(name, ".npz"))[rows.selected]


def _quoted(found: Mapping[str, Result], judge: Judge) -> Quoted:
    roc, binned = found["roc"], found["binned"]
    if not isinstance(roc, RocCurves) or not isinstance(binned, BinnedSignificances):
        msg = "the evaluation has no curves or no significances"
        raise TypeError(msg)
    events = judge.events
    return Quoted(
        signal=judge.config.signal,
        auc=roc.of_signal.auc,
        significance=binned.binning(AUTOMATIC).total,
        folds=int(judge.labelled.rows.fold.max()) + 1,
        signal_events=int(events.is_signal.sum()),
        background_events=int((~events.is_signal).sum()),
    )


def _explain_items(context: Context, config: EvaluateStageConfig) -> list[Item]:
    evaluate = config.judged.evaluate
    inputs = {"model": context.path("model")}
    for name in config.trained:
        inputs[f"events {name}"] = context.path("events") / table_name(name)
        inputs[f"arrays {name}"] = context.path("arrays") / table_name(name, ".npz")
        inputs[f"scores {name}"] = context.out / _folder("") / table_name(name)
    args = {
        "samples": config.trained,
        "column": config.column,
        "judged": config.judged.model_dump(mode="json"),
    }
    kinds = ["permutation", *(["gradients"] if config.network else [])]
    sizes = {"permutation": evaluate.importance_events, "gradients": GRADIENT_EVENTS}
    return [Item(kind, args | {"kind": kind, "events": sizes[kind]}, inputs) for kind in kinds]


def explain(args: Mapping[str, Any], inputs: Mapping[str, Path], _: Path) -> Any:
    """Task: what each feature is worth, by permutation or by gradients.

    Args:
        args: `kind`; `samples`, `column` and `judged` of the stage; `events`, the most that are
            looked at.
        inputs: The `model`; of each sample the table, features and scores, as `events NAME`,
            `arrays NAME` and `scores NAME`.

    Returns:
        The result under the name of the kind.
    """
    from quarkline.learning.models.artifact import load_model
    from quarkline.learning.models.folded import FoldedModel

    model = load_model(inputs["model"], FoldedModel)
    settings = JudgedConfig.model_validate(args["judged"])
    nominal, parts = {}, []
    for name in args["samples"]:
        selected = read_rows(inputs[f"events {name}"]).selected
        nominal[name] = read_scores(inputs[f"scores {name}"], args["column"], model.classes)
        parts.append(read_arrays(inputs[f"arrays {name}"])[selected])
    judge = Judge(settings, model.classes, nominal, {})
    rows, arrays = judge.labelled, FeatureArrays.concatenated(parts)
    chosen = sampled(rows.row, args["events"], settings.seed)
    if args["kind"] == "gradients":
        chosen &= rows.rows.fold == 0
    return {args["kind"]: KINDS[args["kind"]](model, judge, arrays, chosen)}


def sampled(row: NDArray[np.uint64], most: int, seed: int) -> NDArray[np.bool_]:
    """Which rows are looked at, if not all are; a function of their numbers alone."""
    if len(row) <= most:
        return np.ones(len(row), np.bool_)
    return uniform_per_row(seed, "looked at", row) < most / len(row)


def _permutation(
    model: Any, judge: Judge, arrays: FeatureArrays, chosen: NDArray[np.bool_]
) -> Result:
    from quarkline.learning.scoring.permutation import permutation_importance

    fold = judge.labelled.rows.fold[chosen]
    return permutation_importance(
        lambda permuted: model.probabilities(permuted, fold),
        arrays[chosen],
        model.spec,
        judge.events[chosen],
        row=judge.labelled.row[chosen],
        repetitions=judge.config.evaluate.repetitions,
        seed=judge.config.seed,
    )


def _gradients(
    model: Any, judge: Judge, arrays: FeatureArrays, chosen: NDArray[np.bool_]
) -> Result:
    """Of the first fold's model, on events it has not seen."""
    from quarkline.learning.scoring.attribution import integrated_gradients

    first = model.members[0][0]
    events = judge.events[chosen]
    return integrated_gradients(
        first.predictor.module,
        first.preprocess.tensors(arrays[chosen]),
        first.spec,
        target=judge.config.signal,
        classes=model.classes,
        weight=np.abs(events.weight),
        group=events.group,
        bootstrap=judge.bootstrap,
    )


KINDS = {"permutation": _permutation, "gradients": _gradients}
