"""Working points and weights from classifier scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.findings import InputError, Rule
from quarkline.statistics.arrays import Floats

NO_SCORES = Rule(
    "QL-STAT-020",
    "a working point needs scores",
    "A threshold at a false positive rate is one of the scores of background events, so there must "
    "be some, none of them NaN, and the rate must lie in (0, 1].",
)
NO_SIGNAL = Rule(
    "QL-STAT-021",
    "likelihood-ratio weights need a signal fraction in (0, 1]",
    "The weights subtract the background's share of the score, as estimated by an inclusive fit. "
    "With no signal in that fit there is nothing to weight towards.",
)

MOST_WEIGHT = 1e9


def threshold_at_fpr(scores: ArrayLike, fpr: float) -> float:
    """The threshold t with a fraction of `scores` >= t as close to `fpr` as the scores allow.

    It is one of the scores, so it always keeps at least one of them. Events with equal scores pass
    together; of two thresholds equally close the one that keeps fewer events is taken.

    Args:
        scores: Scores of background events, such as sideband data, with shape (N,).
        fpr: Wanted fraction, in (0, 1].

    Raises:
        InputError: If there are no scores, one is NaN, or `fpr` is outside (0, 1].
    """
    ordered = np.sort(np.asarray(scores, dtype=np.float64).ravel())
    if not ordered.size or np.isnan(ordered[-1]) or not 0.0 < fpr <= 1.0:
        unknown = int(np.isnan(ordered).sum())
        raise InputError(
            NO_SCORES.finding(
                f"no threshold at a rate of {fpr:g} for {ordered.size:,} scores, {unknown:,} of "
                "them not a number",
                suggestion="ask for a rate above 0 and at most 1, of scores that are all finite",
            )
        )
    candidates, first = np.unique(ordered, return_index=True)
    kept = ordered.size - first  # how many pass a threshold at each candidate
    distance = np.abs(kept - fpr * ordered.size)
    return float(candidates[np.flatnonzero(distance == distance.min())[-1]])


def likelihood_ratio_weights(score: ArrayLike, signal_fraction: ArrayLike) -> Floats:
    """Weights (R - (1 - mu)) / mu with R = score / (1 - score), clipped to [0, 1e9].

    For a classifier of data against background R estimates p_data / p_background, and the weight
    p_signal / p_background (arXiv:2502.14036). All events get one, in and beside the window.

    Args:
        score: Probability of data against background, in [0, 1], with shape (N,).
        signal_fraction: mu = S / (S + B) in the window, from the fit without a cut; one number, or
            for many samples with shape (M, 1).

    Returns:
        With shape (N,), or (M, N).

    Raises:
        InputError: If a fraction is not in (0, 1].
    """
    mu = np.asarray(signal_fraction, dtype=np.float64)
    wrong = mu[~((mu > 0.0) & (mu <= 1.0))]
    if wrong.size:
        raise InputError(
            NO_SIGNAL.finding(
                f"the signal fraction is {wrong[0]:g}",
                suggestion="cut on the score instead of weighting with it",
            )
        )
    probability = np.asarray(score, dtype=np.float64)
    with np.errstate(divide="ignore"):
        ratio = probability / (1.0 - probability)
    weights = (ratio - (1.0 - mu)) / mu
    return np.clip(weights, 0.0, MOST_WEIGHT)
