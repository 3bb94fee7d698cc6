"""What only networks do."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from quarkline.learning.models.folds import Rows, family_from
from quarkline.learning.models.mlp import Network, balanced

from .test_folds import SETTINGS

BOUNDARY = SETTINGS["mlp"] | {"hidden": [16], "max_epochs": 20, "patience": 20}


@cache
def trained() -> Network:
    """A network that tells a shifted normal from a standard one, both of 3,000 events."""
    generator = np.random.default_rng(1)
    signal, background = generator.normal(1.0, 1.0, (3000, 1)), generator.normal(size=(3000, 1))
    return family_from(BOUNDARY).fit(
        Rows.numbered(signal), Rows.numbered(background), features=["x"], seed=1
    )


def test_the_probability_is_that_of_the_true_densities() -> None:
    """Equal shares of N(1, 1) and N(0, 1) have log-odds x - 1/2."""
    x = np.linspace(-1.5, 2.5, 9)
    found = trained().probability(x[:, None])
    assert found == pytest.approx(1 / (1 + np.exp(0.5 - x)), abs=0.05)


def test_training_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    trained.__wrapped__()
    assert torch.equal(torch.rand(1), before)


def test_events_beyond_the_training_data_have_a_score() -> None:
    found = trained().probability(np.array([[-1e6], [1e6]]))
    assert np.isfinite(found).all()
    assert found[0] < 0.1 < 0.9 < found[1]


def test_balanced_weights_give_both_classes_half() -> None:
    label = np.repeat([1.0, 0.0], [30, 970])
    weight = balanced(label)
    assert weight.mean() == pytest.approx(1)
    assert weight[label == 1].sum() == pytest.approx(weight[label == 0].sum())
