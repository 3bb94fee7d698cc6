"""What is said of scores counts events as their training did."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quarkline.statistics.evaluation import Calibration
from quarkline.studies.search.config import EvaluateConfig
from quarkline.studies.search.judge import Judge, JudgedConfig
from quarkline.studies.search.scores import Scored
from quarkline.studies.search.tables import Rows

EVENTS = 20_000


def judged(weights: str, balance: str) -> Judge:
    """Events whose score is the share of signal among equal events, unless these are weighted."""
    random = np.random.default_rng(3)
    score = random.uniform(0.05, 0.95, EVENTS)
    label = (random.uniform(size=EVENTS) > score).astype(np.int64)  # class 0 is the signal
    weight = np.where(label == 0, score, 1.0)  # so the share of weights is another one

    def part(number: int) -> Scored:
        mine = label == number
        count = int(mine.sum())
        rows = Rows(
            group=np.flatnonzero(mine).astype(np.int64),
            fold=np.zeros(count, np.int16),
            label=label[mine],
            weight=weight[mine],
            selected=np.ones(count, np.bool_),
            weights={},
        )
        scores = np.stack([score[mine], 1 - score[mine]], axis=1)
        return Scored(rows, np.flatnonzero(mine).astype(np.uint64), scores, scores)

    config = JudgedConfig(
        classes=["s", "b"],
        signal="s",
        roles={"s": "signal", "b": "background"},
        titles={"s": "s", "b": "b"},
        weights=weights,
        balance=balance,
        evaluate=EvaluateConfig(replicas=0),
        seed=1,
    )
    return Judge(config, ("s", "b"), {"s": part(0), "b": part(1)}, {})


def error(judge: Judge) -> float:
    found: Any = judge.results()["calibration"]
    assert isinstance(found, Calibration)
    return found.classes[0].ece.value


def test_a_score_learned_from_equal_events_is_calibrated_on_equal_events() -> None:
    assert error(judged("none", "none")) < 0.02


@pytest.mark.parametrize("weights", ["signed", "absolute"])
def test_it_is_not_among_weighted_ones(weights: str) -> None:
    assert error(judged(weights, "none")) > 0.05
