"""Reversed gradients, their bound and their course."""

from __future__ import annotations

import math

import pytest
import torch

from quarkline.learning.adversary.config import CHANCE, Alternating, Reversal, Strength
from quarkline.learning.adversary.reversal import bounded_mean, reversed_gradient


def test_a_reversed_gradient_is_minus_the_weight_times_the_gradient() -> None:
    values = torch.linspace(-1, 1, 5, requires_grad=True)
    (plain,) = torch.autograd.grad(values.sin().sum(), values)
    found = reversed_gradient(values, 2.5)
    assert torch.equal(found, values)
    (turned,) = torch.autograd.grad(found.sin().sum(), values)
    torch.testing.assert_close(turned, -2.5 * plain)


@pytest.mark.parametrize(("odds", "slope"), [(0.5, 1.0), (5.0, 0.0)])
def test_above_the_bound_there_is_nothing_to_gain(odds: float, slope: float) -> None:
    losses = torch.tensor([odds, odds], requires_grad=True)
    weight = torch.tensor([1.0, 3.0])
    found = bounded_mean(losses, weight, CHANCE)
    assert found.item() == pytest.approx(2 * min(odds, math.log(2)))
    (gradient,) = torch.autograd.grad(found, losses)
    torch.testing.assert_close(gradient, slope * weight / 2)
    (gradient,) = torch.autograd.grad(bounded_mean(losses, weight, None), losses)
    torch.testing.assert_close(gradient, weight / 2)


def test_the_weight_waits_and_rises() -> None:
    course = Strength(weight=4.0, warm_up=2.0, ramp=10.0)
    values = [course.at(epoch / 10) for epoch in range(200)]
    assert values[:21] == [0.0] * 21
    assert values[120:] == [4.0] * 80
    assert values == sorted(values)
    # 2 / (1 + exp(-10 p)) - 1 at p = 0.2, as the paper has it, and 1 at p = 1
    ganin = 2 / (1 + math.exp(-10 * 0.2)) - 1
    assert course.at(4.0) == pytest.approx(4.0 * ganin, rel=1e-4)


def test_without_a_ramp_the_weight_is_there_at_once() -> None:
    assert Alternating(weight=10.0).at(0.0) == 10.0
    assert Reversal(weight=10.0).at(0.0) == 0.0
