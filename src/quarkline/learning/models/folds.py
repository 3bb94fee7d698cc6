"""Classifiers trained out of fold, with each fold's scores calibrated on its own reference.

A repetition partitions the events into folds by a hash of their group. Fold i's classifier learns
from the other folds and scores the events of fold i, whether those were candidates for training or
not: the same rule for every event keeps the two sides of a comparison alike.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.rng import library_seed, uniform_per_row

Floats = NDArray[np.float64]
Groups = NDArray[np.uint64]

FAMILIES: Mapping[str, str] = {
    "bdt": "quarkline.learning.models.trees:TreeConfig",
    "mlp": "quarkline.learning.models.mlp:PerceptronConfig",
}
"""The settings of each family of classifiers, imported when asked for."""


class Grouped(Protocol):
    """Events with features (N, F) and the group (N,) that a split must not separate."""

    @property
    def features(self) -> Floats:
        """Features, with shape (N, F)."""

    @property
    def group(self) -> Groups:
        """Group of each event, with shape (N,)."""


@dataclass(frozen=True)
class Rows:
    """N events and nothing more.

    Attributes:
        features: With shape (N, F).
        group: With shape (N,).
    """

    features: Floats
    group: Groups

    @classmethod
    def numbered(cls, features: Floats) -> Self:
        """Events that belong to no others: each is a group of its own."""
        return cls(features, np.arange(len(features), dtype=np.uint64))


class Classifier(Protocol):
    """A trained classifier of any family."""

    def probability(self, features: Floats) -> Floats:
        """Probability of class 1 of events (N, F), with shape (N,)."""

    def save(self, stem: Path) -> None:
        """Write its files, whose names begin with `stem`."""


class Family(Protocol):
    """The settings of a family of classifiers, a frozen dataclass."""

    kind: ClassVar[str]

    def fit(
        self, candidates: Grouped, templates: Grouped, *, features: Sequence[str], seed: int
    ) -> Classifier:
        """Train candidates (class 1) against templates (class 0), both of equal total weight."""

    @staticmethod
    def load(stem: Path) -> Classifier:
        """Read what `Classifier.save` wrote."""


def family(kind: str) -> type[Family]:
    """The settings' class of a family.

    Raises:
        KeyError: If there is no such family.
    """
    module, _, name = FAMILIES[kind].partition(":")
    return cast("type[Family]", getattr(importlib.import_module(module), name))


def family_from(settings: Mapping[str, Any]) -> Family:
    """The family `settings["kind"]` with those of the settings that are its own."""
    chosen: Any = family(settings["kind"])
    return cast("Family", chosen(**{item.name: settings[item.name] for item in fields(chosen)}))


@dataclass(frozen=True)
class Member:
    """The classifier of one fold of one repetition.

    Attributes:
        classifier: What it learned.
        reference: Its sorted probabilities of the fold's reference events.
    """

    classifier: Classifier
    reference: NDArray[np.float32]

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
class ClassifierFolds:
    """Classifiers of all folds of all repetitions.

    Attributes:
        family: Kind of the classifiers.
        features: Names of the F features.
        seed: Seed of the partitions.
        members: A tuple of members, one a fold, for each repetition.
        numbers: Number of each repetition, which names its partition.
    """

    kind: ClassVar[str] = "classifier-folds"

    family: str
    features: tuple[str, ...]
    seed: int
    members: tuple[tuple[Member, ...], ...]
    numbers: tuple[int, ...]

    def score(self, features: Floats, group: Groups) -> Scores:
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
                probability = member.classifier.probability(features[mine])
                ranks[mine] += member.rank(probability)
                probabilities[mine] += probability
        return Scores(ranks / len(self.members), probabilities / len(self.members))

    def merged(self, others: Sequence[ClassifierFolds]) -> ClassifierFolds:
        """This model with the repetitions of others added."""
        parts = [self, *others]
        return ClassifierFolds(
            self.family,
            self.features,
            self.seed,
            tuple(item for part in parts for item in part.members),
            tuple(number for part in parts for number in part.numbers),
        )

    def describe(self) -> dict[str, Any]:
        """Schema and partition as JSON values."""
        return {
            "family": self.family,
            "features": list(self.features),
            "seed": self.seed,
            "folds": len(self.members[0]),
            "repetitions": list(self.numbers),
            "outputs": ["rank", "probability"],
        }

    def save_weights(self, folder: Path) -> None:
        """Write each member's classifier and references."""
        for number, members in zip(self.numbers, self.members, strict=True):
            for index, member in enumerate(members):
                member.classifier.save(folder / f"member-{number}-{index}")
                np.save(folder / f"reference-{number}-{index}.npy", member.reference)

    @classmethod
    def load(cls, description: dict[str, Any], folder: Path) -> Self:
        """Rebuild from `describe()` and the files of the members."""
        kind, numbers = description["family"], description["repetitions"]
        members = tuple(
            tuple(
                _load_member(kind, folder, number, index) for index in range(description["folds"])
            )
            for number in numbers
        )
        features = tuple(description["features"])
        return cls(kind, features, description["seed"], members, tuple(numbers))

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
        return bool(np.allclose(found, vectors["probability"], rtol=1e-5))


def partition(group: Groups, folds: int, *, seed: int, repetition: int) -> NDArray[np.int64]:
    """Fold of each event in one repetition, a pure function of its group."""
    return (uniform_per_row(seed, f"fold-{repetition}", group) * folds).astype(np.int64)


def fit_folds(
    candidates: Grouped,
    templates: Grouped,
    reference: Grouped,
    family: Family,
    *,
    features: Sequence[str],
    folds: int,
    seed: int,
    repetition: int,
) -> ClassifierFolds:
    """Train one repetition: candidates (class 1) against templates (class 0) in every fold.

    Args:
        candidates: The events that may hold a signal.
        templates: Background to learn against; its groups keep a fold's events out of training.
        reference: The events that calibrate a fold's scores; they may be the templates.
        family: Settings of the classifiers.
        features: Names of the features.
        folds: Number of folds.
        seed: Seed of partitions and classifiers.
        repetition: Number of the repetition.
    """
    parts = [
        (events, partition(events.group, folds, seed=seed, repetition=repetition))
        for events in (candidates, templates, reference)
    ]

    def member(index: int) -> Member:
        seen, background = (_rows(events, fold != index) for events, fold in parts[:2])
        mine = _rows(parts[2][0], parts[2][1] == index)
        classifier = family.fit(
            seen,
            background,
            features=features,
            seed=library_seed(seed, "trees", repetition, index),  # of every family, since the first
        )
        probability = classifier.probability(mine.features).astype(np.float32)
        return Member(classifier, np.sort(probability))

    members = tuple(member(index) for index in range(folds))
    return ClassifierFolds(family.kind, tuple(features), seed, (members,), (repetition,))


def _rows(events: Grouped, chosen: NDArray[np.bool_]) -> Rows:
    return Rows(events.features[chosen], events.group[chosen])


def _load_member(kind: str, folder: Path, number: int, index: int) -> Member:
    reference = np.load(folder / f"reference-{number}-{index}.npy", allow_pickle=False)
    return Member(family(kind).load(folder / f"member-{number}-{index}"), reference)
