"""Batches that go through the module in pieces, because they are told to or do not fit."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from quarkline.engine.core.findings import WorkError
from quarkline.learning.training import memory
from quarkline.learning.training.devices import new_fabric
from quarkline.learning.training.rows import near, streams_of
from quarkline.learning.training.state import State, new_state
from quarkline.learning.training.steps import Mover
from quarkline.learning.training.task import Batch

from .adversarial import Contest, Opponents, contest_rows
from .conftest import assert_equal, network, train
from .test_streams import config, contest


class Small(Contest):
    """A contest on a device that holds a few rows, and fails in the last step."""

    most: int

    def _classifier(self, module: Any, batch: Batch) -> Any:
        if len(batch[""][0]) > self.most:
            raise torch.OutOfMemoryError("2 GiB are missing\nand more to say")
        return super()._classifier(module, batch)


def small(most: int) -> Small:
    made = Small()
    object.__setattr__(made, "most", most)
    return made


def calm() -> Opponents:
    """Opponents without batch normalisation, which needs two rows."""
    module = Opponents()
    module.adversary[0], module.adversary[3] = nn.Identity(), nn.Identity()
    return module


def parts(task: Contest, module: Opponents) -> tuple[State, Any, Mover]:
    settings = config()
    fabric = new_fabric(settings.precision)
    state = new_state(fabric, module, task, settings, "")
    return state, near(streams_of(contest_rows()), fabric), Mover(task, settings, 3)


@pytest.mark.parametrize(("most", "found"), [(60, 60), (59, 30), (16, 15), (4, 4)])
def test_rows_are_halved_until_they_fit(most: int, found: int) -> None:
    module, task = calm(), small(most)
    before, noise = copy.deepcopy(module), torch.get_rng_state()
    state, streams, mover = parts(task, module)
    assert memory.tried(state, streams, mover) == found
    assert_equal(before, module)
    assert torch.equal(torch.get_rng_state(), noise)
    assert all(not optimiser.state for optimiser in state.optimisers.values())
    assert not task.seen  # not even what it keeps for itself


def test_one_row_that_does_not_fit_is_refused() -> None:
    state, streams, mover = parts(small(0), calm())
    with pytest.raises(WorkError, match=r"QL-TRAIN-032.*one row does not fit"):
        memory.tried(state, streams, mover)


def test_memory_that_runs_out_later_is_told_with_what_to_type() -> None:
    with pytest.raises(WorkError, match=r"memory of the device is full: 2 GiB[\s\S]*rows_at_once"):
        contest(Opponents(), task=small(30))


def test_a_training_with_what_was_found_is_one_that_was_told_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    told, found = Opponents(), Opponents()
    first = contest(told, config(rows_at_once=30), task=small(30))
    monkeypatch.setattr("quarkline.learning.training.fit.rows_that_fit", memory.tried)
    assert contest(found, task=small(59), folder=tmp_path) == first
    assert_equal(told, found)


def test_pieces_make_the_step_of_the_batch() -> None:
    whole, pieces = network(), network()
    first = train(None, config(), whole)
    second = train(None, config(rows_at_once=7), pieces)
    assert second.history.train == pytest.approx(first.history.train, rel=1e-5)
    for name, value in whole.state_dict().items():
        assert pieces.state_dict()[name].numpy() == pytest.approx(value.numpy(), abs=2e-5), name


def test_no_piece_lacks_rows_of_a_stream() -> None:
    task = Contest()
    contest(calm(), config(rows_at_once=1, side_batch_size=4), task=task)
    assert {len(rows[0]) for _, name, rows in task.seen if name} == {1}
    assert {len(rows[0]) for _, name, rows in task.seen if not name} == {15, 5}
