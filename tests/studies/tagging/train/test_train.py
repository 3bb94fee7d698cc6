"""Trainings of taggers: killed ones end alike, continued ones go on, all ways learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import pretty_json
from quarkline.learning.adversary.task import CONTROL
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.models.artifact import load_model
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.training.rows import MAIN
from quarkline.studies.tagging.features.folder import PREPROCESS, SPLIT
from quarkline.studies.tagging.jets import JetSet
from quarkline.studies.tagging.train import fitting
from quarkline.studies.tagging.train.kept import MODEL, epoch_model, kept_epochs
from quarkline.studies.tagging.train.run import TrainStageConfig, train_seed
from quarkline.studies.tagging.upstream import INPUTS
from quarkline.studies.tagging.watch.quantities import HISTORY
from quarkline.studies.tagging.watch.record import read_records
from tests.studies.tagging.toy_training import JETS, write_jets

SMALL = {
    "kind": "lstm-streams",
    "streams": [{"filters": [4, 3], "nodes": 2}],
    "hidden": [6],
    "absent": "zeros",
}
WAYS = ["none", "alternating", "reversal", "distance-correlation", "mmd"]


@pytest.fixture(scope="module")
def jets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders as the stage `features` leaves them."""
    folder = tmp_path_factory.mktemp("jets")
    for name in ("main", "control"):
        write_jets(folder / name, control=name == "control")
        draw = np.random.default_rng(3)
        np.save(folder / name / SPLIT, draw.choice(3, JETS, p=(0.6, 0.3, 0.1)).astype(np.int8))
    (folder / PREPROCESS).write_text(pretty_json(Preprocess.none(INPUTS).as_json()))
    return {
        "main": folder / "main",
        "control": folder / "control",
        "preprocess": folder / PREPROCESS,
    }


def _args(epochs: int = 2, kind: str = "alternating", **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "model": SMALL,
        "adversary": {"kind": kind},
        "fit": {"epochs": epochs, "batch_size": 64},
        "watch": {"permutations": 0},
        "seed": 1,
        **changes,
    }
    config = TrainStageConfig.model_validate(given)
    args: dict[str, Any] = config.model_dump(mode="json", exclude={"seeds", "start", "parent"})
    return args | {"number": 0}


def _files(folder: Path) -> dict[str, bytes]:
    """All that a training leaves, but for the state, whose bytes hold times of the archive."""
    kinds = ("*.csv", "*.npz", "*.safetensors")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for kind in kinds
        for path in sorted(folder.rglob(kind))
    }


@pytest.mark.parametrize("kind", WAYS)
def test_every_way_learns_and_keeps_what_is_asked_for(
    kind: str, jets: dict[str, Path], tmp_path: Path
) -> None:
    told = train_seed(_args(kind=kind), jets, tmp_path)
    assert told["kept"] == kept_epochs(tmp_path) == [0, 1]
    assert all(np.isfinite(values).all() for values in told["metrics"].values())
    records = read_records(tmp_path)
    assert [record.epoch for record in records] == [0, 1]
    known = set(records[0].history)
    judged = {"adv_loss", "adv_acc", "original_adv_lossf", "original_adv_acc"}
    judged |= {"val_" + name for name in judged}
    adversary = kind in ("alternating", "reversal")
    assert known >= set(HISTORY) - (set() if adversary else judged)
    assert "ks_worst" in known
    model = load_model(tmp_path / MODEL, EventModel)
    best = epoch_model(tmp_path, told["best"])
    arrays = JetSet.load(jets["main"]).arrays(slice(0, 20))
    np.testing.assert_array_equal(model.probabilities(arrays), best.probabilities(arrays))
    with pytest.raises(InputError, match="epoch 7 were not kept"):
        epoch_model(tmp_path, 7)


class _KilledError(Exception):
    """Ends a training in its middle."""


