"""The quick way through the recurrent network against plain layers with the same dropout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from quarkline.learning.features.geometry import Geometry
from quarkline.learning.models import streams
from quarkline.learning.models.config import StreamNetworkConfig
from quarkline.learning.models.dropped import Kept, Noise, relu_layers, spread
from quarkline.learning.models.lstm import Lstm
from quarkline.learning.models.networks import build_network
from quarkline.learning.models.scan import Sequences, last_states

GEOMETRY = Geometry(3, (2, 4), ((5, 4), (3, 2)))
SETTINGS: dict[str, Any] = {
    "streams": [{"filters": [6, 5, 7, 3], "nodes": 4}, {"filters": [3, 8], "nodes": 2}],
    "hidden": [7, 6],
    "absent": "zeros",
    "dropout": 0.3,
}


def network(**changes: Any) -> streams.StreamNetwork:
    module = build_network(StreamNetworkConfig(**SETTINGS | changes), GEOMETRY, 3, seed=2)
    assert isinstance(module, streams.StreamNetwork)
    with torch.no_grad():  # constants are 0 at first, and would hide a wrong place
        for weight in module.parameters():
            noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(4))
            weight.add_(noise, alpha=0.1)
    return module.double().train()


def batch(count: int = 17) -> list[Tensor]:
    """Jet 0 has no object, jet 1 all of them; the others have gaps."""
    draw = np.random.default_rng(3)
    tensors = [
        torch.tensor(draw.normal(size=(count, 3))),
        torch.tensor(draw.random((count, 3)) < 0.2),
        torch.tensor(np.stack([draw.integers(0, size, count) for size in (2, 4)], axis=1)),
    ]
    for length, features in GEOMETRY.objects:
        present = draw.random((count, length)) < 0.5
        present[:2] = [[False], [True]]
        values = np.where(present[:, :, None], draw.normal(size=(count, length, features)), 0)
        tensors += [torch.tensor(values), torch.tensor(present)]
    return tensors


def gradients(module: nn.Module, logits: Tensor) -> dict[str, Tensor]:
    module.zero_grad()
    pull = torch.linspace(-1, 2, logits.numel(), dtype=logits.dtype).view_as(logits)
    (logits * pull).sum().backward()  # type: ignore[no-untyped-call]
    return {name: weight.grad.clone() for name, weight in module.named_parameters()}  # type: ignore[union-attr]


class Recorded(Noise):
    """Remembers what it kept."""

    found: list[Kept]

    def keep(self, rows: int, features: int) -> Kept:
        kept = super().keep(rows, features)
        self.found.append(kept)
        return kept


class Replayed(nn.Module):
    """Dropout of places (N, L, F) or events (N, F) that was recorded.

    Rows of objects stood first; with masks there were no others, and objects come first here.
    """

    def __init__(
        self, kept: list[Kept], share: float, present: dict[int, Tensor], *, skips: bool
    ) -> None:
        super().__init__()
        self.kept, self.share, self.present, self.skips = kept, share, present, skips

    def forward(self, values: Tensor) -> Tensor:
        keep = torch.from_numpy(self.kept.pop(0))
        if values.ndim == 3:
            there = self.present[values.shape[1]]
            if self.skips:
                there = there.sort(dim=1, descending=True)[0]
            order = torch.argsort(~there.flatten(), stable=True)[: len(keep)]
            placed = torch.ones(there.numel(), keep.shape[1], dtype=torch.bool)
            placed[order] = keep
            keep = placed.view_as(values)
        return values * keep / self.share


@pytest.mark.parametrize("dropout", [0.3, 0.0], ids=["dropout", "none"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "both-ways"])
@pytest.mark.parametrize("absent", ["zeros", "skipped"])
def test_it_is_plain_layers_with_the_same_dropout(
    absent: str, bidirectional: bool, dropout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Kept] = []
    monkeypatch.setattr(Recorded, "found", kept, raising=False)
    monkeypatch.setattr("quarkline.learning.models.quick.Noise", Recorded)
    module = network(absent=absent, bidirectional=bidirectional, dropout=dropout)
    tensors = batch()
    logits = module(*tensors)
    quick = gradients(module, logits)
    ends, width = kept[4], 8 if bidirectional else 4
    ordered = [*kept[:3], ends[:, :width], kept[3], ends[:, width:], *kept[5:]]
    present = {5: tensors[4], 3: tensors[6]}
    replay = Replayed(ordered, 1 - dropout, present, skips=absent == "skipped")
    for part in (module, *module.streams):
        part.dropout = replay
    monkeypatch.setattr(streams, "is_quick", lambda *_: False)
    plain = module(*tensors)
    assert not ordered
    assert torch.allclose(logits, plain, rtol=0, atol=1e-12)
    slow = gradients(module, plain)
    for name, slope in slow.items():
        assert slope.abs().max() > 0, name
        assert torch.allclose(quick[name], slope, rtol=1e-10, atol=1e-12), name


def test_in_single_precision_it_is_the_same_to_a_millionth(monkeypatch: pytest.MonkeyPatch) -> None:
    module, tensors = network(), batch()
    torch.manual_seed(8)
    expected = module(*tensors)
    single = [one.float() if one.dtype == torch.float64 else one for one in tensors]
    torch.manual_seed(8)
    assert torch.allclose(module.float()(*single).double(), expected, atol=2e-6)


def test_slopes_are_those_of_differences() -> None:
    draw = torch.Generator().manual_seed(1)
    keep = np.random.default_rng(1).random((6, 4)) < 0.7

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64).requires_grad_()

    rows, weights = drawn(6, 3), [drawn(4, 3), drawn(4), drawn(2, 4), drawn(2)]

    def layers(rows: Tensor, *tensors: Tensor) -> Tensor:
        return relu_layers(rows, [keep, None], [tensors[:2], tensors[2:]])  # type: ignore[list-item]

    torch.autograd.gradcheck(layers, (rows, *weights))
    torch.autograd.gradcheck(lambda few: spread(few, keep), drawn(3, 4))
    lstms = [Lstm(3, 2).double(), Lstm(2, 1).double()]
    orders = [torch.randperm(8, generator=draw).view(4, 2), torch.tensor([[2, 0], [1, 2]])]

    def scan(*parts: Tensor) -> Tensor:
        return last_states(lstms, [Sequences(*one) for one in zip(parts, orders, strict=True)], 0.8)

    torch.autograd.gradcheck(scan, (drawn(8, 3), drawn(2, 2)))


def test_dropout_is_a_function_of_torch_s_generator() -> None:
    module, tensors = network(), batch()
    torch.manual_seed(5)
    first, second = module(*tensors), module(*tensors)
    torch.manual_seed(5)
    assert torch.equal(module(*tensors), first)
    assert not torch.allclose(first, second)
    with torch.no_grad():
        torch.manual_seed(5)
        assert torch.equal(module(*tensors), first)


def test_the_share_of_dropout_is_kept_and_even() -> None:
    noise = Noise(0.2)
    keep = noise.keep(40_001, 25)
    assert noise.kept == 0.8
    error = np.sqrt(0.16 / keep.size)
    assert keep.mean() == pytest.approx(noise.kept, abs=4 * error)
    assert np.abs(keep.mean(axis=0) - 0.8).max() < 5 * np.sqrt(0.16 / 40_001)
    together = (keep[1:] & keep[:-1]).mean()
    assert together == pytest.approx(0.64, abs=8 * error)


def test_expected_logits_hardly_differ_from_those_without_dropout() -> None:
    module, tensors = network(dropout=0.02), batch()
    with torch.no_grad():
        torch.manual_seed(1)
        mean = torch.stack([module(*tensors) for _ in range(400)]).mean(dim=0)
        assert torch.allclose(mean, module.eval()(*tensors), atol=0.02)


@pytest.mark.parametrize(
    "changes",
    [
        {"streams": [{"filters": [6, 5], "nodes": 0}]},
        {"streams": [{"filters": [6], "nodes": 3}]},
        {"streams": [{"filters": [6, 5], "nodes": 3, "layers": 2}]},
    ],
    ids=["mean", "one-layer", "two-lstms"],
)
def test_other_networks_go_the_plain_way(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "quick_logits", None)
    logits = network(**changes)(*batch())
    assert logits.shape == (17, 3)


@pytest.mark.parametrize("absent", ["zeros", "skipped"])
def test_none_of_the_jets_may_have_an_object_or_all_of_them(absent: str) -> None:
    module, tensors = network(absent=absent), batch()
    for full in (False, True):
        for group in (4, 6):
            tensors[group] = torch.full_like(tensors[group], full)
        logits = module(*tensors)
        assert all(slope.isfinite().all() for slope in gradients(module, logits).values())
