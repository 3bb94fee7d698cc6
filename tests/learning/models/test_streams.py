"""The recurrent network against its formula written out in NumPy, and what must not change it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quarkline.learning.features.geometry import Geometry
from quarkline.learning.models.config import StreamNetworkConfig
from quarkline.learning.models.lstm import Lstm
from quarkline.learning.models.networks import build_network

Array = NDArray[np.float64]

GEOMETRY = Geometry(3, (), ((5, 4), (3, 2)))
SMALL: dict[str, Any] = {
    "streams": [{"filters": [6, 5], "nodes": 4}, {"filters": [3], "nodes": 2}],
    "hidden": [7, 6],
}
UPSTREAM: dict[str, Any] = {
    "streams": [{}, {}, {"filters": [32, 16, 8], "nodes": 5}],
    "absent": "zeros",
}
CHANGES: dict[str, dict[str, Any]] = {
    "skipped": {},
    "zeros": {"absent": "zeros"},
    "both-ways": {"bidirectional": True},
    "two-lstms-both-ways": {
        "bidirectional": True,
        "streams": [{"filters": [6], "nodes": 4, "layers": 2}],
    },
    "two-lstms-zeros": {
        "absent": "zeros",
        "streams": [{"filters": [6, 5], "nodes": 4, "layers": 2}],
    },
    "mean": {"streams": [{"filters": [6, 5], "nodes": 0}]},
    "mean-zeros": {"streams": [{"filters": [6, 5], "nodes": 0}], "absent": "zeros"},
}
every_kind = pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))


def network(change: dict[str, Any]) -> nn.Module:
    module = build_network(StreamNetworkConfig(**SMALL | change), GEOMETRY, 3, seed=2)
    with torch.no_grad():  # constants are 0 at first, and would hide a wrong place
        for weight in module.parameters():
            noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(4))
            weight.add_(noise, alpha=0.1)
    return module.eval()


def batch(count: int = 30) -> list[Tensor]:
    """Tensors as preprocessing makes them; event 0 has no object, event 1 all of them."""
    draw = np.random.default_rng(3)
    tensors = [
        torch.tensor(draw.normal(size=(count, 3)), dtype=torch.float32),
        torch.zeros((count, 3), dtype=torch.bool),
        torch.zeros((count, 0), dtype=torch.int64),
    ]
    for length, features in GEOMETRY.objects:
        number = draw.integers(0, length + 1, count)
        number[:2] = [0, length]
        present = np.arange(length) < number[:, None]
        values = np.where(present[:, :, None], draw.normal(size=(count, length, features)), 0)
        tensors += [torch.tensor(values, dtype=torch.float32), torch.tensor(present)]
    return tensors


def logistic(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def lstm(weights: dict[str, Array], name: str, rows: Array) -> list[Array]:
    """States after each row."""
    nodes = weights[f"{name}.recurrent"].shape[1]
    h, c = np.zeros(nodes), np.zeros(nodes)
    states = []
    for row in rows:
        z = weights[f"{name}.weight"] @ row + weights[f"{name}.recurrent"] @ h
        i, f, g, o = (z + weights[f"{name}.bias"]).reshape(4, nodes)
        c = logistic(f) * c + logistic(i) * np.tanh(g)
        h = logistic(o) * np.tanh(c)
        states.append(h)
    return states


def stream(weights: dict[str, Array], name: str, rows: Array) -> Array:
    """One group of one event, object after object."""
    for layer in range(sum(key.startswith(f"{name}.layers") for key in weights) // 2):
        kernel, bias = (weights[f"{name}.layers.{layer}.{part}"] for part in ("weight", "bias"))
        rows = np.maximum(rows @ kernel.T + bias, 0)
    depth = 0
    ends = np.mean(rows, axis=0) if len(rows) else np.zeros(rows.shape[1])
    while f"{name}.recurrent.{depth}.0.weight" in weights:
        found, ends = [], []
        for direction in range(2):
            place = f"{name}.recurrent.{depth}.{direction}"
            if f"{place}.weight" not in weights:
                continue
            states = lstm(weights, place, rows[::-1] if direction else rows)
            nodes = weights[f"{place}.recurrent"].shape[1]
            ends.append(states[-1] if states else np.zeros(nodes))
            ordered = states[::-1] if direction else states
            found.append(np.array(ordered).reshape(len(rows), nodes))
        rows, ends = np.concatenate(found, axis=1), np.concatenate(ends)
        depth += 1
    return np.asarray(ends)


@every_kind
def test_the_network_is_its_formula(change: dict[str, Any]) -> None:
    module, tensors = network(change), batch()
    state = module.state_dict()
    weights = {name: value.numpy().astype(np.float64) for name, value in state.items()}
    expected = []
    for event in range(len(tensors[0])):
        parts = []
        for group in range(2):
            values, present = (tensors[3 + 2 * group + part][event].numpy() for part in (0, 1))
            rows = values if change.get("absent") == "zeros" else values[present]
            parts.append(stream(weights, f"streams.{group}", rows.astype(np.float64)))
        hidden = np.concatenate([*parts, tensors[0][event].numpy()])
        for layer in ("hidden.0", "hidden.1"):
            product = weights[f"{layer}.weight"] @ hidden + weights[f"{layer}.bias"]
            hidden = np.maximum(product, 0)
        expected.append(weights["read_out.weight"] @ hidden + weights["read_out.bias"])
    found = module(*tensors).detach().numpy()
    assert found == pytest.approx(np.array(expected), abs=2e-6)
    assert len(np.unique(found.round(5), axis=0)) > 20


@pytest.mark.parametrize("change", [{}, {"bidirectional": True}], ids=["one", "both"])
def test_neither_what_is_absent_nor_where_matters(change: dict[str, Any]) -> None:
    module, tensors = network(change), batch()
    expected = module(*tensors)
    for event in range(30):
        present = tensors[4][event]
        count = int(present.sum())
        places = np.sort(np.random.default_rng(event).permutation(5)[:count])
        moved = torch.full((5, 4), 1e6)
        moved[places] = tensors[3][event, :count]
        tensors[3][event] = moved
        tensors[4][event] = torch.zeros(5, dtype=torch.bool)
        tensors[4][event, places] = True
    assert torch.allclose(module(*tensors), expected, atol=1e-6)
    turned = [tensor.clone() for tensor in tensors]
    turned[3], turned[4] = turned[3].flip(1), turned[4].flip(1)
    assert not torch.allclose(module(*turned), expected, atol=1e-3)


def test_padding_counts_where_it_is_read_as_zeros() -> None:
    config = {"absent": "zeros"}
    module, tensors = network(config), batch()
    tensors[4] = torch.ones_like(tensors[4])
    assert torch.equal(module(*tensors), network(config)(*batch()))
    assert not torch.allclose(network({})(*tensors), network({})(*batch()), atol=1e-3)


def test_an_lstm_is_that_of_torch_with_one_bias() -> None:
    torch.manual_seed(0)
    ours, theirs = Lstm(6, 5), nn.LSTM(6, 5, batch_first=True)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(ours.weight)
        theirs.weight_hh_l0.copy_(ours.recurrent)
        theirs.bias_ih_l0.copy_(ours.bias)
        theirs.bias_hh_l0.zero_()
    rows = torch.randn(7, 9, 6, requires_grad=True)
    same = rows.detach().clone().requires_grad_()
    found, expected = ours(rows), theirs(same)[0]
    assert torch.allclose(found, expected, atol=1e-6)
    slope = torch.randn_like(found)
    found.backward(slope)
    expected.backward(slope)
    pairs = [
        (rows, same),
        (ours.weight, theirs.weight_ih_l0),
        (ours.recurrent, theirs.weight_hh_l0),
        (ours.bias, theirs.bias_ih_l0),
    ]
    for mine, other in pairs:
        assert torch.allclose(mine.grad, other.grad, atol=1e-5)


def test_weights_begin_as_those_of_keras() -> None:
    torch.manual_seed(1)
    cell = Lstm(16, 10)
    assert torch.equal(cell.bias, torch.tensor([0.0] * 10 + [1.0] * 10 + [0.0] * 20))
    assert torch.allclose(cell.recurrent.T @ cell.recurrent, torch.eye(10), atol=1e-5)
    limit = np.sqrt(6 / (16 + 40))  # Glorot's: the four gates are one matrix
    assert 0.95 * limit < cell.weight.abs().max() <= limit


def test_the_trainers_network_has_its_60067_parameters() -> None:
    geometry = Geometry(3, (), ((30, 12), (20, 10), (30, 6)))
    module = build_network(StreamNetworkConfig(**UPSTREAM), geometry, 3, seed=1)
    assert sum(weight.numel() for weight in module.parameters()) == 60_067


def test_dropout_is_where_the_trainer_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quarkline.learning.models.streams.is_quick", lambda *_: False)
    """After all but the first layer of a stream, its LSTM and the dense layers: 13 places."""
    geometry = Geometry(3, (), ((30, 12), (20, 10), (30, 6)))
    module = build_network(StreamNetworkConfig(**UPSTREAM), geometry, 3, seed=1)
    widths: list[int] = []
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.register_forward_hook(lambda _, given, out: widths.append(out.shape[-1]))
    tensors = [torch.randn(2, 3), torch.zeros(2, 3, dtype=torch.bool), torch.zeros(2, 0).long()]
    for length, features in geometry.objects:
        tensors += [torch.randn(2, length, features), torch.ones(2, length, dtype=torch.bool)]
    module(*tensors)
    assert widths == [32, 32, 16, 10, 32, 32, 16, 10, 16, 8, 5, 512, 64]


def test_there_is_a_stream_for_each_group() -> None:
    config = StreamNetworkConfig(**SMALL | {"streams": [{}, {}, {}]})
    with pytest.raises(ValueError, match="3 `streams` for 2 groups of objects"):
        build_network(config, GEOMETRY, 3, seed=1)
