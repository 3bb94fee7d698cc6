"""Correlations of features with each other and with the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Result
from quarkline.statistics.arrays import Floats


@dataclass(frozen=True)
class FeatureCorrelation(Result, kind="feature-correlation"):
    """Weighted Pearson correlations in one class.

    Attributes:
        sample: The class, or "all".
        names: Features.
        matrix: Correlation of each pair over events that have both, (F, F); NaN where a feature
            is constant, or weights do not give a positive variance.
        with_score: Correlation of each feature with the score.
        events: Number of events.
    """

    sample: str
    names: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    with_score: tuple[float, ...]
    events: int


def feature_correlation(
    sample: str,
    names: tuple[str, ...],
    values: ArrayLike,
    score: ArrayLike,
    *,
    weight: ArrayLike | None = None,
) -> FeatureCorrelation:
    """Correlate features.

    Args:
        sample: The class, or "all".
        names: The F features.
        values: With shape (N, F); NaN where missing. A pair uses events that have both.
        score: With shape (N,).
        weight: With shape (N,), signed; None for one each.
    """
    columns = np.column_stack([np.asarray(values, dtype=np.float64), np.asarray(score, np.float64)])
    given = np.ones(len(columns)) if weight is None else np.asarray(weight, dtype=np.float64)
    matrix = _pearson(columns, given)
    rows = tuple(tuple(row[:-1]) for row in matrix[:-1].tolist())
    return FeatureCorrelation(
        sample, tuple(names), rows, tuple(matrix[-1, :-1].tolist()), len(columns)
    )


def _pearson(columns: Floats, weight: Floats) -> Floats:
    known = np.isfinite(columns)
    scaled = np.where(known, columns - _centre(columns, known), 0.0)
    scaled /= np.maximum(np.abs(scaled).max(axis=0, initial=0.0), 1e-300)
    here, weighted = known.astype(np.float64), scaled * weight[:, None]
    total = (here * weight[:, None]).T @ here
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = weighted.T @ here / total  # of the row's feature where the column's exists
        square = (weighted * scaled).T @ here / total
        product = weighted.T @ scaled / total
        variance = square - mean**2
        sure = (total > 0.0) & (variance > 1e-12 * square) & (variance.T > 1e-12 * square.T)
        found = (product - mean * mean.T) / np.sqrt(variance * variance.T)
    return np.where(sure, found, np.nan)


def _centre(columns: Floats, known: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> Floats:
    number = np.maximum(known.sum(axis=0), 1)
    return np.asarray(np.where(known, columns, 0.0).sum(axis=0) / number)
