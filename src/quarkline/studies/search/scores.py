"""Scores of the rows of a table, out of fold; and those of a model that has seen them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.rng import mix64
from quarkline.events.sources import open_source
from quarkline.events.table import write_table
from quarkline.studies.search.features import read_arrays
from quarkline.studies.search.tables import Rows, read_rows

Floats = NDArray[np.float64]

SCORES = "scores.parquet"
SEEN = "seen"
ROW_IDS = ("_source", "_entry")


def score_rows(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: score the rows of one table that are in the region.

    Args:
        args: `column`, what the names of the scores begin with; `seen`, whether rows are scored by
            a model that was trained on them, too.
        inputs: The table as `events`, its features as `arrays`, and the `model`.
        folder: Takes the scores, with the rows' ids, fold, label and weights.

    Returns:
        The model's classes.
    """
    from quarkline.learning.models.artifact import load_model
    from quarkline.learning.models.folded import FoldedModel

    model = load_model(inputs["model"], FoldedModel)
    rows = read_rows(inputs["events"])
    arrays, fold = read_arrays(inputs["arrays"])[rows.selected], rows.fold[rows.selected]
    found = {args["column"]: model.probabilities(arrays, fold, device=_device())}
    if args["seen"]:
        other = ((fold + 1) % model.folds).astype(np.int16)
        found[SEEN] = model.probabilities(arrays, other, device=_device())
    columns = _kept(inputs["events"], rows.selected)
    for prefix, scores in found.items():
        columns |= {
            f"{prefix}_{name}": np.ascontiguousarray(scores[:, number])
            for number, name in enumerate(model.classes)
        }
    write_table(folder / SCORES, columns)
    return list(model.classes)


def _kept(path: Path, selected: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """What else is told of a row: all reserved columns, and those that identify its event."""
    with open_source(path) as source:
        names = [name for name in source.schema.columns if name.startswith("_")]
        table = source.read(names)
    return {name: ak.to_numpy(table[name])[selected] for name in names}


def _device() -> str:
    """The GPU that the executor lets this process see, or the CPU."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Scored:
    """N rows with scores.

    Attributes:
        rows: What they are.
        row: A number for each row that no other row has, with shape (N,).
        scores: Probabilities of C classes, with shape (N, C).
        seen: The same of a model that was trained on them; None where there is none.
    """

    rows: Rows
    row: NDArray[np.uint64]
    scores: Floats
    seen: Floats | None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: Any) -> Scored:
        seen = None if self.seen is None else self.seen[chosen]
        return Scored(self.rows[chosen], self.row[chosen], self.scores[chosen], seen)

    @classmethod
    def concatenated(cls, parts: Sequence[Scored]) -> Scored:
        """The rows of several samples."""
        seen = [part.seen for part in parts]
        return cls(
            Rows.concatenated([part.rows for part in parts]),
            np.concatenate([part.row for part in parts]),
            np.concatenate([part.scores for part in parts]),
            None
            if any(item is None for item in seen)
            else np.concatenate([item for item in seen if item is not None]),
        )


def read_scores(
    path: Path, column: str, classes: Sequence[str], weights: Sequence[str] = ()
) -> Scored:
    """The rows of a table of scores.

    Args:
        path: The table.
        column: What the names of the scores begin with.
        classes: Names of the classes.
        weights: Variations whose weights are read where the table has them.
    """
    rows = read_rows(path, weights)
    with open_source(path) as source:
        asked = {prefix: [f"{prefix}_{name}" for name in classes] for prefix in (column, SEEN)}
        held = {prefix: names for prefix, names in asked.items() if names[0] in source.schema}
        table = source.read([*ROW_IDS, *(name for names in held.values() for name in names)])
    found = {
        prefix: np.stack([ak.to_numpy(table[name]) for name in names], axis=1).astype(np.float64)
        for prefix, names in held.items()
    }
    source_id, entry = (ak.to_numpy(table[name]).astype(np.uint64) for name in ROW_IDS)
    return Scored(rows, mix64(source_id ^ mix64(entry)), found[column], found.get(SEEN))
