"""The classes of jets, the outputs of a tagger in their order, and weights that balance them."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from quarkline.statistics.arrays import Bools, Floats, Indices

QCD, SIGNAL, BIB = range(3)
"""Labels of jets, and the places of their scores among the outputs."""

OUTPUTS = ("qcd", "sig", "bib")
"""Short names of the outputs in their order, as names of figures and quantities use them."""

CLASSES = ("QCD", "signal", "BIB")
"""The same in words."""


def balanced_weights(label: ArrayLike, weight: ArrayLike) -> Floats:
    """Weights that add up to the number of jets in each class; what is given stays as it is.

    Args:
        label: Class of each jet, with shape (N,).
        weight: Weights, with shape (N,).

    Returns:
        With shape (N,); a class whose weights do not add up to more than zero keeps them.
    """
    classes, balanced = np.asarray(label), np.array(weight, dtype=np.float64)
    for value in np.unique(classes):
        chosen = classes == value
        total = balanced[chosen].sum()
        if total > 0.0:
            balanced[chosen] *= chosen.sum() / total
    return balanced


def arg_max(scores: ArrayLike) -> Indices:
    """Which output of each jet is largest, with shape (N,); the first of equal ones."""
    return cast("Indices", np.asarray(scores).reshape(-1, len(OUTPUTS)).argmax(axis=1))


def arg_max_fractions(
    scores: ArrayLike, label: ArrayLike, weight: ArrayLike | None = None
) -> Floats:
    """Shares of each true class (row) by largest output (column).

    Args:
        scores: Outputs, with shape (N, 3).
        label: Class of each jet, with shape (N,).
        weight: Weights; None for one each.

    Returns:
        With shape (3, 3); NaN in the row of a class of no jets.
    """
    taken, true = arg_max(scores), np.asarray(label)
    weights = np.ones(true.size) if weight is None else np.asarray(weight, dtype=np.float64)
    sums = np.zeros((len(OUTPUTS), len(OUTPUTS)))
    np.add.at(sums, (true, taken), weights)
    totals = sums.sum(axis=1, keepdims=True)
    fractions = np.full_like(sums, np.nan)
    np.divide(sums, totals, out=fractions, where=totals > 0.0)
    return fractions


def finite_rows(scores: Floats) -> Bools:
    """Jets all of whose outputs are numbers, with shape (N,)."""
    return np.asarray(np.isfinite(scores).all(axis=1))
