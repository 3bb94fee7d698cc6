"""Names and columns of the tables that stages hand to each other, one a sample and shift."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.events.sources import open_source
from quarkline.events.table import VARIATION

Floats = NDArray[np.float64]

COLUMNS = ("_group", "_fold", "_label", "_weight", "_selected")
"""What a row is, in the order of the fields of `Rows`."""


def shift_folder(shift: str) -> str:
    """Where the tables of a shift are; nominal ones are in `events`."""
    return f"shifted/{shift}" if shift else "events"


def table_name(sample: str, suffix: str = ".parquet") -> str:
    """File name of a sample's table."""
    return re.sub(r"[^\w.+-]", "_", sample) + suffix


@dataclass(frozen=True)
class Rows:
    """What N rows of a sample are, besides their features.

    Attributes:
        group: Group of each row, with shape (N,).
        fold: Fold whose model scores the row, with shape (N,).
        label: Number of the class, -1 if it has none, with shape (N,).
        weight: With shape (N,).
        selected: Whether the row is in the region, with shape (N,).
        weights: Weights of variations by name, each with shape (N,).
    """

    group: NDArray[np.int64]
    fold: NDArray[np.int16]
    label: NDArray[np.int64]
    weight: Floats
    selected: NDArray[np.bool_]
    weights: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.group)

    def __getitem__(self, chosen: Any) -> Rows:
        weights = {name: values[chosen] for name, values in self.weights.items()}
        return Rows(
            self.group[chosen],
            self.fold[chosen],
            self.label[chosen],
            self.weight[chosen],
            self.selected[chosen],
            weights,
        )

    @classmethod
    def concatenated(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of several samples; a sample without a variation has its nominal weight."""
        names = dict.fromkeys(name for part in parts for name in part.weights)
        return cls(
            np.concatenate([part.group for part in parts]),
            np.concatenate([part.fold for part in parts]),
            np.concatenate([part.label for part in parts]),
            np.concatenate([part.weight for part in parts]),
            np.concatenate([part.selected for part in parts]),
            {
                name: np.concatenate([part.weights.get(name, part.weight) for part in parts])
                for name in names
            },
        )


def read_rows(path: Path, weights: Sequence[str] = ()) -> Rows:
    """The rows of a sample's table.

    Args:
        path: The table.
        weights: Variations whose weights are read where the table has them.
    """
    with open_source(path) as source:
        held = [name for name in weights if VARIATION + name in source.schema]
        names = [*COLUMNS, *(VARIATION + name for name in held)]
        table = source.read(names)
    columns = {name: ak.to_numpy(table[name]) for name in names}
    return Rows(
        columns["_group"],
        columns["_fold"],
        columns["_label"],
        columns["_weight"],
        columns["_selected"],
        {name: columns[VARIATION + name] for name in held},
    )
