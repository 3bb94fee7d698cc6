"""Weights in the loss: balance, signs, and what cannot be learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.learning.training.class_weights import loss_weights
from quarkline.learning.training.config import TrainingConfig

CLASSES = ("ttH", "lq", "VV")


def sample(count: int = 3000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, weights of which a fifth is negative, and every fourth event held out."""
    generator = np.random.default_rng(1)
    label = generator.choice(3, count, p=[0.6, 0.1, 0.3])
    weight = generator.exponential(1 + label) * np.where(generator.random(count) < 0.2, -1, 1)
    return label, weight, np.arange(count) % 4 == 0


def weights(*events: np.ndarray, **keys: Any) -> np.ndarray:
    config = TrainingConfig(**keys)
    return loss_weights(*events, classes=CLASSES, signal="lq", config=config)


def totals(label: np.ndarray, weight: np.ndarray, validation: np.ndarray) -> np.ndarray:
    return np.array([weight[(label == number) & ~validation].sum() for number in range(3)])


@pytest.mark.parametrize("kind", ["none", "absolute", "signed"])
@pytest.mark.parametrize("balance", ["none", "classes", "signal"])
def test_the_classes_have_the_totals_that_the_balance_asks_for(kind: str, balance: str) -> None:
    label, weight, validation = sample()
    own = {"none": np.ones_like(weight), "absolute": abs(weight), "signed": weight}[kind]
    found = weights(label, weight, validation, weights=kind, balance=balance)
    assert found[~validation].mean() == pytest.approx(1)
    share = totals(label, found, validation) / totals(label, found, validation).sum()
    before = totals(label, own, validation) / totals(label, own, validation).sum()
    expected = {
        "none": before,
        "classes": np.full(3, 1 / 3),
        "signal": np.where([False, True, False], 0.5, 0.5 * before / (before[0] + before[2])),
    }[balance]
    assert share == pytest.approx(expected)
    for number in range(3):  # within a class the ratios of the weights stay
        mine = label == number
        ratio = found[mine] / own[mine]
        assert ratio == pytest.approx(np.full(len(ratio), ratio[0]))


def test_held_out_events_do_not_change_the_weights_of_the_others() -> None:
    label, weight, validation = sample()
    other = np.where(validation, 5 * weight, weight)
    first, second = (weights(label, given, validation) for given in (weight, other))
    assert np.array_equal(first[~validation], second[~validation])
    assert second[validation] == pytest.approx(5 * first[validation])


def test_a_class_without_events_is_named() -> None:
    label, weight, validation = sample()
    with pytest.raises(InputError, match=r"QL-TRAIN-014.*no training events of class `VV`"):
        weights(np.where(label == 2, 0, label), weight, validation)
    with pytest.raises(InputError, match="no `lq` among the 750 held-out events"):
        weights(np.where(validation, 0, label), weight, validation)
    with pytest.raises(InputError, match="no background among the 750 held-out events"):
        weights(np.where(validation, 1, label), weight, validation)
    with pytest.raises(InputError, match="no `lq` among the 0 held-out events"):
        weights(label, weight, np.zeros(len(label), dtype=bool))


def test_a_class_whose_weights_add_up_to_nothing_is_named() -> None:
    label, weight, validation = sample()
    negative = np.where(label == 1, -abs(weight), weight)
    message = r"QL-TRAIN-015  total weight of the training events of `lq` -\d+.*`weights: signed`"
    with pytest.raises(InputError, match=message):
        weights(label, negative, validation)
    assert np.isfinite(weights(label, negative, validation, weights="absolute")).all()
    out = np.where(validation, -abs(weight), weight)
    with pytest.raises(InputError, match="held-out events have a total weight of -"):
        weights(label, out, validation)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_counted(bad: float) -> None:
    label, weight, validation = sample()
    weight[[3, 70]] = bad
    with pytest.raises(InputError, match="QL-TRAIN-016  2 of 3000 events"):
        weights(label, weight, validation)
