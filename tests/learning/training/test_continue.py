"""Trainings of opponents that are killed, watched, or go on where an earlier one ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from quarkline.engine.core.findings import InputError
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.history import METRICS
from quarkline.learning.training.state import CHECKPOINT

from .adversarial import CONTROL, Opponents, Stored, contest_rows
from .conftest import assert_equal, dying
from .test_streams import config, contest

OPTIMISERS = ("adamw", "nadam", "keras-nadam")


class Seen:
    """A watch that keeps what it is told in files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def epoch(
        self,
        number: int,
        module: nn.Module,
        outputs: Mapping[str, NDArray[Any]],
        metrics: Mapping[str, float],
    ) -> None:
        assert not module.training
        file = self.folder / f"{number}.npz"
        made = {f"outputs{name}": array for name, array in outputs.items()}
        made |= {name: np.array(value) for name, value in metrics.items()}
        if file.exists():  # told again after a kill
            with np.load(file) as before:
                assert all(np.array_equal(before[name], value) for name, value in made.items())
        np.savez(file, **made)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_contest_killed_at_any_step_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimiser: str
) -> None:
    keys = {"optimiser": optimiser, "average_decay": 0.9, "weight_decay": 0.01}
    settings, folders = config(**keys), {name: tmp_path / name for name in ("whole", "killed")}
    whole, resumed = Opponents(), Opponents()
    result = contest(whole, settings, folder=folders["whole"])
    for step in (1, 4, 6, 11):  # the state of each kill is where the next one begins
        with dying(monkeypatch, step):
            contest(Opponents(), settings, folder=folders["killed"], save_seconds=0.0)
    assert contest(resumed, settings, folder=folders["killed"], kind=Stored) == result
    assert_equal(whole, resumed)
    lines = [(folder / METRICS).read_bytes() for folder in folders.values()]
    assert lines[0] == lines[1]
    assert whole.adversary[0].num_batches_tracked == 24


def test_a_watch_sees_each_epoch_and_the_same_one_again_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, module = Seen(tmp_path), Opponents()

    def dies(epoch: int, metrics: Mapping[str, float]) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # the watch has seen the epoch, no state has
        contest(Opponents(), config(), folder=tmp_path, watch=watch, report=dies)
    before = (tmp_path / "2.npz").stat().st_mtime_ns
    result = contest(module, config(), folder=tmp_path, watch=watch)
    assert (tmp_path / "2.npz").stat().st_mtime_ns > before
    for number, epoch in enumerate(result.history.epochs, start=1):
        with np.load(tmp_path / f"{number}.npz") as told:
            assert {name: float(told[name]) for name in epoch} == epoch
            assert told["outputs"].shape == (200, 4)
            assert told["outputs" + CONTROL].shape == (90, 4)
    with np.load(tmp_path / f"{result.history.best + 1}.npz") as told, torch.no_grad():
        rows = contest_rows(seed=2)[CONTROL][0]
        odds = module(rows)[1].numpy()
        assert told["outputs" + CONTROL][:, 3] == pytest.approx(odds, abs=1e-5)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_a_continued_training_is_an_uninterrupted_one(
    tmp_path: Path, optimiser: str, decay: float
) -> None:
    keys = {"optimiser": optimiser, "average_decay": decay, "side_batch_size": 25}
    whole, continued = Opponents(), Opponents(seed=8)
    result = contest(whole, config(epochs=5, **keys), folder=tmp_path / "whole")
    contest(Opponents(), config(epochs=2, **keys), folder=tmp_path / "one", keep_state=True)
    start = tmp_path / "one" / CHECKPOINT
    kept = start.read_bytes()
    found = contest(continued, config(epochs=3, **keys), folder=tmp_path / "two", start=start)
    assert found == result
    assert_equal(whole, continued)
    assert (tmp_path / "two" / METRICS).read_bytes() == (tmp_path / "whole" / METRICS).read_bytes()
    assert start.read_bytes() == kept


def test_a_killed_continuation_resumes_from_its_own_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, resumed = Opponents(), Opponents()
    result = contest(whole, config(epochs=4), folder=tmp_path / "whole")
    contest(Opponents(), config(epochs=2), folder=tmp_path / "one", keep_state=True)
    start = tmp_path / "one" / CHECKPOINT
    keys = {"folder": tmp_path / "two", "start": start, "save_seconds": 0.0}
    for step in (8, 13):  # before its first step, and in its second epoch
        with dying(monkeypatch, step):
            contest(Opponents(), config(epochs=2), **keys)
    assert contest(resumed, config(epochs=2), **keys) == result
    assert_equal(whole, resumed)


def test_a_continuation_has_a_course_and_a_patience_of_its_own(tmp_path: Path) -> None:
    stopped = config(epochs=9, patience=1, least_gain=10.0)
    first = contest(Opponents(), stopped, folder=tmp_path / "one", keep_state=True).history
    assert len(first) == 2
    start, cosine = tmp_path / "one" / CHECKPOINT, {"schedule": {"kind": "cosine"}}
    fresh = contest(Opponents(), config(epochs=3, **cosine)).history.column("learning_rate")
    settings = config(epochs=3, patience=3, least_gain=10.0, **cosine)
    history = contest(Opponents(), settings, start=start).history
    assert history.epochs[:2] == first.epochs
    assert history.column("learning_rate")[2:] == fresh


def test_what_cannot_be_continued_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest(Opponents(), config(epochs=1), folder=tmp_path / "one", keep_state=True)
    with dying(monkeypatch, 6):
        contest(Opponents(), config(), folder=tmp_path / "killed", save_seconds=0.0)

    def refused(start: str, why: str, settings: FitConfig = config()) -> None:  # noqa: B008
        with pytest.raises(InputError, match=rf"QL-TRAIN-031[\s\S]*{why}"):
            contest(Opponents(), settings, start=tmp_path / start / CHECKPOINT)

    refused("nothing", "No such file")
    refused("killed", "it was killed in epoch 2, so run that training first")
    refused(
        "one", "by `validation_loss`, not by `adversary_loss`", config(monitor="adversary_loss")
    )
    wider = Opponents()
    wider.classifier[0], wider.classifier[3] = nn.Linear(4, 9), nn.Linear(9, 3)
    with pytest.raises(InputError, match=r"QL-TRAIN-031[\s\S]*size mismatch"):
        contest(wider, start=tmp_path / "one" / CHECKPOINT)
