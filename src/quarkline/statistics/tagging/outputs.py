"""Histograms of the outputs of a tagger, class by class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quarkline.engine.core.results import Result
from quarkline.statistics.arrays import Floats
from quarkline.statistics.tagging.classes import CLASSES, OUTPUTS

LINEAR: Floats = np.linspace(0.0, 1.0, 30)
"""29 equal bins."""
FINE: Floats = np.concatenate([np.linspace(0.0, 0.0007, 5), np.geomspace(1e-3, 1.0, 50)])
"""Bins for a logarithmic axis, with the lowest ones down to 0."""

MAIN: Mapping[int, str] = dict(enumerate(CLASSES))
CONTROL: Mapping[int, str] = {0: "simulation", 1: "data"}


@dataclass(frozen=True)
class OutputPart:
    """Jets of one class.

    Attributes:
        name: The class.
        jets: Number of jets with a finite output.
        not_finite: Number of the others.
        counts: Sum of weights in each bin, with shape (bins,).
        variance: Sum of squared weights in each bin.
    """

    name: str
    jets: int
    not_finite: int
    counts: tuple[float, ...]
    variance: tuple[float, ...]

    @property
    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Share of the weights in each bin, and its error; zeros if they do not add up to more."""
        counts, squares = (
            np.asarray(values, dtype=np.float64) for values in (self.counts, self.variance)
        )
        total = counts.sum()
        scale = 1.0 / total if total > 0.0 else 0.0
        return counts * scale, np.sqrt(squares) * scale


@dataclass(frozen=True)
class OutputHistogram(Result, kind="output-histogram"):
    """One output, in jets of one region.

    Attributes:
        output: "qcd", "sig" or "bib".
        region: Name of the bin of jet pT; "all" for any.
        edges: Of the bins, with shape (bins + 1,).
        parts: The classes.
    """

    output: str
    region: str
    edges: tuple[float, ...]
    parts: tuple[OutputPart, ...]


def output_histograms(
    scores: ArrayLike,
    label: ArrayLike,
    weight: ArrayLike,
    *,
    names: Mapping[int, str] = MAIN,
    edges: ArrayLike = LINEAR,
    region: str = "all",
) -> tuple[OutputHistogram, ...]:
    """Fill one histogram an output.

    The last bin holds its upper edge; what rounding puts beyond an edge belongs to the bin inside.

    Args:
        scores: Outputs, with shape (N, 3).
        label: Class of each jet, with shape (N,).
        weight: Weights, with shape (N,).
        names: Names of the classes by label; jets of others are left out.
        edges: Rising edges of the bins.
        region: What the jets have in common.
    """
    outputs = np.asarray(scores, dtype=np.float64).reshape(-1, len(OUTPUTS))
    true, weights = np.asarray(label), np.asarray(weight, dtype=np.float64)
    ends = np.asarray(edges, dtype=np.float64)
    return tuple(
        OutputHistogram(
            output,
            region,
            tuple(ends.tolist()),
            tuple(
                _part(name, outputs[true == value, place], weights[true == value], ends)
                for value, name in names.items()
            ),
        )
        for place, output in enumerate(OUTPUTS)
    )


def _part(name: str, scores: Floats, weight: Floats, edges: Floats) -> OutputPart:
    known = np.isfinite(scores)
    inside = np.clip(scores[known], edges[0], edges[-1])
    place = np.minimum(np.searchsorted(edges, inside, side="right") - 1, edges.size - 2)
    sums = [
        np.bincount(place, weights=power, minlength=edges.size - 1)
        for power in (weight[known], weight[known] ** 2)
    ]
    return OutputPart(
        name, int(known.sum()), int((~known).sum()), *(_series(values) for values in sums)
    )


def _series(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(values.tolist())
