"""The learning-rate finder: a loss whose best rate is known, and a module left as it was."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from quarkline.engine.core.findings import WorkError
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.finder import find_learning_rate
from quarkline.learning.training.fit import fit
from quarkline.learning.training.scan import running_mean, steepest_descent

from .conftest import assert_equal, network, rows, task

FIND = FitConfig(batch_size=40, find={"lowest": 1e-5, "points": 60})


def scan(config: FitConfig = FIND, module: nn.Module | None = None, seed: int = 3):
    given = rows(200, 1)
    return find_learning_rate(module or network(), given, config, task=task(), seed=seed)


def test_the_module_is_left_exactly_as_it_was() -> None:
    module = network(dropout=0.3, normalised=True)
    before, state = copy.deepcopy(module), torch.get_rng_state()
    scan(module=module)
    assert_equal(before, module)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(weight.grad is None for weight in module.parameters())


@pytest.mark.parametrize("precision", ["32", "16-mixed", "bf16-mixed"])
def test_a_fit_that_finds_its_rate_is_one_that_was_told_it(precision: str) -> None:
    made = []
    find = {"epochs": 2, "batch_size": 40, "precision": precision, "learning_rate": "find"}
    for choose in ("steepest", "minimum"):
        settings = find | {"find": {"lowest": 1e-5, "choose": choose}}
        module = network()
        result = fit(
            module, rows(200, 1), rows(90, 2, own=True), FitConfig(**settings), task=task(), seed=3
        )
        assert result.learning_rates is not None
        rate = getattr(result.learning_rates, choose)
        assert result.history.column("learning_rate") == [rate, rate]
        told, config = network(), FitConfig(**settings | {"learning_rate": rate})
        fit(told, rows(200, 1), rows(90, 2, own=True), config, task=task(), seed=3)
        assert_equal(module, told)
        made.append(rate)
    assert made[0] < made[1]


def test_a_scan_is_a_function_of_its_seed_and_ends_where_the_loss_diverges() -> None:
    first, again, other = scan(), scan(), scan(seed=4)
    assert first == again
    assert first.losses != other.losses
    assert len(first.rates) < 60
    assert np.diff(np.log(first.rates)) == pytest.approx(np.log(10 / 1e-5) / 59)
    assert max(first.losses) <= 4 * first.losses[0]
    whole = scan(FIND.model_copy(update={"find": FIND.find.model_copy(update={"diverged": 1e9})}))
    assert whole.losses[: len(first.losses)] == first.losses
    assert whole.losses[len(first.losses)] > 4 * first.losses[0]


def test_the_running_mean_is_that_of_a_loop() -> None:
    values = np.random.default_rng(1).normal(size=30)
    expected = [values[max(i - 5, 0) : i + 5].mean() for i in range(30)]  # i - 5 to i + 4
    assert running_mean(values.tolist(), 10) == pytest.approx(expected)
    assert running_mean(values.tolist(), 1) == pytest.approx(values)


def test_the_steepest_descent_of_a_known_curve() -> None:
    rates = np.geomspace(1e-6, 1, 601)
    loss = 1 / (1 + np.exp(3 * np.log(rates / 1e-3))) + np.exp(2 * np.log(rates / 0.5))
    assert rates[steepest_descent(rates, loss)] == pytest.approx(1e-3, rel=0.02)


class Upwards(nn.Module):
    """A loss that no step lowers."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        return (self.weight.abs() + 1) * torch.ones_like(features)


def test_a_loss_that_only_rises_is_refused() -> None:
    with pytest.raises(WorkError, match=r"QL-TRAIN-013.*no learning rate from 1e-07 to"):
        find_learning_rate(Upwards(), [torch.ones(64)], FitConfig(batch_size=64), seed=1)
