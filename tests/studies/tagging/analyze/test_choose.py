"""The choice of an epoch: laws of the Pareto front, the limit, the knee, and the reasons."""

from __future__ import annotations

import math
import random

import pytest

from quarkline.engine.core.findings import WorkError
from quarkline.engine.core.results import result_from_json
from quarkline.studies.tagging.analyze.choose import Candidate, Choice, choose
from quarkline.studies.tagging.analyze.reasons import best_epochs, looked_at

LOSS, REJECTION = "val_original_lossf", "rejection"


def epochs(pairs: list[tuple[float, float]]) -> list[Candidate]:
    return [Candidate("1", number, *pair) for number, pair in enumerate(pairs, start=1)]


def chosen(pairs: list[tuple[float, float]], limit: float, metric: str = LOSS) -> Choice:
    return choose(epochs(pairs), performance=metric, ks="worst", limit=limit)


def dominated(one: Candidate, others: tuple[Candidate, ...], sign: float) -> bool:
    """By the definition, pair by pair."""
    return any(
        sign * other.performance <= sign * one.performance
        and other.ks <= one.ks
        and (other.performance, other.ks) != (one.performance, one.ks)
        for other in others
    )


@pytest.mark.parametrize("metric", [LOSS, REJECTION])
def test_the_front_is_what_the_definition_says_and_nothing_dominated_is_chosen(metric: str) -> None:
    draw, sign = random.Random(3), 1.0 if metric == LOSS else -1.0
    for _ in range(300):
        size = draw.randint(1, 12)
        pairs = [(draw.randint(0, 5) / 5, draw.randint(0, 5) / 5) for _ in range(size)]
        found = chosen(pairs, draw.choice([0.1, 0.4, 2.0]), metric)
        front = {item.epoch for item in found.candidates if item.on_front}
        expected = {
            item.epoch for item in found.candidates if not dominated(item, found.candidates, sign)
        }
        assert front == expected
        assert found.chosen.on_front


def test_the_best_performance_below_the_limit_is_taken() -> None:
    found = chosen([(0.1, 0.5), (0.2, 0.09), (0.3, 0.05), (0.25, 0.1)], 0.1)
    assert found.chosen.epoch == 2
    assert found.below == 2
    assert "2 of 4 epochs with a worst K-S below 0.1; its own is 0.09" in found.why
    assert chosen([(9, 0.05), (12, 0.05), (30, 0.4)], 0.1, REJECTION).chosen.epoch == 2


def test_without_one_below_the_limit_it_is_the_knee_whatever_the_units() -> None:
    pairs = [(0.1, 0.9), (0.15, 0.4), (0.5, 0.35), (1.0, 0.3)]
    found = chosen(pairs, 0.2)
    assert found.chosen.epoch == 2
    assert found.below == 0
    assert "no epoch has a worst K-S below 0.2 (the least is 0.3)" in found.why
    scaled = [(7 * loss - 3, 0.2 + ks / 4) for loss, ks in pairs]
    assert chosen(scaled, 0.2).chosen.epoch == 2


def test_equal_epochs_are_decided_by_ks_and_then_by_their_order() -> None:
    assert chosen([(0.2, 0.06), (0.2, 0.05), (0.2, 0.05)], 0.1).chosen.epoch == 2
    assert chosen([(0.2, 0.5), (0.2, 0.5)], 0.1).chosen.epoch == 1


def test_an_epoch_without_a_number_is_never_chosen() -> None:
    pairs = [(math.nan, 0.01), (0.1, math.nan), (0.4, 0.05), (-math.inf, 0.0)]
    found = chosen(pairs, 0.1)
    assert found.chosen.epoch == 3
    assert [item.epoch for item in found.front] == [3]
    assert "of the 1 of 1 epochs" in found.why
    with pytest.raises(WorkError, match="none of 2 epochs has a finite"):
        chosen(pairs[:2], 0.1)


def test_a_choice_is_the_same_after_it_was_written() -> None:
    found = chosen([(0.1, 0.5), (0.2, 0.09)], 0.1)
    assert result_from_json(found.as_json()) == found


def test_best_epochs_are_as_many_as_there_are() -> None:
    assert best_epochs([20, 30, 10], 2) == [2, 0]
    assert best_epochs([20, 30, 10], 9) == [2, 0, 1]
    assert best_epochs([1, math.nan, 1, 2], 3) == [0, 2, 3]
    assert best_epochs([1, 3, 2], 1, highest=True) == [1]
    assert best_epochs([], 2) == []


def test_the_best_epoch_against_the_adversary_is_where_the_adversary_fails() -> None:
    history = {
        "val_original_lossf": [1.0, 0.8, 0.9],
        "val_original_adv_lossf": [0.2, 0.6, 0.7],
        "val_adv_loss": [0.7, 0.71, 0.72],
        **{f"ks_{name}_hist": [0.1, 0.2, 0.05] for name in ("qcd", "bib", "sig")},
    }
    assert looked_at(history, 1) == {
        0: ("strongest discriminator",),
        1: ("best network loss",),
        2: ("best against the adversary", "least sum of K-S"),
    }
    del history["ks_sig_hist"]
    assert 2 in looked_at(history, 1)
    assert "least sum of K-S" not in looked_at(history, 1)[2]
