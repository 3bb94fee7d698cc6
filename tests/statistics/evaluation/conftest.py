"""Scored events to judge: positive or signed weights, events in groups."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from quarkline.statistics.evaluation import ScoredEvents, scored_events

CLASSES = ("lq", "ttH", "ttbar")
SCALES = np.array([0.2, 1.0, 5.0])


def made(
    count: int = 600, *, seed: int = 1, signed: bool = False, per_group: int = 1, better: float = 0
) -> ScoredEvents:
    """Events of three classes whose scores know something of the class."""
    random = np.random.default_rng(seed)
    groups = -(-count // per_group)
    label = random.integers(0, 3, groups).repeat(per_group)[:count]
    logit = random.normal(size=(groups, 3)).repeat(per_group, axis=0)[:count]
    logit += 0.3 * random.normal(size=(count, 3))
    logit[np.arange(count), label] += 1.2 + better
    weight = SCALES[label] * random.exponential(size=count)
    if signed:
        weight *= np.where(random.uniform(size=count) < 0.15, -1.0, 1.0)
    score = np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True)
    group = np.arange(groups).repeat(per_group)[:count] + 1000 * seed
    return scored_events(score, label, classes=CLASSES, weight=weight, group=group)


@pytest.fixture(name="made")
def _made() -> Callable[..., ScoredEvents]:
    return made


def divided(events: ScoredEvents) -> ScoredEvents:
    """Every event as two of the same group that share its weight, in another order."""
    order = np.random.default_rng(0).permutation(2 * len(events))
    rows = np.tile(np.arange(len(events)), 2)[order]
    share = np.repeat([0.25, 0.75], len(events))[order]
    return scored_events(
        events.score[rows],
        events.label[rows],
        classes=events.classes,
        weight=events.weight[rows] * share,
        group=events.group[rows],
    )


@pytest.fixture(name="divided")
def _divided() -> Callable[[ScoredEvents], ScoredEvents]:
    return divided
