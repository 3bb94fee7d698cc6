"""Networks against their formulas written out in NumPy, and what no network may depend on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Annotated, Any, Literal

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError
from torch import Tensor

from quarkline.learning.features.arrays import FeatureArrays, Objects
from quarkline.learning.features.geometry import Geometry
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup
from quarkline.learning.models import config as models
from quarkline.learning.models.config import ModelConfig, NetworkConfig
from quarkline.learning.models.networks import build_network

GEOMETRY = Geometry(3, (3, 4), ((4, 2), (2, 3)))
CLASSES = 3
SETTINGS: list[dict[str, Any]] = [
    {"kind": "resnet", "blocks": 2, "width": 16},
    {"kind": "resnet", "blocks": 1, "width": 12, "categories": "one-hot", "missing": "mean"},
    {"kind": "resnet", "blocks": 1, "width": 6, "categories": "number", "objects": "slots"},
    {"kind": "ft-transformer", "blocks": 2, "width": 16, "heads": 4},
    {
        "kind": "ft-transformer",
        "blocks": 2,
        "width": 8,
        "heads": 2,
        "readout": "first",
        "missing": "mean",
        "objects": "slots",
    },
    {
        "kind": "lstm-streams",
        "streams": [{"filters": [5], "nodes": 4}],
        "hidden": [6],
        "dropout": 0,
    },
]
every_network = pytest.mark.parametrize(
    "settings", SETTINGS, ids=lambda item: str(item.get("width", item["kind"]))
)


def config(settings: dict[str, Any]) -> NetworkConfig:
    return TypeAdapter(ModelConfig).validate_python(settings)


def network(settings: dict[str, Any], geometry: Geometry = GEOMETRY) -> torch.nn.Module:
    return build_network(config(settings), geometry, CLASSES, seed=3).eval()


def batch(count: int = 40, geometry: Geometry = GEOMETRY) -> list[Tensor]:
    """Tensors as preprocessing makes them: zero where missing or absent; event 0 has no object."""
    draw = np.random.default_rng(5)
    missing = draw.random((count, geometry.continuous)) < 0.2
    continuous = np.where(missing, 0, draw.normal(size=missing.shape))
    codes = [draw.integers(0, size, count) for size in geometry.categories]
    tensors = [
        torch.tensor(continuous, dtype=torch.float32),
        torch.tensor(missing),
        torch.tensor(np.stack(codes, axis=1) if codes else np.zeros((count, 0), np.int64)),
    ]
    for length, features in geometry.objects:
        number = draw.integers(0, length + 1, count)
        number[0] = 0
        present = np.arange(length) < number[:, None]
        values = np.where(present[:, :, None], draw.normal(size=(count, length, features)), 0)
        tensors += [torch.tensor(values, dtype=torch.float32), torch.tensor(present)]
    return tensors


def gelu(x: NDArray[Any]) -> NDArray[Any]:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def softmax(x: NDArray[Any]) -> NDArray[Any]:
    raised = np.exp(x - x.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


class Weights(dict[str, NDArray[np.float64]]):
    """A network's weights in double precision, and its layers by name."""

    @classmethod
    def of(cls, module: torch.nn.Module) -> Weights:
        return cls({k: v.numpy().astype(np.float64) for k, v in module.state_dict().items()})

    def linear(self, name: str, x: NDArray[Any]) -> NDArray[Any]:
        return x @ self[f"{name}.weight"].T + self.get(f"{name}.bias", 0.0)

    def norm(self, name: str, x: NDArray[Any]) -> NDArray[Any]:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return scaled * self[f"{name}.weight"] + self[f"{name}.bias"]

    def category(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Vectors of one event's codes: row 0 for code 0, then the values of each feature."""
        starts = [0, 2]  # 3 codes, one of which is 0, come first
        rows = [start + code if code else 0 for start, code in zip(starts, codes, strict=True)]
        return self["vectors.table.weight"][rows] + self["vectors.feature"]

    def pool(self, name: str, objects: NDArray[Any], heads: int) -> NDArray[Any]:
        """What attention makes of the objects of one event that are there."""
        tokens = [self[f"{name}.none"]]
        tokens += [gelu(self.linear(f"{name}.embed.0", item)) for item in objects]
        means = []
        for head in range(heads):
            query = self[f"{name}.query.weight"][head]
            shares = softmax(np.array([query @ token for token in tokens]))
            means.append(sum(share * token for share, token in zip(shares, tokens, strict=True)))
        return self[f"{name}.value.weight"] @ np.concatenate(means)

    def attend(self, query: NDArray[Any], both: NDArray[Any], heads: int) -> NDArray[Any]:
        key, value = np.split(both, 2, axis=-1)
        size = len(query) // heads
        parts = []
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            share = softmax(key[:, part] @ query[part] / np.sqrt(size))
            parts.append(share @ value[:, part])
        return np.concatenate(parts)


def events(tensors: list[Tensor]) -> list[list[NDArray[Any]]]:
    """One event after the other; of objects only those that are there."""
    rows = []
    for index in range(len(tensors[0])):
        event = [tensor[index].numpy() for tensor in tensors]
        for place in range(3, len(event), 2):
            event[place] = event[place][event[place + 1]]
        rows.append(event)
    return rows


def test_the_residual_network_is_its_formula() -> None:
    module = network(SETTINGS[0])
    weights = Weights.of(module)
    expected = []
    for numbers, missing, codes, jets, _, leptons, _ in events(batch()):
        inputs = np.concatenate(
            [
                np.where(missing, weights["missing.value"], numbers),
                weights.category(codes).ravel(),
                weights.pool("pools.0", jets, heads=4),
                weights.pool("pools.1", leptons, heads=4),
            ]
        )
        hidden = weights["enter.weight"] @ inputs
        for block in ("blocks.0", "blocks.1"):
            change = weights.norm(f"{block}.2", gelu(hidden))
            hidden = hidden + weights[f"{block}.3.weight"] @ change
        expected.append(weights.linear("read_out.2", weights.norm("read_out.1", gelu(hidden))))
    assert module(*batch()).detach().numpy() == pytest.approx(np.array(expected), abs=2e-5)


def test_the_networks_of_old_take_slots_and_plain_numbers() -> None:
    """The residual network without embedding: codes from 0, each place of an object a number."""
    module = network(SETTINGS[2])
    weights = Weights.of(module)
    continuous, missing, codes, jets, jet, leptons, lepton = (t.numpy() for t in batch())
    numbers = [continuous, jets.reshape(40, -1), leptons.reshape(40, -1)]
    gone = [missing, ~np.repeat(jet, 2, axis=1), ~np.repeat(lepton, 3, axis=1)]
    filled = np.where(np.hstack(gone), weights["missing.value"], np.hstack(numbers))
    hidden = np.hstack([filled, codes - 1.0]) @ weights["enter.weight"].T
    hidden = hidden + weights.linear("blocks.0.3", weights.norm("blocks.0.2", gelu(hidden)))
    expected = weights.linear("read_out.2", weights.norm("read_out.1", gelu(hidden)))
    assert module(*batch()).detach().numpy() == pytest.approx(expected, abs=2e-5)


def test_the_transformer_is_its_formula() -> None:
    module = network(SETTINGS[3])
    weights = Weights.of(module)
    expected = []
    for numbers, missing, codes, jets, _, leptons, _ in events(batch()):
        filled = np.where(missing, weights["missing.value"], numbers)
        tokens = np.vstack(
            [
                weights["token"],
                filled[:, None] * weights["slope"] + weights["constant"],
                weights.category(codes),
                weights.linear("groups.0", jets),
                weights.linear("groups.1", leptons),
            ]
        )
        for block in ("blocks.0", "blocks.1"):
            seen = weights.norm(f"{block}.before_attention", tokens)
            both = weights.linear(f"{block}.key_value", seen)
            attended = [
                weights.attend(query, both, heads=4)
                for query in weights.linear(f"{block}.query", seen)
            ]
            tokens = tokens + weights.linear(f"{block}.project.0", np.array(attended))
            inner = weights.linear(f"{block}.feed.1", weights.norm(f"{block}.feed.0", tokens))
            tokens = tokens + weights.linear(f"{block}.feed.3", gelu(inner))
        expected.append(weights.linear("read_out.1", weights.norm("read_out.0", tokens[0])))
    assert module(*batch()).detach().numpy() == pytest.approx(np.array(expected), abs=2e-5)


@every_network
def test_what_is_missing_or_absent_has_no_value(settings: dict[str, Any]) -> None:
    module, tensors = network(settings), batch()
    expected = module(*tensors)
    filled = [tensor.clone() for tensor in tensors]
    if settings.get("missing") != "mean":  # otherwise the zero of preprocessing is the mean
        filled[0][filled[1]] = 1e6
    if settings.get("objects") != "slots":
        for place in range(3, len(filled), 2):
            filled[place][~filled[place + 1]] = 1e6
    assert torch.allclose(module(*filled), expected, atol=1e-6)
    assert torch.isfinite(expected).all()


@pytest.mark.parametrize("settings", [SETTINGS[0], SETTINGS[3]], ids=["resnet", "transformer"])
def test_the_order_of_objects_changes_nothing(settings: dict[str, Any]) -> None:
    module, tensors = network(settings), batch()
    expected = module(*tensors)
    order = torch.tensor([2, 0, 3, 1])
    tensors[3], tensors[4] = tensors[3][:, order], tensors[4][:, order]
    assert torch.allclose(module(*tensors), expected, atol=1e-5)
    tensors[3] = tensors[3] * 1.5
    assert not torch.allclose(module(*tensors), expected, atol=1e-3)


@pytest.mark.parametrize("count", [1, 5, 40])
def test_the_transformer_computes_the_same_while_it_is_trained(count: int) -> None:
    """There it puts events of similar numbers of objects together."""
    module, tensors = network(SETTINGS[3]), batch(count)
    tensors[4][0] = torch.tensor([True, False, False, True])
    results = []
    for training in (False, True):
        logits = module.train(training)(*tensors)
        module.zero_grad()
        (logits * torch.arange(3.0)).square().sum().backward()
        results.append([logits, *(_slope(weight) for weight in module.parameters())])
    for whole, parts in zip(*results, strict=True):
        assert torch.allclose(parts, whole, rtol=1e-4, atol=1e-5)


def _slope(weight: Tensor) -> Tensor:
    assert weight.grad is not None
    return weight.grad.clone()


@every_network
@pytest.mark.parametrize("training", [False, True], ids=["scoring", "training"])
def test_wild_inputs_give_finite_logits(settings: dict[str, Any], training: bool) -> None:
    """Times of 99999, missing fractions, huge numbers; no object at all, and all of them."""
    features = tuple(Feature(name, name) for name in ("a", "b"))
    spec = FeatureSpec(features, objects=(ObjectGroup("hits", 4, features),))
    draw = np.random.default_rng(2)
    numbers = draw.normal(size=(60, 2)).astype(np.float32)
    present = draw.random((60, 4)) < 0.5
    present[:3] = [[False] * 4, [True] * 4, [False] * 4]
    values = np.where(present[:, :, None], draw.normal(size=(60, 4, 2)), np.nan)
    values = values.astype(np.float32)
    arrays = FeatureArrays(numbers, np.zeros((60, 0), np.int64), {"hits": Objects(values, present)})
    preprocess = Preprocess.fit(spec, arrays)
    numbers[1], numbers[2] = [99_999, -1e30], [np.nan, np.inf]
    values[1] = [[99_999, np.nan], [-1e5, 1e30], [np.inf, -np.inf], [0, 0]]
    module = network(settings, preprocess.geometry).train(training)
    assert module(*preprocess.tensors(arrays)).isfinite().all()


@every_network
def test_a_gradient_reaches_every_weight(settings: dict[str, Any]) -> None:
    module, tensors = network(settings), batch(400)
    module(*tensors).square().sum().backward()
    for name, weight in module.named_parameters():
        if weight.requires_grad:
            assert weight.grad is not None, name
            touched = weight.grad.reshape(len(weight), -1).abs().sum(1) > 0
            unused = 1 if name == "vectors.table.weight" else 0  # the vector of code 0 is fixed
            assert (~touched).sum() == unused, name


@every_network
def test_an_unknown_value_tells_nothing_but_its_feature(settings: dict[str, Any]) -> None:
    """The vector of code 0 stays zero in training, with weight decay, too."""
    module = network(settings)
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.1)
    module(*batch()).square().sum().backward()
    optimiser.step()
    vectors = module.state_dict().get("vectors.table.weight")
    assert vectors is None or not vectors[0].any()


