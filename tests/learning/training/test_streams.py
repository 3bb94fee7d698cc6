"""Streams of rows beside the main one, frozen parts, and rows that are read when needed."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from quarkline.engine.core.rng import rng
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import FitResult, fit
from quarkline.learning.training.rows import Batches, TensorRows

from .adversarial import CONTROL, Contest, Given, Opponents, Stored, contest_rows
from .conftest import assert_equal


def config(**keys: Any) -> FitConfig:
    return FitConfig(**{"epochs": 3, "batch_size": 60, "learning_rate": 0.01} | keys)


def streams(given: Given, kind: Any = TensorRows) -> dict[str, Any]:
    return {name: kind(tensors) for name, tensors in given.items()}


def contest(
    module: nn.Module, settings: FitConfig | None = None, kind: Any = TensorRows, **keys: Any
) -> FitResult:
    given = [streams(contest_rows(seed=seed), kind) for seed in (1, 2)]
    arguments = {"task": Contest(), "seed": 3} | keys
    return fit(module, *given, settings or config(), **arguments)


@pytest.mark.parametrize(
    ("own", "sizes"), [(None, [23, 23, 22, 22]), (50, [50] * 4), (200, [200] * 4)]
)
def test_a_side_stream_goes_round_in_one_order_after_another(
    own: int | None, sizes: list[int]
) -> None:
    task = Contest()
    contest(Opponents(), config(side_batch_size=own), task=task)
    rows = contest_rows()[CONTROL]
    passes = [rng(3, "batches", CONTROL, number).permutation(90) for number in range(40)]
    expected = rows[0][torch.cat([torch.from_numpy(one) for one in passes])]
    for number in range(3):  # all steps of a batch read the same rows
        seen = [part[0] for step, name, part in task.seen if (step, name) == (number, CONTROL)]
        if number == 2:
            seen = seen[::2]
        assert [len(part) for part in seen] == sizes * 3
        found = torch.cat(seen)
        assert torch.equal(found, expected[: len(found)])


def test_a_side_stream_of_few_rows_has_one_in_every_batch() -> None:
    batches = Batches({"": 10, "few": 3}, 2, 1)
    found = [int(batch["few"]) for epoch in range(3) for batch in batches.epoch(epoch)]
    assert sorted(found) == sorted([0, 1, 2] * 5)
    assert all(sorted(found[at : at + 3]) == [0, 1, 2] for at in range(0, 15, 3))


def test_an_epoch_of_so_many_batches_cuts_every_stream_into_equal_pieces() -> None:
    orders = {
        name: [rng(1, "batches", *name, n).permutation(c) for n in range(2)]
        for name, c in {(): 23, ("side",): 11}.items()
    }
    batches = Batches({"": 23, "side": 11}, 100, 1, pieces=4)
    for epoch in range(2):
        for name, key in {"": (), "side": ("side",)}.items():
            found = [batch[name].tolist() for batch in batches.epoch(epoch)]
            assert found == [part.tolist() for part in np.array_split(orders[key][epoch], 4)]


def test_batches_without_orders_are_the_rows_as_they_are() -> None:
    batches = Batches({"": 7, "side": 9}, 3, 1, shuffled=False)
    for epoch in range(2):
        made = list(batches.epoch(epoch))
        assert [batch[""].tolist() for batch in made] == [[0, 1, 2], [3, 4, 5], [6]]
        assert [batch["side"].tolist() for batch in made] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
        assert [one["side"].tolist() for one in batches.epoch(epoch, 2)] == [[6, 7, 8]]


def test_the_main_stream_is_that_of_a_training_without_others() -> None:
    task = Contest()
    contest(Opponents(), task=task)
    orders = [torch.from_numpy(rng(3, "batches", epoch).permutation(200)) for epoch in range(3)]
    found = torch.cat([part[0] for step, name, part in task.seen if name == ""])
    assert torch.equal(found, contest_rows()[""][0][torch.cat(orders)])


def test_alternating_steps_are_those_of_a_plain_loop() -> None:
    ours, plain = Opponents(), Opponents()
    for module in (ours, plain):
        module.classifier[2].p = 0.0
    contest(ours, config(epochs=1, clip=None))
    main, control = contest_rows().values()
    adversary, classifier = (
        torch.optim.AdamW(part.parameters(), lr=0.01, weight_decay=0.0)
        for part in (plain.adversary, plain.classifier)
    )
    order = torch.from_numpy(rng(3, "batches", 0).permutation(200))
    plain.train()
    sides = torch.from_numpy(rng(3, "batches", CONTROL, 0).permutation(90)).split([23, 23, 22, 22])
    for batch, side in zip(order.split(60), sides, strict=True):
        features, target, weight = (item[side] for item in control)
        for _ in range(2):
            adversary.zero_grad()
            odds = plain(features)[1]
            (
                weight * binary_cross_entropy_with_logits(odds, target, reduction="none")
            ).mean().backward()
            adversary.step()
        classifier.zero_grad()
        plain.adversary.eval()
        losses = cross_entropy(plain(main[0][batch])[0], main[1][batch], reduction="none")
        against = binary_cross_entropy_with_logits(plain(features)[1], target, reduction="none")
        loss = (main[2][batch] * losses).mean() - 0.5 * (weight * against).mean()
        (loss + 1e-3 * plain.classifier[0].weight.square().sum()).backward()
        classifier.step()
        plain.adversary.train()
    for name, value in plain.state_dict().items():
        found = ours.state_dict()[name]
        assert found.numpy() == pytest.approx(value.numpy(), abs=2e-5), name


def test_frozen_parts_have_no_gradients_and_stay_as_they_are() -> None:
    module, modes = Opponents(), []

    class Watched(Contest):
        def _classifier(self, module: nn.Module, batch: Any) -> Any:
            parts = (module.classifier, module.adversary)
            modes.append([part.training for part in parts])
            modes.append([any(w.requires_grad for w in part.parameters()) for part in parts])
            before = copy.deepcopy(module.adversary.state_dict())
            losses = super()._classifier(module, batch)
            for name, value in module.adversary.state_dict().items():
                assert torch.equal(value, before[name])
            return losses

    contest(module, task=Watched())
    assert modes == [[True, False]] * 2 * 12
    assert all(weight.requires_grad for weight in module.parameters())
    assert module.adversary[0].num_batches_tracked == 24


@pytest.mark.parametrize("keys", [{}, {"batch_size": 20, "accumulate": 3}])
def test_rows_that_are_read_when_needed_give_the_same_bits(keys: dict[str, Any]) -> None:
    ours, stored = Opponents(), Opponents()
    first = contest(ours, config(**keys))
    second = contest(stored, config(**keys), Stored)
    assert first == second
    assert_equal(ours, stored)


def test_no_more_rows_are_read_than_a_step_or_a_measurement_needs() -> None:
    train, held_out = (streams(contest_rows(seed=seed), Stored) for seed in (1, 2))
    fit(Opponents(), train, held_out, config(epochs=1), task=Contest(), seed=3)
    assert train[""].taken == [60, 60, 60, 20]  # once for all steps of a batch
    assert train[CONTROL].taken == [23, 23, 22, 22]
    assert held_out[""].taken[:5] == [40] * 5
    assert held_out[CONTROL].taken[:3] == [40, 40, 10]


def test_losses_of_rows_and_of_batches_add_up_over_accumulated_batches() -> None:
    whole, pieces = Opponents(), Opponents()
    for module in (whole, pieces):
        module.classifier[2].p = 0.0
        module.adversary.eval()

    class Calm(Contest):
        @property
        def steps(self) -> Any:
            return super().steps[-1:]

    first = contest(whole, config(), task=Calm())
    second = contest(pieces, config(batch_size=20, accumulate=3), task=Calm())
    assert second.history.train == pytest.approx(first.history.train, rel=1e-5)
    for name, value in whole.state_dict().items():
        assert pieces.state_dict()[name].numpy() == pytest.approx(value.numpy(), abs=1e-5), name
