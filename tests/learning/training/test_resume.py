"""The resume law: killed at any step and called again, a training gives the same bytes."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from quarkline.engine.compute.threads import limited_threads
from quarkline.engine.core.findings import InputError
from quarkline.learning.models.config import FTTransformerConfig, ResidualNetworkConfig, TreesConfig
from quarkline.learning.training.classifier import SECOND_PHASE, train_classifier
from quarkline.learning.training.config import FitConfig, TrainingConfig
from quarkline.learning.training.history import METRICS
from quarkline.learning.training.rows import MAIN, Rows
from quarkline.learning.training.state import CHECKPOINT
from quarkline.learning.training.steps import Mover
from quarkline.learning.training.task import Batch, Step, step_of

from .conftest import Killed, assert_equal, classifier_data, dying, network, train

CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "average": {"average_decay": 0.9},
    "one-cycle": {"schedule": {"kind": "one-cycle"}, "warm_up": 0.5, "average_decay": 0.9},
    "cosine": {"schedule": {"kind": "cosine"}, "weight_decay": 0.1},
    "plateau": {"schedule": {"kind": "plateau", "patience": 1, "least_gain": 0.3, "by": 0.5}},
    "accumulated": {"accumulate": 3, "batch_size": 20, "average_decay": 0.5},
    "bfloat": {"precision": "bf16-mixed", "average_decay": 0.9},
    "half": {"precision": "16-mixed"},
    "found": {"learning_rate": "find", "find": {"points": 20, "lowest": 1e-4}},
    "stopped": {"patience": 1, "least_gain": 0.05, "monitor": "auc", "learning_rate": 0.05},
}
STEPS = 4 * 3


def config(**keys: Any) -> FitConfig:
    return FitConfig(**{"epochs": 3, "batch_size": 60, "learning_rate": 0.01} | keys)


def finished(folder: Path, settings: FitConfig, **keys: Any) -> tuple[nn.Module, Any, bytes]:
    module = network(dropout=0.2, normalised=True)
    result = train(folder, settings, module, **keys)
    return module, result, (folder / METRICS).read_bytes()


@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_a_training_killed_at_any_step_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    settings = config(**CONFIGS[kind])
    whole, result, lines = finished(tmp_path / "whole", settings)
    assert len(result.history) > 1
    steps = len(result.history) * math.ceil(200 / (settings.batch_size * settings.accumulate))
    for step in (1, 5, steps - 1):  # in mid-epoch, right after an epoch, in the last one
        for save_seconds in (0.0, math.inf):  # a state after every step, or after epochs only
            folder = tmp_path / f"{step}-{save_seconds}"
            with dying(monkeypatch, step):
                finished(folder, settings, save_seconds=save_seconds)
            resumed = finished(folder, settings)
            assert_equal(whole, resumed[0])
            assert resumed[1] == result
            assert resumed[2] == lines
            assert sorted(path.name for path in folder.iterdir()) == [METRICS]


def test_a_state_after_every_step_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    with dying(monkeypatch, 6):
        finished(tmp_path, config(), save_seconds=0.0)
    move = Mover.move

    def counted(self: Mover, state: Any, given: Any, indices: Any, rate: float, name: str) -> Any:
        made.append(name)
        return move(self, state, given, indices, rate, name)

    monkeypatch.setattr(Mover, "move", counted)
    finished(tmp_path, config())
    assert made == [str(step) for step in range(6, STEPS)]


class Adversary(nn.Module):
    """A regression whose output an adversary must not be able to tell a nuisance from."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.main = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
            self.adversary = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        made = self.main(features)
        return made.squeeze(-1), self.adversary(made).squeeze(-1)


class Decorrelated:
    """Two steps of the adversary, then one of the regression against it."""

    fused = True
    rows_at_once = None

    @property
    def steps(self) -> Sequence[Step]:
        told = step_of(self._told, "adversary")
        return (told, told, step_of(self._main, "main"))

    def _told(self, module: nn.Module, given: Rows) -> Tensor:
        nuisance = (given[1] == 0).float()
        return binary_cross_entropy_with_logits(module(given[0])[1], nuisance, reduction="none")

    def _main(self, module: nn.Module, given: Rows) -> Tensor:
        made, _ = module(given[0])
        return mse_loss(made, given[2], reduction="none") - 0.1 * self._told(module, given)

    def outputs(self, module: nn.Module, stream: str, given: Rows) -> Tensor:
        return self._main(module, given)

    def measure(self, outputs: Mapping[str, Tensor], known: Batch) -> dict[str, float]:
        return {"validation_loss": float(outputs[MAIN].mean())}


