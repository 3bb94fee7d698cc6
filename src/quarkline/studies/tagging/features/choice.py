"""Which jets are learned from, and which events are for training, validation and test.

Every decision is a pure function of the seed and of the jet's event or row, so that it depends
neither on the order of files nor on how many jets are looked at at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.rng import uniform_per_row
from quarkline.studies.tagging.columns import Label
from quarkline.studies.tagging.features.config import JetFeaturesConfig
from quarkline.studies.tagging.jets import JetSet

LOW_MASS, HIGH_MASS = 200.0, 400.0
"""Largest mH of signal of low mass, and least mH of signal of high mass, in GeV."""


class Split(IntEnum):
    """What the jets of an event are for."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


@dataclass(frozen=True)
class Choice:
    """What becomes of N jets.

    Attributes:
        kept: Whether a jet is kept, with shape (N,).
        split: What it is for, a `Split`.
    """

    kept: NDArray[np.bool_]
    split: NDArray[np.int8]


def choose(jets: JetSet, config: JetFeaturesConfig, *, seed: int, control: bool) -> Choice:
    """Choose jets of the main set, or of the control region.

    Args:
        jets: All jets; their constituents are not looked at.
        config: What is wanted.
        seed: The analysis's seed.
        control: Whether they are a control region, of which nothing but `fraction` is chosen.
    """
    kept = uniform_per_row(seed, "fraction", jets.event) < config.fraction
    split = split_of(jets.event, config, seed=seed)
    if control:
        return Choice(kept, split)
    learned = split != Split.TEST
    kept &= ~(learned & (jets.label == Label.SIGNAL)) | _has_mass(jets, config)
    if config.balanced:
        kept &= _balanced(jets, kept, split, seed)
    return Choice(kept, split)


def split_of(
    event: NDArray[np.uint64], config: JetFeaturesConfig, *, seed: int
) -> NDArray[np.int8]:
    """What the jets of events are for; jets of one event are never separated."""
    drawn = uniform_per_row(seed, "split", event)
    split = np.full(len(event), Split.TRAIN, np.int8)
    split[drawn < config.validation + config.test] = Split.VALIDATION
    split[drawn < config.test] = Split.TEST
    return split


def masses_for(
    jets: JetSet, points: NDArray[np.float32], shares: NDArray[np.float64], *, seed: int
) -> NDArray[np.float32]:
    """The masses that a network is told: signal its own, other jets those of some signal.

    Args:
        jets: The jets.
        points: Masses of signal that is trained on, with shape (P, 2).
        shares: Share of each of them, with shape (P,).
        seed: The analysis's seed.

    Returns:
        mH and mS in GeV, with shape (N, 2).
    """
    edges = np.cumsum(shares)[:-1] / np.sum(shares)
    drawn: NDArray[np.int64] = np.searchsorted(
        edges, uniform_per_row(seed, "mass", jets.row), side="right"
    )
    own: NDArray[np.bool_] = np.any(jets.mass > 0, axis=1)
    return np.where(own[:, None], jets.mass, points[drawn])


def _has_mass(jets: JetSet, config: JetFeaturesConfig) -> NDArray[np.bool_]:
    heavy = jets.mass[:, 0]
    wanted = {
        "all": np.ones(len(jets), bool),
        "low": (heavy > 0) & (heavy <= LOW_MASS),
        "high": heavy >= HIGH_MASS,
    }
    return wanted[config.masses]


def _balanced(
    jets: JetSet, kept: NDArray[np.bool_], split: NDArray[np.int8], seed: int
) -> NDArray[np.bool_]:
    """Not more jets of a background than of signal, in training and in validation."""
    among = np.ones(len(jets), bool)
    order = np.lexsort((jets.row, uniform_per_row(seed, "balance", jets.row)))
    for part in (Split.TRAIN, Split.VALIDATION):
        there = kept & (split == part)
        signal = int((there & (jets.label == Label.SIGNAL)).sum())
        for label in (Label.QCD, Label.BIB):
            own = order[np.logical_and(there, jets.label == label)[order]]
            among[own[signal:]] = False
    return among
