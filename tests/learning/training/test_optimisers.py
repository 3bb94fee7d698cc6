"""Optimisers by name, against plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from quarkline.engine.core.rng import rng
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import fit

from .conftest import rows, task

Array = NDArray[np.float64]
RATE, STEPS = 0.01, 5
MATRICES = ("0.weight", "2.weight")


def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))


def fitted(**keys: Any) -> dict[str, Array]:
    """Weights after five steps of 40 rows each."""
    module = network()
    config = FitConfig(batch_size=40, epochs=1, learning_rate=RATE, clip=None, **keys)
    fit(module, rows(200, 1), rows(90, 2, own=True), config, task=task(), seed=3)
    return {name: value.detach().double().numpy() for name, value in module.named_parameters()}


def gradients(weights: dict[str, Array], step: int) -> dict[str, Array]:
    """Of the mean weighted cross-entropy of the step's batch, without torch."""
    features, label, weight = (item.double().numpy() for item in rows(200, 1))
    batch = rng(3, "batches", 0).permutation(200)[40 * step : 40 * step + 40]
    x, at, w = features[batch], label[batch].astype(int), weight[batch]
    hidden = np.tanh(x @ weights["0.weight"].T + weights["0.bias"])
    logits = hidden @ weights["2.weight"].T + weights["2.bias"]
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    out = (share - np.eye(3)[at]) * w[:, None] / 40
    inner = out @ weights["2.weight"] * (1 - hidden**2)
    return {
        "0.weight": inner.T @ x,
        "0.bias": inner.sum(axis=0),
        "2.weight": out.T @ hidden,
        "2.bias": out.sum(axis=0),
    }


def nesterov(*, drift: float, epsilon: float, once: bool, decay: float) -> dict[str, Array]:
    """Adam with Nesterov's momentum; `once`: the product counts each step, not each array."""
    weights = {
        name: value.detach().double().numpy() for name, value in network().named_parameters()
    }
    first, second = ({name: np.zeros_like(value) for name, value in weights.items()} for _ in "12")
    product = 1.0
    for t in range(1, STEPS + 1):
        now, after = (0.9 * (1 - 0.5 * 0.96 ** (drift * at)) for at in (t, t + 1))
        order = [*MATRICES, *(set(weights) - set(MATRICES))] if decay else list(weights)
        found = gradients(weights, t - 1)
        product *= now if once else 1.0
        for name in order:
            product *= 1.0 if once else now
            g = found[name]
            first[name] = 0.9 * first[name] + 0.1 * g
            second[name] = 0.999 * second[name] + 0.001 * g * g
            ahead = after * first[name] / (1 - product * after) + (1 - now) * g / (1 - product)
            size = np.sqrt(second[name] / (1 - 0.999**t)) + epsilon
            weights[name] = weights[name] * (1 - RATE * decay * (name in MATRICES))
            weights[name] = weights[name] - RATE * ahead / size
    return weights


def assert_close(found: dict[str, Array], expected: dict[str, Array]) -> None:
    before = dict(network().named_parameters())
    for name, value in expected.items():
        assert np.abs(value - before[name].detach().numpy()).max() > RATE
        assert found[name] == pytest.approx(value, abs=2e-6), name


def test_nadam_is_dozats() -> None:
    expected = nesterov(drift=0.004, epsilon=1e-8, once=True, decay=0.0)
    assert_close(fitted(optimiser="nadam"), expected)


def test_kerass_nadam_multiplies_its_product_once_for_each_array() -> None:
    found = fitted(optimiser="keras-nadam")
    assert_close(found, nesterov(drift=1.0, epsilon=1e-7, once=False, decay=0.0))
    right = nesterov(drift=1.0, epsilon=1e-7, once=True, decay=0.0)
    assert max(np.abs(found[name] - value).max() for name, value in right.items()) > 1e-3


def test_matrices_alone_are_decayed() -> None:
    found = fitted(optimiser="nadam", weight_decay=0.5)
    assert_close(found, nesterov(drift=0.004, epsilon=1e-8, once=True, decay=0.5))


def test_weights_without_a_gradient_do_not_count() -> None:
    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.idle, self.last = (nn.Parameter(torch.ones(2)) for _ in range(3))

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return ((self.first + 2 * self.last - given) ** 2).sum(dim=1)

    module, given = Half(), [torch.zeros(8, 2)]
    config = FitConfig(batch_size=8, epochs=1, learning_rate=0.1, optimiser="keras-nadam")
    fit(module, given, given, config, seed=1)
    now, after = (0.9 * (1 - 0.5 * 0.96**at) for at in (1, 2))
    for count, weight in ((1, module.first), (2, module.last)):
        product = now**count  # of a first step, whose size is 1
        move = after * 0.1 / (1 - product * after) + (1 - now) / (1 - product)
        assert weight.detach().numpy() == pytest.approx([1 - 0.1 * move] * 2, rel=1e-5)
    assert torch.equal(module.idle, torch.ones(2))
