"""Steps: accumulation, clipping, decay, averages, and losses that are no numbers."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.engine.core.rng import rng
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import fit

from .conftest import assert_equal, network, rows, task, train


def config(**keys: Any) -> FitConfig:
    return FitConfig(**{"epochs": 2, "batch_size": 50, "learning_rate": 0.01} | keys)


def test_a_fit_is_the_plain_loop() -> None:
    """AdamW by hand: decay of matrices only, clipping, a running average, the best epoch."""
    settings = config(weight_decay=0.1, clip=0.3, average_decay=0.8, epochs=3)
    ours, plain = network(), network()
    result = train(None, settings, ours)
    groups = [
        {"params": [plain[0].weight, plain[4].weight], "weight_decay": 0.1},
        {
            "params": [plain[0].bias, plain[3].weight, plain[3].bias, plain[4].bias],
            "weight_decay": 0.0,
        },
    ]
    adam, average, steps = torch.optim.AdamW(groups, lr=0.01), copy.deepcopy(plain), 0
    features, label, weight = rows(200, 1)
    held_out = rows(90, 2)
    losses, best = [], None
    for epoch in range(3):
        order = torch.from_numpy(rng(3, "batches", epoch).permutation(200))
        for batch in order.split(50):
            adam.zero_grad()
            loss = nn.functional.cross_entropy(
                plain(features[batch]), label[batch], reduction="none"
            )
            (weight[batch] * loss).mean().backward()
            nn.utils.clip_grad_norm_(plain.parameters(), 0.3)
            adam.step()
            decay = min(0.8, (1 + steps) / (10 + steps)) if steps else 0.0
            with torch.no_grad():
                for mean, moved in zip(average.parameters(), plain.parameters(), strict=True):
                    mean.mul_(decay).add_(moved, alpha=1 - decay)
            steps += 1
        with torch.no_grad():
            loss = nn.functional.cross_entropy(average(held_out[0]), held_out[1], reduction="none")
        losses.append(float((held_out[2] * loss).sum() / held_out[2].sum()))
        if losses[-1] == min(losses):
            best = copy.deepcopy(average.state_dict())
    assert result.history.validation == pytest.approx(losses, rel=1e-4)
    for name, value in ours.state_dict().items():
        assert value.numpy() == pytest.approx(best[name].numpy(), abs=2e-5), name


def test_two_half_batches_make_the_step_of_a_whole_one() -> None:
    whole, halves = network(), network()
    first = train(None, config(batch_size=60), whole)
    second = train(None, config(batch_size=30, accumulate=2), halves)
    for name, value in whole.state_dict().items():
        assert halves.state_dict()[name].numpy() == pytest.approx(value.numpy(), abs=1e-5), name
    assert second.history.train == pytest.approx(first.history.train, rel=1e-5)


def test_the_gradient_is_clipped_by_its_norm() -> None:
    free = train(None, config(clip=None, epochs=1, batch_size=200), network())
    module = network()
    features, label, weight = rows(200, 1)
    loss = nn.functional.cross_entropy(module(features), label, reduction="none")
    (weight * loss).mean().backward()
    norm = torch.cat([item.grad.flatten() for item in module.parameters()]).norm()
    assert free.history.column("gradient_norm") == pytest.approx([float(norm)], rel=1e-5)


def test_reduced_precision_learns_what_full_precision_learns() -> None:
    full = train(None, config(epochs=5), network()).history
    for precision in ("bf16-mixed", "16-mixed"):
        module = network()
        found = train(None, config(epochs=5, precision=precision), module).history
        assert found.validation[-1] == pytest.approx(full.validation[-1], abs=0.03)
        assert found.validation != full.validation
        assert all(value.dtype is torch.float32 for value in module.state_dict().values())


def test_embeddings_norms_and_biases_are_not_decayed() -> None:
    module = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.LayerNorm(8), nn.Linear(8, 1))
    before = copy.deepcopy(module.state_dict())
    codes = torch.zeros((64, 2), dtype=torch.int64)

    class Nothing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return 0 * self.inner(rows).squeeze(-1)

    fit(Nothing(), [codes], [codes], config(weight_decay=0.5, epochs=1), seed=1)
    after = module.state_dict()
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert changed == ["3.weight"]
    assert after["3.weight"].numpy() == pytest.approx(
        before["3.weight"].numpy() * (1 - 0.01 * 0.5) ** 2, rel=1e-5
    )


def test_a_loss_that_is_no_number_is_named_with_its_step(tmp_path: Path) -> None:
    train_rows = rows(200, 1)
    order = rng(3, "batches", 1).permutation(200)
    train_rows[2][order[130]] = torch.nan  # its first epoch meets it at another step
    first = int(np.flatnonzero(rng(3, "batches", 0).permutation(200) == order[130])[0]) // 50 + 1
    with pytest.raises(WorkError, match=f"QL-TRAIN-010.*epoch 1, step {first}, learning rate 0.01"):
        fit(
            network(),
            train_rows,
            rows(90, 2, own=True),
            config(),
            task=task(),
            seed=3,
            folder=tmp_path,
        )
    with pytest.raises(WorkError, match=r"training loss is not finite at epoch 1, step \d"):
        train(None, config(learning_rate=1e30, clip=None), network())


def test_held_out_rows_that_are_no_numbers_are_named() -> None:
    held_out = rows(90, 2, own=True)
    held_out[0][3] = torch.inf
    with pytest.raises(WorkError, match="the validation loss is not finite at epoch 1"):
        fit(network(), rows(200, 1), held_out, config(), task=task(), seed=3)


def test_an_unknown_metric_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"QL-TRAIN-012.*aucs[\s\S]*did you mean `auc"):
        train(None, config(monitor="aucs"), network())


def test_the_best_epoch_may_be_that_of_the_highest_area() -> None:
    module = network()
    settings = config(epochs=12, learning_rate=0.3, monitor="auc", patience=3)
    result = train(None, settings, module)
    areas = result.history.column("auc")
    assert result.history.best == int(np.argmax(areas))
    assert len(areas) == 12 or len(areas) == result.history.best + 1 + 3
    held_out = rows(90, 2, own=True)
    again = task().measure({"": module(held_out[0]).detach()}, {"": held_out})
    assert again["auc"] == pytest.approx(max(areas))


def test_the_order_of_held_out_rows_in_batches_does_not_matter() -> None:
    made = [train(None, config(), network(), task=task(size)).history for size in (7, 90)]
    assert made[0].validation == pytest.approx(made[1].validation, rel=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")  # torch's own
def test_a_compiled_network_learns_the_same() -> None:
    plain, compiled = network(), network()
    first = train(None, config(), plain)
    second = train(None, config(compile=True), compiled)
    assert second.history.validation == pytest.approx(first.history.validation, rel=1e-4)
    assert list(compiled.state_dict()) == list(plain.state_dict())


def test_equal_configs_give_equal_weights_whatever_the_report_does() -> None:
    first, second = network(), network()
    seen: list[int] = []
    train(None, config(), first)
    train(None, config(), second, report=lambda epoch, _: seen.append(epoch))
    assert_equal(first, second)
    assert seen == [1, 2]