@every_network
def test_weights_are_a_function_of_the_seed(settings: dict[str, Any]) -> None:
    state = torch.get_rng_state()
    one, same = (build_network(config(settings), GEOMETRY, 3, seed=1) for _ in range(2))
    other = build_network(config(settings), GEOMETRY, 3, seed=2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one(*batch()), same(*batch()))
    assert not torch.allclose(one(*batch()), other(*batch()))


@every_network
@pytest.mark.parametrize(
    "geometry",
    [
        Geometry(2),
        Geometry(0, (3, 4)),
        Geometry(0, (1,)),
        Geometry(0, (), ((3, 2),)),
        Geometry(1, (2,)),
    ],
    ids=["numbers", "kinds", "one-unknown-kind", "objects", "both"],
)
def test_any_inputs_will_do(settings: dict[str, Any], geometry: Geometry) -> None:
    if settings.get("readout") == "first" and geometry.objects:
        with pytest.raises(ValueError, match="readout: token"):
            network(settings, geometry)
        return
    flags = settings.get("categories") == "one-hot" or settings["kind"] == "lstm-streams"
    if flags and geometry == Geometry(0, (1,)):
        with pytest.raises(ValueError, match="no value was seen"):
            network(settings, geometry)
        return
    module = network(settings, geometry)
    for count in (1, 5):
        logits = module(*batch(count, geometry))
        assert logits.shape == (count, CLASSES)
        assert torch.isfinite(logits).all()


def test_a_network_needs_a_feature() -> None:
    with pytest.raises(ValueError, match="at least one feature"):
        network(SETTINGS[0], Geometry(0))


def test_heads_divide_the_width() -> None:
    with pytest.raises(
        ValidationError, match="4 heads do not divide a width of 130; write width 128 or 132"
    ):
        config({"kind": "ft-transformer", "width": 130})


def test_another_package_brings_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point of the group `quarkline.models` is one more `kind`."""

    class LinearConfig(NetworkConfig):
        kind: Literal["linear"] = "linear"

        def build(self, geometry: Geometry, classes: int) -> torch.nn.Module:
            return torch.nn.Linear(geometry.continuous, classes)

    point = SimpleNamespace(load=lambda: LinearConfig)
    monkeypatch.setattr(models.importlib.metadata, "entry_points", lambda group: [point])
    known = TypeAdapter(Annotated[models._known(), Field(discriminator="kind")])
    made = build_network(known.validate_python({"kind": "linear"}), Geometry(3), 2, seed=1)
    assert made(torch.zeros(4, 3)).shape == (4, 2)
    assert known.validate_python({"kind": "bdt"}).trees == 500
    with pytest.raises(ValidationError, match="'linear'"):
        known.validate_python({"kind": "lineal"})
