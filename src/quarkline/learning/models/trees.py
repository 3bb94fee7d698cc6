"""Boosted trees trained out of fold, with each fold's scores calibrated on its own reference.

A repetition partitions the events into folds by a hash of their group. Fold i's trees learn from
the other folds and score the events of fold i, whether those were candidates for training or not:
the same rule for every event keeps the two sides of a comparison alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import lightgbm
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.rng import library_seed, uniform_per_row

Floats = NDArray[np.float64]

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
class TreeConfig:
    """Shape and training of one classifier.

    Attributes:
        trees: Number of trees.
        depth: Depth of a tree.
        learning_rate: Weight of each new tree.
        subsample: Fraction of the events a tree sees.
        min_leaf: Fewest events in a leaf.
    """

    trees: int
    depth: int
    learning_rate: float
    subsample: float
    min_leaf: int

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


@dataclass(frozen=True)
class Member:
    """The classifier of one fold of one repetition.

    Attributes:
        text: The trees as LightGBM text.
        reference: Its sorted probabilities of the fold's reference events.
    """

    text: str
    reference: NDArray[np.float32]

    @cached_property
    def booster(self) -> lightgbm.Booster:
        """The trees, ready to predict."""
        return lightgbm.Booster(model_str=self.text)

    def probability(self, features: Floats) -> Floats:
        """Probability of class 1, with shape (N,)."""
        if len(features) == 0:
            return np.zeros(0)
        return np.asarray(self.booster.predict(features, num_threads=1), dtype=np.float64)

    def rank(self, probability: Floats) -> Floats:
        """Fraction of the reference events below, counting half of the equal ones."""
        values = probability.astype(np.float32)
        below = np.searchsorted(self.reference, values, side="left")
        not_above = np.searchsorted(self.reference, values, side="right")
        return (below + not_above) / (2.0 * len(self.reference))


@dataclass(frozen=True)
class Scores:
    """Scores of N events.

    Attributes:
        rank: Mean over the repetitions of the calibrated score, in [0, 1]; for cuts.
        probability: Mean over the repetitions of the probability of class 1; for ratios.
    """

    rank: Floats
    probability: Floats


@dataclass(frozen=True)
class TreeFolds:
    """Classifiers of all folds of all repetitions.

    Attributes:
        features: Names of the F features.
        seed: Seed of the partitions.
        members: A tuple of members, one a fold, for each repetition.
        numbers: Number of each repetition, which names its partition.
    """

    kind: ClassVar[str] = "tree-folds"

    features: tuple[str, ...]
    seed: int
    members: tuple[tuple[Member, ...], ...]
    numbers: tuple[int, ...]

    def score(self, features: Floats, group: NDArray[np.uint64]) -> Scores:
        """Score events, each by the members that have not seen its group.

        Args:
            features: With shape (N, F).
            group: Group of each event, with shape (N,).
        """
        ranks, probabilities = np.zeros(len(features)), np.zeros(len(features))
        for number, members in zip(self.numbers, self.members, strict=True):
            fold = partition(group, len(members), seed=self.seed, repetition=number)
            for index, member in enumerate(members):
                mine = fold == index
                probability = member.probability(features[mine])
                ranks[mine] += member.rank(probability)
                probabilities[mine] += probability
        return Scores(ranks / len(self.members), probabilities / len(self.members))

    def merged(self, others: Sequence[TreeFolds]) -> TreeFolds:
        """This model with the repetitions of others added."""
        parts = [self, *others]
        return TreeFolds(
            self.features,
            self.seed,
            tuple(item for part in parts for item in part.members),
            tuple(number for part in parts for number in part.numbers),
        )

    def describe(self) -> dict[str, Any]:
        """Schema and partition as JSON values."""
        return {
            "features": list(self.features),
            "seed": self.seed,
            "folds": len(self.members[0]),
            "repetitions": list(self.numbers),
            "outputs": ["rank", "probability"],
        }

    def save_weights(self, folder: Path) -> None:
        """Write each member's trees and references."""
        for number, members in zip(self.numbers, self.members, strict=True):
            for index, member in enumerate(members):
                (folder / f"trees-{number}-{index}.txt").write_text(member.text)
                np.save(folder / f"reference-{number}-{index}.npy", member.reference)

    @classmethod
    def load(cls, description: dict[str, Any], folder: Path) -> Self:
        """Rebuild from `describe()` and the files of the members."""
        numbers = description["repetitions"]
        members = tuple(
            tuple(_load_member(folder, number, index) for index in range(description["folds"]))
            for number in numbers
        )
        return cls(tuple(description["features"]), description["seed"], members, tuple(numbers))

    def test_vectors(self) -> dict[str, NDArray[Any]]:
        """Inputs and outputs that a loaded copy must reproduce."""
        generator = np.random.Generator(np.random.Philox(key=1))
        features = np.abs(generator.normal(size=(32, len(self.features)))) * 10
        group = np.arange(32, dtype=np.uint64)
        scores = self.score(features, group)
        return {"features": features, "group": group, "probability": scores.probability}

    def agrees(self, vectors: dict[str, NDArray[Any]]) -> bool:
        """Whether this model reproduces test vectors."""
        found = self.score(vectors["features"], vectors["group"]).probability
        return bool(np.allclose(found, vectors["probability"], rtol=1e-9))


