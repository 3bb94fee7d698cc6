"""Boosted trees (LightGBM) as a family of classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import lightgbm
import numpy as np

from quarkline.learning.models.folds import Floats, Grouped

FIXED = {
    "objective": "binary",
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
"""Settings of every classifier: those that make equal inputs give equal trees, and silence."""


@dataclass(frozen=True)
class Trees:
    """Trained trees.

    Attributes:
        text: The trees as LightGBM text.
    """

    text: str

    @cached_property
    def booster(self) -> lightgbm.Booster:
        """The trees, ready to predict."""
        return lightgbm.Booster(model_str=self.text)

    def probability(self, features: Floats) -> Floats:
        """Probability of class 1 of events (N, F), with shape (N,)."""
        if len(features) == 0:
            return np.zeros(0)
        return np.asarray(self.booster.predict(features, num_threads=1), dtype=np.float64)

    def save(self, stem: Path) -> None:
        """Write the trees as text."""
        stem.with_name(f"{stem.name}.txt").write_text(self.text)


@dataclass(frozen=True)
class TreeConfig:
    """Shape and training of one classifier.

    Attributes:
        trees: Number of trees.
        depth: Depth of a tree.
        learning_rate: Weight of each new tree.
        subsample: Fraction of the events a tree sees.
        min_leaf: Fewest events in a leaf.
    """

    kind: ClassVar[str] = "bdt"

    trees: int
    depth: int
    learning_rate: float
    subsample: float
    min_leaf: int

    def fit(
        self,
        candidates: Grouped,
        templates: Grouped,
        *,
        features: Sequence[str],  # noqa: ARG002  (trees need no scaling, so no names)
        seed: int,
    ) -> Trees:
        """Train candidates (class 1) against templates (class 0), both of equal total weight."""
        rows = np.concatenate([candidates.features, templates.features])
        ones, zeros = len(candidates.features), len(templates.features)
        label = np.concatenate([np.ones(ones), np.zeros(zeros)])
        weight = np.where(label == 1, zeros / max(ones, 1), 1.0)
        parameters = self.parameters(seed)
        data = lightgbm.Dataset(rows, label=label, weight=weight / weight.mean(), params=parameters)
        text = lightgbm.train(parameters, data, num_boost_round=self.trees).model_to_string()
        return Trees(without_parameters(text))

    @staticmethod
    def load(stem: Path) -> Trees:
        """Read what `Trees.save` wrote."""
        return Trees(stem.with_name(f"{stem.name}.txt").read_text())

    def parameters(self, seed: int) -> dict[str, Any]:
        """The settings in LightGBM's names."""
        return FIXED | {
            "max_depth": self.depth,
            "num_leaves": 2**self.depth,
            "learning_rate": self.learning_rate,
            "bagging_fraction": self.subsample,
            "min_data_in_leaf": self.min_leaf,
            "seed": seed,
        }


def without_parameters(text: str) -> str:
    """A model's text without the settings it was trained with, which predictions do not need."""
    head, _, rest = text.partition("\nparameters:")
    _, _, tail = rest.partition("end of parameters\n")
    return head + "\n" + tail
