"""Boosted trees (LightGBM) of several classes, on the features as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import lightgbm
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Rule
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.models.config import TreesConfig
from quarkline.learning.models.trees import FIXED, without_parameters

TREES = "trees.txt"

NEGATIVE_WEIGHTS = Rule(
    "QL-MODEL-002",
    "boosted trees are trained with weights that are not negative",
    "A leaf's value is a sum of gradients over a sum of curvatures, each times its event's weight. "
    "With negative weights the curvature of a leaf can vanish or change its sign, and the leaf "
    "then moves the wrong way without bound. Absolute weights, or none, have no such leaves; the "
    "signs still count where the scores are judged.",
)


@dataclass(frozen=True)
class FittedTrees:
    """Trees and how they were found.

    Attributes:
        text: The trees as LightGBM text, up to those with the lowest held-out loss.
        train: Weighted mean of the cross-entropy of the training events after each round.
        validation: That of the held-out events.
    """

    text: str
    train: tuple[float, ...]
    validation: tuple[float, ...]


def fit_trees(
    config: TreesConfig,
    matrix: NDArray[np.float64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64],
    validation: NDArray[np.bool_],
    *,
    classes: int,
    categories: Sequence[int] = (),
    seed: int,
    report: Callable[[int, Mapping[str, float]], None] | None = None,
) -> FittedTrees:
    """Train one tree a class and round, until the held-out loss has long not fallen.

    Args:
        config: Shape and training of the trees.
        matrix: Features, with shape (N, M); NaN where missing.
        label: Class of each event, with shape (N,).
        weight: Not negative, with shape (N,); only their ratios matter.
        validation: The events that are held out and decide when to stop, with shape (N,).
        classes: Number of classes, at least two.
        categories: Columns of the matrix that are codes of kinds.
        seed: Seed of what is drawn.
        report: Told each round, from 0, and its `train_loss` and `validation_loss`.

    Raises:
        InputError: If a weight is negative.
    """
    if negative := int((weight < 0).sum()):
        raise InputError(
            NEGATIVE_WEIGHTS.finding(
                f"{negative} of {len(weight)} training events have negative weights",
                suggestion="write `weights: absolute` or `weights: none`, or train a network",
            )
        )
    parameters = _parameters(config, classes, seed)

    def data(chosen: NDArray[np.bool_], like: lightgbm.Dataset | None) -> lightgbm.Dataset:
        return lightgbm.Dataset(
            matrix[chosen],
            label=label[chosen],
            weight=weight[chosen] / weight[chosen].mean(),
            reference=like,
            categorical_feature=list(categories),
            params=parameters,
        )

    seen = data(~validation, None)
    losses = _Losses(report)
    booster = lightgbm.train(
        parameters,
        seen,
        num_boost_round=config.trees,
        valid_sets=[seen, data(validation, seen)],
        valid_names=["train", "validation"],
        callbacks=[losses, lightgbm.early_stopping(config.patience, verbose=False)],
    )
    text = booster.model_to_string(num_iteration=int(np.argmin(losses.validation)) + 1)
    return FittedTrees(without_parameters(text), tuple(losses.train), tuple(losses.validation))


@dataclass(frozen=True)
class BoostedTrees:
    """Trained trees.

    Attributes:
        text: The trees as LightGBM text.
    """

    text: str

    @cached_property
    def booster(self) -> lightgbm.Booster:
        """The trees, ready to predict."""
        return lightgbm.Booster(model_str=self.text)

    def probabilities(
        self,
        preprocess: Preprocess,
        arrays: FeatureArrays,
        *,
        device: str,  # noqa: ARG002  (trees compute where they are)
    ) -> NDArray[np.float32]:
        """Probabilities of events, with shape (N, classes)."""
        found = self.booster.predict(preprocess.matrix(arrays), num_threads=1)
        return np.asarray(found, dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write the trees."""
        (folder / TREES).write_text(self.text)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        return cls((folder / TREES).read_text())


class _Losses:
    """Keeps the losses of each round and passes them on."""

    order = 10  # LightGBM calls it before early stopping, which comes at 30

    def __init__(self, report: Callable[[int, Mapping[str, float]], None] | None) -> None:
        self.report = report
        self.train: list[float] = []
        self.validation: list[float] = []

    def __call__(self, state: Any) -> None:
        found = {item[0]: float(item[2]) for item in state.evaluation_result_list}
        self.train.append(found["train"])
        self.validation.append(found["validation"])
        if self.report:
            told = {"train_loss": found["train"], "validation_loss": found["validation"]}
            self.report(len(self.train) - 1, told)


def _parameters(config: TreesConfig, classes: int, seed: int) -> dict[str, Any]:
    """The settings in LightGBM's names."""
    return FIXED | {
        "objective": "multiclass",
        "num_class": classes,
        "num_leaves": config.leaves,
        "learning_rate": config.learning_rate,
        "bagging_fraction": config.subsample,
        "feature_fraction": config.feature_fraction,
        "min_data_in_leaf": config.min_leaf,
        "lambda_l2": config.l2,
        "seed": seed,
    }
