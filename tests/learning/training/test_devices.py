"""Several processes that share each batch learn what one process learns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from quarkline.engine.core.findings import WorkError
from quarkline.learning.training.classifier import train_classifier
from quarkline.learning.training.config import FitConfig, TrainingConfig
from quarkline.learning.training.history import METRICS

from .conftest import assert_equal, classifier_data, dying, network, train
from .test_resume import MODELS

CONFIG = FitConfig(
    epochs=2, batch_size=30, accumulate=2, learning_rate=0.01, average_decay=0.5, clip=0.5
)


class RefusedError(Exception):
    """What a report raises to end a training."""


def refuse(epoch: int, metrics: Mapping[str, float]) -> None:
    """Report of a training that is not worth going on with."""
    if metrics["validation_loss"] > 0:
        raise RefusedError(epoch)


@pytest.mark.timeout(300)
def test_two_processes_learn_what_one_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, together = network(), network()
    first = train(tmp_path / "alone", CONFIG, alone)
    second = train(tmp_path / "together", CONFIG, together, devices=2)
    for epoch, other in zip(first.history.epochs, second.history.epochs, strict=True):
        assert other == pytest.approx(epoch, rel=1e-5)
    for name, value in alone.state_dict().items():
        assert together.state_dict()[name] == pytest.approx(value, abs=1e-5), name
    assert [path.name for path in (tmp_path / "together").iterdir()] == [METRICS]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_give_equal_bytes_again_and_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for name in ("first", "second"):
        module = network(dropout=0.2)
        result = train(tmp_path / name, CONFIG, module, devices=2)
        made.append((module, result))
    assert_equal(made[0][0], made[1][0])
    assert made[0][1] == made[1][1]
    with dying(monkeypatch, 5):
        train(tmp_path / "killed", CONFIG, network())
    module = network()
    result = train(tmp_path / "killed", CONFIG, module, devices=2)
    assert result.history.epochs[1] == pytest.approx(
        train(None, CONFIG, network()).history.epochs[1], rel=1e-5
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_errors_cross_the_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3]))  # they import `refuse` by name
    with pytest.raises(RefusedError, match="1"):
        train(tmp_path / "refused", CONFIG, network(), devices=2, report=refuse)
    broken = network()
    with torch.no_grad():
        broken[0].weight[0, 0] = torch.nan
    with pytest.raises(WorkError, match=r"QL-TRAIN-010.*epoch 1, step 1,"):
        train(tmp_path / "broken", CONFIG, broken, devices=2)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", sorted(MODELS))
def test_two_processes_train_the_classifier_that_one_trains(tmp_path: Path, kind: str) -> None:
    data, config = classifier_data(601), TrainingConfig(epochs=2, batch_size=50, learning_rate=0.01)
    model = MODELS[kind].model_copy(update={"dropout": 0.0})
    alone, together = (
        train_classifier(
            model, config, data, seed=1, folder=tmp_path / f"{devices}", devices=devices
        )
        for devices in (1, 2)
    )
    assert together[1].history.validation == pytest.approx(alone[1].history.validation, rel=1e-4)
    found, expected = (made[0].probabilities(data.arrays) for made in (together, alone))
    assert found == pytest.approx(expected, abs=1e-3)
