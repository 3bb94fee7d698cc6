"""Classifiers trained out of fold, as one model: each event is scored by one that never saw it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.spec import FeatureSpec
from quarkline.learning.models.artifact import load_model, save_model
from quarkline.learning.models.event_model import (
    EventModel,
    Probabilities,
    arrays_as_dict,
    arrays_from,
    close,
    input_schema,
    library_versions,
    output_schema,
)


@dataclass(frozen=True)
class FoldedModel:
    """Models of k folds, each of one or more members whose probabilities are averaged.

    The model of fold i learned from the events of the other folds. Every event is scored by one
    fold's model, those of data, too: a mean over folds has another distribution than they have.

    Attributes:
        members: The members of each fold.
        group: Columns whose values the fold of a simulated event is a function of, through
            `fold_of`.
        identity: Columns whose values the fold of an event of data is a function of.
        seed: Seed of the folds.
        training_key: Content key of the events it was trained on.
    """

    kind: ClassVar[str] = "folded-event-classifier"

    members: tuple[tuple[EventModel, ...], ...]
    group: tuple[str, ...]
    identity: tuple[str, ...]
    seed: int
    training_key: str

    def __post_init__(self) -> None:
        for model in (model for fold in self.members for model in fold):
            if (model.classes, model.spec) != (self.classes, self.spec):
                msg = f"its folds differ in classes or features: {model.classes}, {self.classes}"
                raise ValueError(msg)
        if self.folds > 1 and not (self.group and self.identity):
            msg = "it does not say what the fold of an event is a function of"
            raise ValueError(msg)

    @classmethod
    def alone(cls, model: EventModel) -> FoldedModel:
        """One model that scores all events, those it was trained on, too."""
        return cls(((model,),), (), (), 0, "")

    @property
    def folds(self) -> int:
        """Number of folds."""
        return len(self.members)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self.members[0][0].classes

    @property
    def spec(self) -> FeatureSpec:
        """The features."""
        return self.members[0][0].spec

    def probabilities(
        self, arrays: FeatureArrays, fold: ArrayLike, *, device: str = "cpu"
    ) -> Probabilities:
        """Probability of each class of events, with shape (N, classes).

        Args:
            arrays: Physical values of the features.
            fold: Fold of each event, with shape (N,).
            device: Where networks compute, such as `cuda`.

        Raises:
            ValueError: If there is no such fold.
        """
        folds = np.asarray(fold)
        if len(folds) and not 0 <= folds.min() <= folds.max() < self.folds:
            msg = f"folds are 0 to {self.folds - 1}, not {folds.min()} to {folds.max()}"
            raise ValueError(msg)
        found = np.zeros((len(arrays), len(self.classes)))
        for number, members in enumerate(self.members):
            rows = np.flatnonzero(folds == number)
            chosen = arrays if len(rows) == len(arrays) else arrays[rows]
            for member in members if len(rows) else ():
                found[rows] += member.probabilities(chosen, device=device) / len(members)
        return found.astype(np.float32)

    @property
    def examples(self) -> FeatureArrays:
        """Some events that a loaded copy is tested with."""
        return self.members[0][0].examples

    def describe(self) -> dict[str, Any]:
        """Partition and schema as JSON values."""
        return {
            "folds": self.folds,
            "members": len(self.members[0]),
            "group": self.group,
            "identity": self.identity,
            "seed": self.seed,
            "training": self.training_key,
            "classes": self.classes,
            "inputs": input_schema(self.spec),
            "outputs": output_schema(self.classes),
            "versions": library_versions(),
        }

    def save_weights(self, folder: Path) -> None:
        """Write each fold's models."""
        for number, members in enumerate(self.members):
            for place, member in zip(_places(folder, number, len(members)), members, strict=True):
                save_model(member, place)

    @classmethod
    def load(cls, description: dict[str, Any], folder: Path) -> Self:
        """Rebuild from `describe()` and the folders of the folds.

        Raises:
            ValueError: If an earlier version made it, which took the mean of all folds for data.
        """
        if "identity" not in description:
            msg = "an earlier version made it, without the columns that identify an event of data"
            raise ValueError(msg)
        members = tuple(
            tuple(
                load_model(place, EventModel)
                for place in _places(folder, number, description["members"])
            )
            for number in range(description["folds"])
        )
        return cls(
            members,
            tuple(description["group"]),
            tuple(description["identity"]),
            description["seed"],
            description["training"],
        )

    def test_vectors(self) -> dict[str, NDArray[Any]]:
        """Inputs and outputs that a loaded copy must reproduce."""
        fold = np.arange(len(self.examples), dtype=np.int16) % self.folds
        probabilities = self.probabilities(self.examples, fold)
        return arrays_as_dict(self.examples) | {"fold": fold, "probabilities": probabilities}

    def agrees(self, vectors: dict[str, NDArray[Any]]) -> bool:
        """Whether this model reproduces test vectors."""
        found = self.probabilities(arrays_from(vectors), vectors["fold"])
        return close(found, vectors["probabilities"])


def fold_folder(folder: Path, fold: int) -> Path:
    """Where the models of a fold stand in a folded model's folder."""
    return folder / f"fold-{fold}"


def _places(folder: Path, fold: int, members: int) -> list[Path]:
    """The folder of each member of a fold: the fold's own if it has one member."""
    place = fold_folder(folder, fold)
    return [place] if members == 1 else [place / str(member) for member in range(members)]
