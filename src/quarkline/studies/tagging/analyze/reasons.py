"""Epochs worth a look: the best ones by each of four quantities of a training's history."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

KS = ("ks_qcd_hist", "ks_bib_hist", "ks_sig_hist")
"""K-S distances of the three outputs, each summed over the bins of pT."""


@dataclass(frozen=True)
class Reason:
    """Why an epoch is looked at.

    Attributes:
        words: The reason.
        metrics: Metrics whose sum decides.
        highest: Whether the highest is best.
    """

    words: str
    metrics: tuple[str, ...]
    highest: bool = False


REASONS = (
    Reason("best network loss", ("val_original_lossf",)),
    Reason("best against the adversary", ("val_original_adv_lossf",), highest=True),
    Reason("strongest discriminator", ("val_adv_loss",)),
    Reason("least sum of K-S", KS),
)
"""The adversary's loss is highest where it fails to tell data from simulation: that is best."""


def best_epochs(values: Sequence[float], number: int, *, highest: bool = False) -> list[int]:
    """Places of the `number` smallest values (or largest), the best first.

    Equal values keep their order, and what is no number comes never.
    """
    sign = -1.0 if highest else 1.0
    known = [place for place, value in enumerate(values) if math.isfinite(value)]
    return sorted(known, key=lambda place: sign * values[place])[:number]


def summed(history: Mapping[str, Sequence[float]], metrics: Sequence[str]) -> list[float]:
    """Sum of several metrics of each epoch; none if the history lacks one."""
    if any(name not in history for name in metrics):
        return []
    return [sum(values) for values in zip(*(history[name] for name in metrics), strict=True)]


def looked_at(history: Mapping[str, Sequence[float]], number: int) -> dict[int, tuple[str, ...]]:
    """The reasons to look at epochs, by their place in the history, in order of epochs.

    Args:
        history: Metrics of each epoch by name.
        number: Epochs for each reason.
    """
    found: dict[int, list[str]] = {}
    for reason in REASONS:
        values = summed(history, reason.metrics)
        for place in best_epochs(values, number, highest=reason.highest):
            found.setdefault(place, []).append(reason.words)
    return {place: tuple(found[place]) for place in sorted(found)}