def test_alternating_steps_move_their_own_parts_and_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, resumed, start = Adversary(), Adversary(), Adversary()
    result = train(tmp_path / "whole", config(), whole, task=Decorrelated())
    with dying(monkeypatch, 5):
        train(tmp_path / "killed", config(), resumed, task=Decorrelated(), save_seconds=0.0)
    resumed = Adversary()
    assert train(tmp_path / "killed", config(), resumed, task=Decorrelated()) == result
    assert_equal(whole, resumed)
    for part in ("main.0.weight", "adversary.0.weight"):
        assert not torch.equal(whole.state_dict()[part], start.state_dict()[part])


MODELS = {
    "resnet": ResidualNetworkConfig(blocks=2, width=8, dropout=0.1),
    "ft-transformer": FTTransformerConfig(blocks=1, width=8, heads=2, dropout=0.1),
}
TWO_PHASES = TrainingConfig(
    epochs=2, batch_size=100, learning_rate=0.01, average_decay=0.9, second_phase={"epochs": 2}
)


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_a_classifier_killed_in_either_phase_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    data = classifier_data()

    def trained(folder: Path) -> tuple[Any, Any]:
        return train_classifier(MODELS[kind], TWO_PHASES, data, seed=4, folder=folder)

    whole, result = trained(tmp_path / "whole")
    for name, when in {"first": 6, "second": f"{SECOND_PHASE}/{METRICS}"}.items():
        folder = tmp_path / name
        with dying(monkeypatch, folder / when if isinstance(when, str) else when):
            trained(folder)
        resumed, again = trained(folder)
        assert_equal(whole.predictor.module, resumed.predictor.module)
        assert again == result
        for file in (METRICS, f"{SECOND_PHASE}/{METRICS}"):
            assert (folder / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
        assert not list(folder.rglob(CHECKPOINT))


def test_trees_train_again_to_the_same_bytes(tmp_path: Path) -> None:
    data, model = classifier_data(), TreesConfig(trees=6, leaves=4)

    def trained(name: str, **keys: Any) -> Any:
        return train_classifier(
            model, TrainingConfig(), data, seed=4, folder=tmp_path / name, **keys
        )

    def dies(epoch: int, metrics: Any) -> None:
        if epoch == 3:
            raise Killed

    whole, result = trained("whole")
    with pytest.raises(Killed):
        trained("killed", report=dies)
    resumed, again = trained("killed")
    assert resumed.predictor == whole.predictor
    assert again == result
    lines = [(tmp_path / name / METRICS).read_bytes() for name in ("whole", "killed")]
    assert lines[0] == lines[1]
    assert lines[0].count(b"\n") == 1 + len(result.history)


def test_the_state_of_another_training_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dying(monkeypatch, 5):
        train(tmp_path, config(), network())
    for other in ({"seed": 4}, {"config": config(learning_rate=0.02)}):
        settings = other.pop("config", config())
        with pytest.raises(InputError, match=r"QL-TRAIN-011.*state of another training"):
            train(tmp_path, settings, network(), **other)


def test_a_kept_state_gives_the_result_without_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = network(), network(seed=9)
    result = train(tmp_path, config(), first, keep_state=True)
    monkeypatch.setattr(Mover, "move", None)
    assert train(tmp_path, config(), again) == result
    assert_equal(first, again)
    assert not (tmp_path / CHECKPOINT).exists()


def test_dropout_is_of_the_step_and_not_of_the_global_state() -> None:
    made = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        before = torch.get_rng_state()
        module = network(dropout=0.5)
        train(None, config(), module)
        assert torch.equal(before, torch.get_rng_state())
        made.append(module)
    assert_equal(*made)
    other = network(dropout=0.5)
    train(None, config(), other, seed=4)
    assert not torch.equal(other.state_dict()["0.weight"], made[0].state_dict()["0.weight"])


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import torch
from tests.learning.training.test_resume import config, finished
torch.set_num_threads(1)
finished(Path(sys.argv[1]), config(epochs=40, average_decay=0.9), save_seconds=0.0)
"""


@pytest.mark.slow
def test_a_training_killed_by_the_system_gives_the_same_bytes(tmp_path: Path) -> None:
    settings, folder = config(epochs=40, average_decay=0.9), tmp_path / "killed"
    root = str(Path(__file__).parents[3])
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder), root])
    while process.poll() is None:
        file = folder / METRICS
        if file.exists() and file.read_bytes().count(b"\n") > 4:
            process.kill()
        time.sleep(0.01)
    assert process.returncode == -signal.SIGKILL
    lines = (folder / METRICS).read_bytes()
    assert lines.endswith(b"\n")
    with limited_threads(1):
        whole, result, expected = finished(tmp_path / "whole", settings)
        resumed = finished(folder, settings)
    assert expected.startswith(lines)
    assert_equal(whole, resumed[0])
    assert resumed[1:] == (result, expected)