def partition(
    group: NDArray[np.uint64], folds: int, *, seed: int, repetition: int
) -> NDArray[np.int64]:
    """Fold of each event in one repetition, a pure function of its group."""
    return (uniform_per_row(seed, f"fold-{repetition}", group) * folds).astype(np.int64)


class Grouped(Protocol):
    """Events with features (N, F) and the group (N,) that a split must not separate."""

    @property
    def features(self) -> Floats:
        """Features, with shape (N, F)."""

    @property
    def group(self) -> NDArray[np.uint64]:
        """Group of each event, with shape (N,)."""


def fit_folds(
    candidates: Grouped,
    templates: Floats,
    reference: Grouped,
    config: TreeConfig,
    *,
    features: Sequence[str],
    folds: int,
    seed: int,
    repetition: int,
) -> TreeFolds:
    """Train one repetition: candidates (class 1) against templates (class 0) in every fold.

    Args:
        candidates: The events that may hold a signal.
        templates: Features (M, F) of generated background; they are split among the folds evenly.
        reference: The events that calibrate a fold's scores.
        config: Shape and training of a classifier.
        features: Names of the features.
        folds: Number of folds.
        seed: Seed of partitions and trees.
        repetition: Number of the repetition.
    """
    fold = partition(candidates.group, folds, seed=seed, repetition=repetition)
    reference_fold = partition(reference.group, folds, seed=seed, repetition=repetition)
    template_fold = partition(
        np.arange(len(templates), dtype=np.uint64), folds, seed=seed, repetition=repetition
    )
    members = tuple(
        _fit_member(
            candidates.features[fold != index],
            templates[template_fold != index],
            reference.features[reference_fold == index],
            config.parameters(library_seed(seed, "trees", repetition, index)),
            config.trees,
        )
        for index in range(folds)
    )
    return TreeFolds(tuple(features), seed, (members,), (repetition,))


def _fit_member(
    candidates: Floats, templates: Floats, reference: Floats, parameters: dict[str, Any], trees: int
) -> Member:
    rows = np.concatenate([candidates, templates])
    label = np.concatenate([np.ones(len(candidates)), np.zeros(len(templates))])
    weight = np.where(label == 1, len(templates) / max(len(candidates), 1), 1.0)
    data = lightgbm.Dataset(rows, label=label, weight=weight / weight.mean(), params=parameters)
    text = lightgbm.train(parameters, data, num_boost_round=trees).model_to_string()
    member = Member(_without_parameters(text), np.zeros(1, dtype=np.float32))
    scores = np.sort(member.probability(reference).astype(np.float32))
    return Member(member.text, scores)


def _without_parameters(text: str) -> str:
    """A model's text without the settings it was trained with, which predictions do not need."""
    head, _, rest = text.partition("\nparameters:")
    _, _, tail = rest.partition("end of parameters\n")
    return head + "\n" + tail


def _load_member(folder: Path, number: int, index: int) -> Member:
    text = (folder / f"trees-{number}-{index}.txt").read_text()
    reference = np.load(folder / f"reference-{number}-{index}.npy", allow_pickle=False)
    return Member(text, reference)
