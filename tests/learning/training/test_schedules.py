"""Courses of the learning rate are PyTorch's own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from pydantic import TypeAdapter
from torch.optim import lr_scheduler

from quarkline.learning.training.schedules import ScheduleConfig, learning_rate

STEPS = 200


def optimiser() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def torchs(scheduler: torch.optim.lr_scheduler.LRScheduler, steps: int = STEPS) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        scheduler.step()
    return found


def ours(
    *, steps: int = STEPS, warm_up: int = 0, losses: Sequence[float] = (), **keys: object
) -> list[float]:
    schedule = TypeAdapter(ScheduleConfig).validate_python(keys)
    return [
        learning_rate(0.1, schedule, step=step, steps=steps, warm_up=warm_up, losses=losses)
        for step in range(steps)
    ]


def test_one_cycle_is_pytorchs() -> None:
    expected = torchs(lr_scheduler.OneCycleLR(optimiser(), 0.1, STEPS, cycle_momentum=False))
    assert ours(kind="one-cycle") == pytest.approx(expected, rel=1e-9)


def test_cosine_is_pytorchs() -> None:
    expected = torchs(lr_scheduler.CosineAnnealingLR(optimiser(), STEPS, eta_min=0.01))
    assert ours(kind="cosine", end=0.1) == pytest.approx(expected, rel=1e-9)


def test_plateau_is_pytorchs() -> None:
    losses = [1.0, 0.8, 0.79, 0.795, 0.81, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.65, 0.66, 0.9]
    model = optimiser()
    expected = lr_scheduler.ReduceLROnPlateau(
        model, factor=0.5, patience=1, threshold=0.02, threshold_mode="abs"
    )
    for number, loss in enumerate(losses):
        expected.step(loss)
        keys = {"by": 0.5, "patience": 2, "least_gain": 0.02}
        found = ours(kind="plateau", losses=losses[: number + 1], steps=1, **keys)
        assert found == pytest.approx([model.param_groups[0]["lr"]], rel=1e-12), number


@pytest.mark.parametrize("kind", ["constant", "one-cycle", "cosine", "plateau"])
def test_a_warm_up_rises_evenly_and_the_course_follows_it(kind: str) -> None:
    warm = ours(kind=kind, warm_up=50)
    assert warm[:50] == pytest.approx([0.1 * (step + 1) / 51 for step in range(50)])
    assert warm[50:] == pytest.approx(ours(kind=kind, steps=STEPS - 50))


@pytest.mark.parametrize("kind", ["constant", "one-cycle", "cosine", "plateau"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_short_trainings_have_rates(kind: str, steps: int) -> None:
    for warm_up in range(steps + 1):
        for rate in ours(kind=kind, steps=steps, warm_up=warm_up):
            assert math.isfinite(rate)
            assert 0 < rate <= 0.1 * (1 + 1e-12)
