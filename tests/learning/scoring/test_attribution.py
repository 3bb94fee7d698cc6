"""Integrated gradients, of networks whose attributions can be written down."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from quarkline.learning.features.geometry import Geometry
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup
from quarkline.learning.models.config import FTTransformerConfig, ResidualNetworkConfig
from quarkline.learning.models.networks import build_network
from quarkline.learning.scoring.attribution import integrated_gradients

SPEC = FeatureSpec(
    (Feature("a", "a"), Feature("b", "b"), Feature("unused", "u")),
    (Feature("kind", "k"),),
    (ObjectGroup("jets", 2, (Feature("pt", "p"), Feature("eta", "e"))),),
)
CLASSES = ("s", "b")
COUNT = 150  # more than are computed together


def tensors() -> tuple[Tensor, ...]:
    draws = torch.Generator().manual_seed(1)
    numbers = torch.randn(COUNT, 3, generator=draws)
    missing = torch.rand(COUNT, 3, generator=draws) < 0.1
    numbers[missing] = 0.0
    kinds = torch.randint(0, 4, (COUNT, 1), generator=draws)
    present = torch.rand(COUNT, 2, generator=draws) < 0.7
    jets = torch.randn(COUNT, 2, 2, generator=draws) * present[:, :, None]
    return numbers, missing, kinds, jets, present


class OneFeature(nn.Module):
    """A network that looks at one input alone."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.table = nn.Embedding(4, 3, padding_idx=0)

    def forward(self, numbers, missing, kinds, jets, present):
        kind = self.table(kinds).sum(dim=(1, 2))
        pt = (jets[:, :, 0] * present).sum(dim=1)
        chosen = {"a": numbers[:, 0], "kind": kind, "pt": pt}[self.name]
        nothing = 0.0 * (numbers.sum(dim=1) + kind + pt)
        return torch.stack([torch.tanh(chosen) + nothing, nothing], dim=1)


@pytest.mark.parametrize("name", ["a", "kind", "pt"])
def test_a_single_feature_gets_the_whole_difference(name):
    torch.manual_seed(0)
    network = OneFeature(name)
    inputs = tensors()
    found = integrated_gradients(network, inputs, SPEC, target="s", classes=CLASSES)
    rows = {row.name: row for row in found.features}
    with torch.no_grad():
        changes = torch.softmax(network(*inputs), dim=1)[:, 0].double().numpy() - 0.5
    assert rows[name].mean.value == pytest.approx(changes.mean(), abs=1e-6)
    if name != "pt":  # attributions of two jets may cancel in an event
        assert rows[name].size.value == pytest.approx(np.abs(changes).mean(), abs=1e-6)
    assert found.features[0].name == name
    assert {row.size.value for row in found.features[1:]} == {0.0}
    assert abs(found.delta_largest) < 1e-5


def test_a_product_is_shared_evenly():
    class Product(nn.Module):
        def forward(self, numbers, missing, kinds, jets, present):
            value = numbers[:, 0] * numbers[:, 1] + 0.0 * jets.sum(dim=(1, 2))
            return torch.stack([value, torch.zeros_like(value)], dim=1)

    found = integrated_gradients(Product(), tensors(), SPEC, target="s", classes=CLASSES)
    rows = {row.name: row for row in found.features}
    assert rows["a"].mean.value == pytest.approx(rows["b"].mean.value, abs=1e-6)
    assert found.left_out == ("kind",)


@pytest.mark.parametrize(
    "config",
    [
        ResidualNetworkConfig(blocks=1, width=8),
        ResidualNetworkConfig(blocks=1, width=8, objects="slots", missing="mean"),
        FTTransformerConfig(blocks=1, width=8, heads=2),
    ],
)
def test_attributions_of_our_networks_are_complete(config):
    network = build_network(config, Geometry(3, (4,), ((2, 2),)), 2, seed=3)
    inputs = tensors()
    found = integrated_gradients(network, inputs, SPEC, target="b", classes=CLASSES, steps=200)
    assert len(found.features) == 6
    total = sum(row.mean.value for row in found.features)
    start = [torch.zeros_like(inputs[0]), inputs[1], torch.zeros_like(inputs[2])]
    start += [torch.zeros_like(inputs[3]), inputs[4]]
    with torch.no_grad():
        ends = [torch.softmax(network(*side), dim=1)[:, 1].mean() for side in (inputs, start)]
    assert total == pytest.approx(float(ends[0] - ends[1]), abs=2e-3)
    assert total - float(ends[0] - ends[1]) == pytest.approx(found.delta_mean, abs=1e-5)


def test_means_are_weighted():
    weight = np.zeros(COUNT)
    weight[:10] = 2.0
    network, inputs = OneFeature("a"), tensors()
    some = integrated_gradients(
        network, [part[:10] for part in inputs], SPEC, target="s", classes=CLASSES
    )
    weighted = integrated_gradients(
        network, inputs, SPEC, target="s", classes=CLASSES, weight=weight
    )
    assert weighted.features[0].size.value == pytest.approx(some.features[0].size.value)


def test_an_unknown_class_is_refused():
    with pytest.raises(ValueError, match="'c' cannot be attributed for 150 events of classes s, b"):
        integrated_gradients(OneFeature("a"), tensors(), SPEC, target="c", classes=CLASSES)
