"""Boosted trees: against probabilities that are known, and what must not be learned from."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.engine.core.findings import InputError
from quarkline.learning.models.boosted import FittedTrees, fit_trees
from quarkline.learning.models.config import TreesConfig

CONFIG = TreesConfig(trees=200, leaves=4, learning_rate=0.1, min_leaf=20, patience=10)


def sample(count: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """One number, one code of a kind and noise; three classes."""
    draw = np.random.default_rng(2)
    label = draw.integers(0, 3, count)
    number = draw.normal(size=count) + (label == 1)
    code = np.where(label == 2, draw.integers(1, 3, count), draw.integers(1, 5, count))
    return np.stack([number, code, draw.normal(size=count)], axis=1).astype(float), label


def fitted(weight: np.ndarray | None = None, **other: object) -> FittedTrees:
    matrix, label = sample()
    ones = np.ones(len(label)) if weight is None else weight
    held_out = np.arange(len(label)) % 3 == 0
    arguments = {"classes": 3, "categories": (1,), "seed": 1} | other
    return fit_trees(CONFIG, matrix, label, ones, held_out, **arguments)  # type: ignore[arg-type]


def probability(trees: FittedTrees, rows: np.ndarray) -> np.ndarray:
    return np.asarray(lightgbm.Booster(model_str=trees.text).predict(rows, num_threads=1))


def test_probabilities_are_those_of_the_densities() -> None:
    """Class 1 is N(1, 1), the others N(0, 1); class 2 has codes 1 and 2 twice as often."""
    x = np.linspace(-1, 2, 7)
    rows = np.stack([x, np.ones(7), np.zeros(7)], axis=1)
    ratio = np.stack([np.ones(7), np.exp(x - 0.5), 2 * np.ones(7)], axis=1)
    expected = ratio / ratio.sum(axis=1, keepdims=True)
    assert probability(fitted(), rows) == pytest.approx(expected, abs=0.12)


def test_weights_count_as_so_many_events() -> None:
    _, label = sample()
    weight = np.where(label == 0, 3.0, 1.0)
    rows = np.array([[0.5, 3.0, 0.0]])
    plain, weighted = probability(fitted(), rows)[0], probability(fitted(weight), rows)[0]
    odds = (weighted[0] / weighted[1]) / (plain[0] / plain[1])
    assert odds == pytest.approx(3, rel=0.2)
    scaled = probability(fitted(weight * 1e-6), rows)[0]
    assert scaled == pytest.approx(weighted, abs=1e-6)


def test_the_trees_of_the_lowest_held_out_loss_are_kept() -> None:
    trees = fitted()
    best = int(np.argmin(trees.validation))
    assert len(trees.validation) == best + 1 + CONFIG.patience
    assert trees.text.count("Tree=") == 3 * (best + 1)
    matrix, label = sample()
    held_out = np.arange(len(label)) % 3 == 0
    found = probability(trees, matrix[held_out])[np.arange(held_out.sum()), label[held_out]]
    assert -np.log(found).mean() == pytest.approx(trees.validation[best], abs=1e-6)


def test_equal_seeds_give_equal_trees() -> None:
    assert fitted().text == fitted().text


def test_each_round_is_told_and_may_stop_the_training() -> None:
    told: list[tuple[int, float]] = []

    def report(epoch: int, metrics: object) -> None:
        told.append((epoch, metrics["validation_loss"]))  # type: ignore[index]
        if epoch == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(report=report)
    assert [epoch for epoch, _ in told] == [0, 1, 2, 3, 4]
    assert [loss for _, loss in told] == list(fitted().validation[:5])


def test_negative_weights_are_refused() -> None:
    weight = np.ones(6000)
    weight[17] = -1
    with pytest.raises(InputError, match="1 of 6000 training events have negative weights"):
        fitted(weight)