@pytest.mark.parametrize("kind", ["alternating", "reversal", "mmd"])
def test_a_killed_training_ends_with_the_same_bytes(
    kind: str, jets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = _args(epochs=3, kind=kind, fit={"epochs": 3, "batch_size": 64, "optimiser": "nadam"})
    train_seed(args, jets, tmp_path / "whole")
    watch = fitting.KeptWeights.epoch
    seen = []

    def killed(*told: Any) -> None:
        seen.append(told[1])
        watch(*told)
        if len(seen) == 2:
            raise _KilledError

    monkeypatch.setattr(fitting.KeptWeights, "epoch", killed)
    with pytest.raises(_KilledError):
        train_seed(args, jets, tmp_path / "killed")
    train_seed(args, jets, tmp_path / "killed")
    assert seen == [0, 1, 1, 2]
    assert _files(tmp_path / "killed") == _files(tmp_path / "whole")


@pytest.mark.parametrize("optimiser", ["adamw", "keras-nadam"])
def test_a_continued_training_is_the_longer_one(
    optimiser: str, jets: dict[str, Path], tmp_path: Path
) -> None:
    def fitted(epochs: int) -> dict[str, Any]:
        return _args(fit={"epochs": epochs, "batch_size": 64, "optimiser": optimiser})

    whole = train_seed(fitted(3), jets, tmp_path / "whole")
    train_seed(fitted(1), jets, tmp_path / "first")
    start = {"start": tmp_path / "first" / "checkpoint.pt"}
    more = train_seed(fitted(2), jets | start, tmp_path / "second")
    assert more["metrics"] == whole["metrics"]
    ours, theirs = _files(tmp_path / "second"), _files(tmp_path / "whole")
    later = [name for name in theirs if "002" in name or "001" in name]
    assert len(later) == 4
    assert {name: ours[name] for name in later} == {name: theirs[name] for name in later}


def test_weights_of_epochs_are_kept_as_asked(jets: dict[str, Path], tmp_path: Path) -> None:
    best = train_seed(_args(epoch_weights="best"), jets, tmp_path / "best")
    assert best["kept"] == [best["best"]]
    sums = np.max([best["metrics"][f"ks_{name}_hist"] for name in ("qcd", "sig", "bib")], axis=0)
    for limit in (round(float(np.mean(sums)), 3), 1e-3, 9.0):
        some = train_seed(_args(epoch_weights=f"ks<{limit:.3f}"), jets, tmp_path / f"{limit}")
        expected = {int(at) for at in np.flatnonzero(sums < limit)} | {some["best"]}
        assert some["kept"] == sorted(expected)


@pytest.mark.parametrize("kind", ["none", "distance-correlation"])
def test_a_batch_in_pieces_is_nearly_a_whole_one(
    kind: str, jets: dict[str, Path], tmp_path: Path
) -> None:
    """Of sums over rows exactly; a distance is that of each piece."""
    losses = []
    for pieces in (None, 16):
        fit = {"epochs": 1, "batch_size": 64, "rows_at_once": pieces}
        args = _args(kind=kind, fit=fit, model={**SMALL, "dropout": 0.0})
        told = train_seed(args, jets, tmp_path / f"{pieces}")
        losses.append(told["metrics"]["val_original_lossf"][0])
    assert losses[1] == pytest.approx(losses[0], rel=1e-5 if kind == "none" else 0.1)


def test_the_adversarys_steps_take_their_own_pieces(jets: dict[str, Path], tmp_path: Path) -> None:
    fit = {"epochs": 1, "batch_size": 64, "rows_at_once": 16}
    told = train_seed(_args(fit=fit), jets, tmp_path)
    assert np.isfinite(told["metrics"]["adv_loss"]).all()


def test_upstreams_procedure_runs_on_few_jets(jets: dict[str, Path], tmp_path: Path) -> None:
    args = _args(compatibility="upstream", num_splits=1, fit={"epochs": 1})
    told = train_seed(args, jets, tmp_path)
    assert told["metrics"]["train_classifier_mirrored_loss"][0] < 0


def test_the_adversarys_gradient_leads_away_from_telling(jets: dict[str, Path]) -> None:
    """Moving the classifier down its step's gradient raises the adversary's loss."""
    for kind in ("alternating", "reversal"):
        config = TrainStageConfig.model_validate(
            {
                "model": {**SMALL, "dropout": 0.0},
                "adversary": {"kind": kind, "weight": 3.0, "ramp": 0.0, "bound": None},
                "seed": 1,
            }
        )
        data = fitting.TaggerData.read(jets, config)
        network = fitting.new_network(config, data.preprocess, seed=3).double()
        task = fitting.task_of(config, network, data)
        network.train()
        assert network.adversary is not None
        network.adversary.eval()
        rows = {
            name: [one.double() if one.is_floating_point() else one for one in given]
            for name, given in data.training(config).items()
        }
        batch = {MAIN: [*rows[MAIN][:-1], 0.0 * rows[MAIN][-1]], CONTROL: rows[CONTROL]}

        def judged(network: Any = network, batch: Any = batch) -> torch.Tensor:
            control = batch[CONTROL]
            odds = network.judged(torch.softmax(network(*control[:9]), dim=1))
            losses = torch.nn.functional.binary_cross_entropy_with_logits(
                odds, control[-2].double(), reduction="none"
            )
            return (control[-1] * losses).mean()

        found = task.steps[-1].losses(network, batch)
        weight = network.classifier.get_parameter("read_out.weight")
        loss = found[MAIN].mean() + found[CONTROL].mean()
        (gradient,) = torch.autograd.grad(loss, weight)
        step = 1e-6
        with torch.no_grad():
            moved = []
            for sign in (1, -1):
                weight[1, 0] += sign * step
                moved.append(float(judged()))
                weight[1, 0] -= sign * step
        slope = (moved[0] - moved[1]) / (2 * step)
        assert float(gradient[1, 0]) == pytest.approx(-3.0 * slope, rel=1e-4, abs=1e-9)
