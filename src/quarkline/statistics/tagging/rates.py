"""What a tagger is worth at a working point, and how often it takes jets for signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Bools, Floats
from quarkline.statistics.ks import effective_size
from quarkline.statistics.significance import binomial_interval
from quarkline.statistics.tagging.classes import (
    BIB,
    CLASSES,
    QCD,
    SIGNAL,
    arg_max,
    balanced_weights,
)
from quarkline.statistics.working_point import efficiency_at, rejection_at

BIB_SHARE = 0.1
"""What BIB counts beside QCD where both are rejected together."""

Background = Literal["all", "qcd", "bib"]


@dataclass(frozen=True)
class TaggedShare:
    """The share of some jets whose largest output is the signal's.

    Attributes:
        name: The class of the jets.
        mass: m_H and m_S in GeV; zeros for background.
        jets: Number of jets.
        share: With its central 68.3 % interval (Clopper and Pearson) of the effective number.
    """

    name: str
    mass: tuple[float, float]
    jets: int
    share: Quantity


@dataclass(frozen=True)
class TaggedShares(Result, kind="tagged-shares"):
    """Efficiencies of the signal by (m_H, m_S), and false positives of the backgrounds.

    Attributes:
        signal: By rising m_H, then m_S.
        background: All background, QCD, BIB.
    """

    signal: tuple[TaggedShare, ...]
    background: tuple[TaggedShare, ...]


def tagged_shares(
    scores: ArrayLike, label: ArrayLike, mass: ArrayLike, weight: ArrayLike | None = None
) -> TaggedShares:
    """Count which jets have the signal's output as their largest.

    Args:
        scores: Outputs, with shape (N, 3).
        label: Class of each jet, with shape (N,).
        mass: m_H and m_S in GeV, with shape (N, 2).
        weight: Weights; None for one each, which is what efficiencies are quoted with.
    """
    tagged, true = arg_max(scores) == SIGNAL, np.asarray(label)
    masses = np.asarray(mass, dtype=np.float64).reshape(-1, 2)
    weights = np.ones(true.size) if weight is None else np.asarray(weight, dtype=np.float64)
    points = np.unique(masses[true == SIGNAL], axis=0)
    background = {
        "background": true != SIGNAL,
        CLASSES[QCD]: true == QCD,
        CLASSES[BIB]: true == BIB,
    }
    return TaggedShares(
        tuple(
            _share(CLASSES[SIGNAL], point, tagged[rows], weights[rows])
            for point in points
            for rows in [(true == SIGNAL) & (masses == point).all(axis=1)]
        ),
        tuple(
            _share(name, np.zeros(2), tagged[rows], weights[rows])
            for name, rows in background.items()
        ),
    )


def rejection(
    scores: ArrayLike,
    label: ArrayLike,
    weight: ArrayLike,
    efficiency: float = 0.5,
    *,
    against: Background = "all",
) -> Quantity:
    """Rejection of background by the signal's output at a signal efficiency.

    Args:
        scores: Outputs, with shape (N, 3).
        label: Class of each jet, with shape (N,).
        weight: Weights, with shape (N,).
        efficiency: Of the signal, within (0, 1).
        against: "qcd", "bib", or "all": QCD and a tenth of BIB, each with weights that add up to
            its number of jets, as in the ROC curves.
    """
    score, true = _signal_score(scores), np.asarray(label)
    weights = mixture_weights(true, weight)
    others = _background(true, against)
    return rejection_at(
        score[true == SIGNAL],
        score[others],
        efficiency,
        signal_weight=weights[true == SIGNAL],
        background_weight=weights[others],
    )


def signal_efficiency(
    scores: ArrayLike,
    label: ArrayLike,
    weight: ArrayLike,
    background_efficiency: float = 0.01,
    *,
    against: Background = "qcd",
) -> Quantity:
    """Signal efficiency of a cut on the signal's output at an efficiency of the background.

    Args:
        scores: Outputs, with shape (N, 3).
        label: Class of each jet, with shape (N,).
        weight: Weights, with shape (N,).
        background_efficiency: Within (0, 1).
        against: As for `rejection`.
    """
    score, true = _signal_score(scores), np.asarray(label)
    weights = mixture_weights(true, weight)
    others = _background(true, against)
    return efficiency_at(
        score[true == SIGNAL],
        score[others],
        background_efficiency,
        wanted_weight=weights[true == SIGNAL],
        reference_weight=weights[others],
    )


def mixture_weights(label: ArrayLike, weight: ArrayLike, *, scaled: int = BIB) -> Floats:
    """Weights that add up to the number of jets in each class, one class at a tenth of it.

    Args:
        label: Class of each jet, with shape (N,).
        weight: Weights, with shape (N,).
        scaled: The class that counts a tenth.
    """
    balanced = balanced_weights(label, weight)
    return np.where(np.asarray(label) == scaled, BIB_SHARE * balanced, balanced)


def _signal_score(scores: ArrayLike) -> Floats:
    return np.asarray(scores, dtype=np.float64)[:, SIGNAL]


def _background(label: ArrayLike, against: Background) -> Bools:
    chosen = {"all": (QCD, BIB), "qcd": (QCD,), "bib": (BIB,)}[against]
    return np.isin(label, chosen)


def _share(name: str, mass: Floats, tagged: Bools, weight: Floats) -> TaggedShare:
    """The share of some jets that are tagged."""
    about = (name, (float(mass[0]), float(mass[1])), tagged.size)
    total, number = weight.sum(), effective_size(weight)
    if not total > 0.0:
        return TaggedShare(*about, Quantity(np.nan))
    value = float(weight[tagged].sum() / total)
    low, high = binomial_interval(np.clip(value, 0.0, 1.0) * number, number)
    return TaggedShare(*about, Quantity(value, up=float(high) - value, down=value - float(low)))
