"""The adversary: its numbers of parameters and the normalisation that Keras has."""

from __future__ import annotations

import torch
from torch import nn

from quarkline.learning.adversary.config import LAYERS
from quarkline.learning.adversary.network import BatchNorm, new_adversary


def test_the_adversary_has_upstreams_size() -> None:
    adversary = new_adversary(3, LAYERS, seed=1)
    trained = sum(weight.numel() for weight in adversary.parameters())
    state = [value for value in adversary.state_dict().values() if value.is_floating_point()]
    assert (sum(value.numel() for value in state), trained) == (661, 571)
    assert adversary(torch.rand(7, 3)).shape == (7, 1)


def test_its_weights_are_a_function_of_the_seed() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, two, three = (new_adversary(3, LAYERS, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one[1].weight, two[1].weight)
    assert not torch.equal(one[1].weight, three[1].weight)


def test_normalisation_is_torchs_but_for_the_running_variance() -> None:
    torch.manual_seed(1)
    ours, theirs = BatchNorm(4), nn.BatchNorm1d(4, eps=1e-3, momentum=0.01)
    expected = torch.ones(4)
    for _ in range(3):
        rows = 3 * torch.randn(6, 4) + 1
        torch.testing.assert_close(ours(rows), theirs(rows))
        expected = 0.99 * expected + 0.01 * rows.var(0, unbiased=False)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, expected)
    ours.eval()
    rows = torch.randn(5, 4)
    told = (rows - ours.running_mean) / (expected + 1e-3).sqrt()
    torch.testing.assert_close(ours(rows), told)


def test_a_single_row_is_normalised_to_the_constant() -> None:
    norm = BatchNorm(2)
    with torch.no_grad():
        norm.bias.copy_(torch.tensor([1.0, -2.0]))
    found = norm(torch.tensor([[5.0, 7.0]]))
    assert found.tolist() == [[1.0, -2.0]]
    found.sum().backward()
    assert norm.bias.grad is not None
