"""What the fold of an event is a function of: its group, its identity, or its row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.events.expressions import Batch
from quarkline.events.identity import INTEGER_KEYS, fold_of
from quarkline.events.schema import Schema
from quarkline.events.sources import Source

ROW_ID = ("_source", "_entry")
"""Reserved columns that say which entry of which file a row was, as skims keep them."""
STEP_ROWS = 100_000

NO_GROUP = Rule(
    "QL-SCORE-001",
    "simulated events are scored by the model of their own fold",
    "The columns of the group say which fold an event belongs to, and so which model has not been "
    "trained with it. A file without them holds data, or lost them in a skim.",
)
UNKNOWN_ORIGIN = Rule(
    "QL-SCORE-008",
    "a file says whether it holds simulation or data, or the command does",
    "Simulation has the columns of the group. Data have other folds, by what identifies an event, "
    "so simulation that is taken for data would be scored by models that were trained on it. A "
    "file without some of these columns is taken for data only if the others are 0 in all events, "
    "as a number of a simulated dataset is in data.",
)


class Origin(StrEnum):
    """What a file holds.

    Attributes:
        AUTO: What its columns of the group say.
        SIMULATION: The fold of an event is a function of its group.
        DATA: The fold of an event, which no model has seen, is a function of its identity.
    """

    AUTO = "auto"
    SIMULATION = "simulation"
    DATA = "data"


class Folded(Protocol):
    """What says which model scores an event."""

    @property
    def group(self) -> tuple[str, ...]:
        """Columns that the fold of a simulated event is a function of."""

    @property
    def identity(self) -> tuple[str, ...]:
        """Columns that identify an event, which the fold of one in data is a function of."""

    @property
    def seed(self) -> int:
        """Seed of the folds."""

    @property
    def folds(self) -> int:
        """Number of folds; with one, a single model scores all events."""


@dataclass(frozen=True)
class FoldKey:
    """What the folds of the events of one table are a function of.

    Attributes:
        origin: What the table holds: simulation or data.
        columns: The model's group or identity, or `ROW_ID` for data that lack the identity; none
            if one model scores all events.
        source: First 8 bytes of the file's content key.
        made: Whether the row ids are those of this file, which does not hold any itself.
    """

    origin: Origin
    columns: tuple[str, ...]
    source: int = 0
    made: bool = False

    @classmethod
    def of(cls, model: Folded, source: Source, origin: Origin = Origin.AUTO) -> FoldKey:
        """Fit a model's folds to a table.

        Args:
            model: The model.
            source: The table.
            origin: What it holds.

        Raises:
            InputError: If columns of the group are missing and it is not said to be data, nor
                says so itself, or if a column does not hold whole numbers.
        """
        if model.folds == 1:
            return cls(origin, ())
        found = _found_origin(model, source) if origin is Origin.AUTO else origin
        if found is Origin.SIMULATION:
            _check_group(model, source.schema)
            return cls(found, _checked(model.group, source.schema))
        if all(name in source.schema for name in model.identity):
            return cls(found, _checked(model.identity, source.schema))
        made = any(name not in source.schema for name in ROW_ID)
        return cls(found, ROW_ID, source.source_id, made)

    @property
    def by_row(self) -> bool:
        """Whether another layout of the file would give other folds."""
        return self.columns == ROW_ID

    @property
    def read(self) -> frozenset[str]:
        """The columns to read."""
        return frozenset() if self.made else frozenset(self.columns)

    def folds(self, batch: Batch, model: Folded) -> NDArray[np.int16]:
        """The fold of each event, with shape (N,)."""
        if not self.columns:
            return np.zeros(batch.rows, np.int16)
        key = {name: ak.to_numpy(batch.columns[name]) for name in self.read} or self._rows(batch)
        ordered = {name: key[name] for name in self.columns}
        return fold_of(ordered, seed=model.seed, folds=model.folds)

    def _rows(self, batch: Batch) -> dict[str, NDArray[np.uint64]]:
        """The row ids of this file."""
        if batch.entries is None:
            msg = "the place of the events in their file is not known"
            raise ValueError(msg)
        first = batch.entries.start
        entry = np.arange(first, first + batch.rows, dtype=np.uint64)
        return {"_source": np.full(batch.rows, self.source, np.uint64), "_entry": entry}


def _check_group(model: Folded, schema: Schema) -> None:
    missing = [name for name in model.group if name not in schema]
    if missing:
        raise InputError(
            NO_GROUP.finding(
                f"there is no column `{missing[0]}`, which the fold of an event depends on",
                suggestion=did_you_mean(missing[0], schema.columns, what="columns"),
            )
        )


def _checked(columns: tuple[str, ...], schema: Schema) -> tuple[str, ...]:
    """Columns of a key, which hold one whole number an event."""
    for name in columns:
        column = schema[name]
        if column.depth or column.shape or "int" not in column.dtype:
            what = "lists" if column.depth or column.shape else column.dtype
            raise InputError(
                INTEGER_KEYS.finding(
                    f"column `{name}`, which the fold of an event depends on, holds {what}",
                    suggestion="score files that hold it as whole numbers, one an event",
                )
            )
    return columns


def _found_origin(model: Folded, source: Source) -> Origin:
    """What the columns of the group say; a table without events may be either."""
    missing = [name for name in model.group if name not in source.schema]
    held = [name for name in model.group if name in source.schema]
    empty = source.schema.entries == 0
    zero = empty or (bool(held) and _all_zero(source, held))
    if not missing and (empty or not zero):
        return Origin.SIMULATION
    if zero:
        return Origin.DATA
    raise InputError(
        UNKNOWN_ORIGIN.finding(
            f"there is no column `{missing[0]}`, so it holds data, or simulation that lost it",
            suggestion="score files of data by themselves, with `--as data`",
        )
    )


def _all_zero(source: Source, columns: list[str]) -> bool:
    """Whether columns are 0 in every event; it stops at the first one where they are not."""
    return not any(
        ak.any(chunk.array[name] != 0)
        for chunk in source.chunks(columns, step=STEP_ROWS)
        for name in columns
    )
