"""Scores of events: a model, the features it reads in a table, and the fold of each event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.events.expressions.batch import EventTable, as_batch
from quarkline.events.identity import fold_of
from quarkline.events.schema import Schema
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.reader import FeatureReader
from quarkline.learning.features.spec import FeatureSpec

NO_GROUP = Rule(
    "QL-SCORE-001",
    "simulated events are scored by the model of their own fold",
    "The columns of the group say which fold an event belongs to, and so which model has not been "
    "trained with it. A file without them holds data, or lost them in a skim. Data are scored by "
    "the mean of all models.",
)


class Origin(StrEnum):
    """What a file holds.

    Attributes:
        AUTO: Simulation if it has all columns of the group, else data.
        SIMULATION: Each event is scored by the model of its own fold.
        DATA: Each event is scored by the mean of all models.
    """

    AUTO = "auto"
    SIMULATION = "simulation"
    DATA = "data"


class Classifier(Protocol):
    """What scores features: a trained model, or an export of one."""

    @property
    def spec(self) -> FeatureSpec:
        """The features."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""

    @property
    def group(self) -> tuple[str, ...]:
        """Columns that a fold is a function of; none if there is one model for all."""

    @property
    def seed(self) -> int:
        """Seed of the folds."""

    @property
    def folds(self) -> int:
        """Number of folds."""

    def probabilities(
        self, arrays: FeatureArrays, fold: NDArray[np.int16], *, device: str
    ) -> NDArray[np.float32]:
        """Probability of each class of events, with shape (N, classes)."""


@dataclass(frozen=True)
class Scorer:
    """A model that is ready for a table.

    Attributes:
        model: The model.
        reader: Reads its features.
        by_fold: Whether events are scored by their own fold, not by the mean of all.
        device: Where networks compute.
    """

    model: Classifier
    reader: FeatureReader
    by_fold: bool
    device: str = "cpu"

    @classmethod
    def of(
        cls,
        model: Classifier,
        schema: Schema,
        *,
        origin: Origin = Origin.AUTO,
        replaced: Mapping[str, str] | None = None,
        device: str = "cpu",
    ) -> Scorer:
        """Fit a model to a table.

        Args:
            model: The model.
            schema: The table's columns.
            origin: What the table holds.
            replaced: Expressions by the column they stand for, for shifted values.
            device: Where networks compute, such as `cuda`.

        Raises:
            InputError: If the table lacks columns of the features, or of the group although it is
                said to be simulation.
        """
        reader = FeatureReader.of(model.spec, schema, replaced=replaced)
        missing = [name for name in model.group if name not in schema]
        if origin is Origin.SIMULATION and missing:
            raise InputError(
                NO_GROUP.finding(
                    f"there is no column `{missing[0]}`, which the fold of an event depends on",
                    suggestion=did_you_mean(missing[0], schema.columns, what="columns"),
                )
            )
        by_fold = bool(model.group) and not missing and origin is not Origin.DATA
        return cls(model, reader, by_fold, device)

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns to read."""
        return self.reader.columns | frozenset(self.model.group if self.by_fold else ())

    def folds(self, table: EventTable) -> NDArray[np.int16]:
        """Fold of each event; -1 where it is scored by the mean of all."""
        batch = as_batch(table)
        if not self.by_fold:
            return np.full(batch.rows, -1, np.int16)
        key = {name: ak.to_numpy(batch.columns[name]) for name in self.model.group}
        return fold_of(key, seed=self.model.seed, folds=self.model.folds)

    def score(self, table: EventTable) -> NDArray[np.float32]:
        """Probability of each class of a table's events, with shape (N, classes)."""
        batch = as_batch(table)
        arrays = self.reader.arrays(batch)
        return self.model.probabilities(arrays, self.folds(batch), device=self.device)
