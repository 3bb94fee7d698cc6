"""Scores of events: a model, the features it reads in a table, and the fold of each event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions.batch import EventTable, as_batch
from quarkline.events.schema import Schema
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.reader import FeatureReader
from quarkline.learning.features.spec import FeatureSpec
from quarkline.learning.scoring.fold_key import Folded, FoldKey


class Classifier(Folded, Protocol):
    """What scores features: a trained model, or an export of one."""

    @property
    def spec(self) -> FeatureSpec:
        """The features."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""

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
        key: What the folds of the events are a function of.
        device: Where networks compute.
    """

    model: Classifier
    reader: FeatureReader
    key: FoldKey
    device: str = "cpu"

    @classmethod
    def of(
        cls,
        model: Classifier,
        schema: Schema,
        key: FoldKey,
        *,
        replaced: Mapping[str, str] | None = None,
        device: str = "cpu",
    ) -> Scorer:
        """Fit a model to a table.

        Args:
            model: The model.
            schema: The table's columns.
            key: What the folds of its events are a function of.
            replaced: Expressions by the column they stand for, for shifted values; folds are
                those of the columns as they are.
            device: Where networks compute, such as `cuda`.

        Raises:
            InputError: If the table lacks columns of the features.
        """
        return cls(model, FeatureReader.of(model.spec, schema, replaced=replaced), key, device)

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns to read."""
        return self.reader.columns | self.key.read

    def score(self, table: EventTable) -> NDArray[np.float32]:
        """Probability of each class of a table's events, with shape (N, classes)."""
        batch = as_batch(table)
        arrays, fold = self.reader.arrays(batch), self.key.folds(batch, self.model)
        return self.model.probabilities(arrays, fold, device=self.device)
