"""Training classifiers: signed weights, two phases, ensembles of kinds, warm starts."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.spec import Feature, FeatureSpec
from quarkline.learning.models.artifact import load_model, model_key, save_model
from quarkline.learning.models.config import FTTransformerConfig, ResidualNetworkConfig, TreesConfig
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.training.classifier import (
    SECOND_PHASE,
    ClassifierData,
    held_out,
    train_classifier,
)
from quarkline.learning.training.config import TrainingConfig
from quarkline.learning.training.history import METRICS
from quarkline.learning.training.state import CHECKPOINT
from quarkline.learning.training.warm_start import read_warm_start

from .conftest import CLASSES, classifier_data

RESNET = ResidualNetworkConfig(blocks=1, width=8)
MODELS = {
    "resnet": RESNET,
    "ft-transformer": FTTransformerConfig(blocks=1, width=8, heads=2),
    "bdt": TreesConfig(trees=20, leaves=5),
}
SHORT = TrainingConfig(epochs=3, batch_size=64, learning_rate=0.01)


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_every_model_learns_is_saved_and_scores_the_same(tmp_path: Path, kind: str) -> None:
    data = classifier_data(1200)
    seen: list[int] = []
    model, result = train_classifier(
        MODELS[kind],
        SHORT,
        data,
        seed=2,
        folder=tmp_path,
        report=lambda epoch, _: seen.append(epoch),
    )
    assert result.history.validation[result.history.best] < 0.95 * np.log(3)
    assert seen == list(range(1, len(result.history) + 1))
    assert (tmp_path / METRICS).read_text().count("\n") == 1 + len(seen)
    assert not (tmp_path / CHECKPOINT).exists()
    found = model.probabilities(data.arrays)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(found)), abs=1e-5)
    again = load_model(save_model(model, tmp_path / "model"), EventModel)
    assert np.array_equal(again.probabilities(data.arrays), found)
    mine = data.validation & (data.label == 1)
    rest = data.validation & (data.label != 1)
    assert found[mine, 1].mean() > found[rest, 1].mean() + 0.05


SIGNED_SPEC = FeatureSpec((Feature("x", "x"),))


def signed_sample(count: int, seed: int) -> ClassifierData:
    """Signal N(1, 1); background N(0, 1) generated as 2 N(0, 1) + N(1, 1) - N(1, 1).

    A third of the background's weight comes from events at the signal's place and is cancelled by
    negative ones there, so that only with the signs the log of the likelihood ratio is x - 1/2.
    """
    generator = np.random.default_rng(seed)
    part = generator.choice(4, count, p=[0.4, 0.2, 0.2, 0.2])  # signal, N(0, 1), and the pair
    x = generator.normal(np.where(part == 1, 0.0, 1.0), 1.0).astype(np.float32)[:, None]
    return ClassifierData(
        arrays=FeatureArrays(x, np.zeros((count, 0), dtype=np.int64)),
        label=(part > 0).astype(np.int64),
        weight=np.where(part == 3, -1.0, 1.0),
        validation=held_out(np.arange(count, dtype=np.uint64), 0.25, seed=seed),
        classes=("lq", "ttH"),
        signal="lq",
        spec=SIGNED_SPEC,
    )


def test_signed_weights_recover_the_true_likelihood_ratio(tmp_path: Path) -> None:
    data = signed_sample(12_000, 1)
    at = np.linspace(-1.0, 2.0, 7, dtype=np.float32)
    points = FeatureArrays(at[:, None], np.zeros((7, 0), dtype=np.int64))
    odds = {}
    for kind in ("signed", "absolute"):
        config = TrainingConfig(
            epochs=8, batch_size=512, learning_rate=5e-3, weights=kind, average_decay=0.95
        )
        model, _ = train_classifier(RESNET, config, data, seed=1, folder=tmp_path / kind)
        found = model.probabilities(points).astype(np.float64)
        odds[kind] = np.log(found[:, 0] / found[:, 1])
    assert odds["signed"] == pytest.approx(at - 0.5, abs=0.3)
    background = (np.exp(-(at**2) / 2) + 2 * np.exp(-((at - 1) ** 2) / 2)) / 3
    wrong = -((at - 1) ** 2) / 2 - np.log(background)
    assert odds["absolute"] == pytest.approx(wrong, abs=0.3)
    assert abs(odds["absolute"] - (at - 0.5)).max() > 0.7


def test_negative_weights_of_trees_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="QL-MODEL-002"):
        train_classifier(MODELS["bdt"], SHORT, signed_sample(400, 2), seed=1, folder=tmp_path)


def test_a_second_phase_gives_the_signals_sigmoid(tmp_path: Path) -> None:
    data = classifier_data()
    config = TrainingConfig(
        epochs=2,
        batch_size=64,
        learning_rate=0.01,
        second_phase={"learning_rate": 1e-3, "epochs": 2},
    )
    seen: list[int] = []
    model, result = train_classifier(
        RESNET, config, data, seed=2, folder=tmp_path, report=lambda epoch, _: seen.append(epoch)
    )
    assert model.classes == ("lq", "rest")
    assert seen == [1, 2, 3, 4]
    second = result.second_phase
    assert second is not None
    assert (tmp_path / SECOND_PHASE / METRICS).read_text() == second.history.as_csv()
    assert "auc_ttH" in result.history.epochs[0]
    assert "auc_ttH" not in second.history.epochs[0]
    out = data.validation
    right = (model.probabilities(data.arrays[out])[:, 0] > 0.5) == (data.label[out] == 1)
    best = second.history.epochs[second.history.best]
    assert float(right.mean()) == pytest.approx(best["accuracy_raw"])
    again = load_model(save_model(model, tmp_path / "model"), EventModel)
    assert again.classes == model.classes


def test_a_second_phase_of_two_classes_keeps_their_names(tmp_path: Path) -> None:
    data = classifier_data(classes=("VV", "lq"))
    config = SHORT.model_copy(update={"epochs": 1})
    phases = TrainingConfig(**config.model_dump() | {"second_phase": {"epochs": 1}})
    model, _ = train_classifier(RESNET, phases, data, seed=2, folder=tmp_path)
    assert model.classes == ("lq", "VV")


def test_training_is_a_function_of_the_seed(tmp_path: Path) -> None:
    data = classifier_data()
    keys = [
        model_key(
            save_model(
                train_classifier(RESNET, SHORT, data, seed=seed, folder=tmp_path / f"t{number}")[0],
                tmp_path / f"m{number}",
            )
        )
        for number, seed in enumerate((1, 1, 2))
    ]
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]


def test_whole_groups_are_held_out() -> None:
    group = np.repeat(np.arange(5000, dtype=np.uint64), 3)
    out = held_out(group, 0.2, seed=1)
    assert (out.reshape(-1, 3) == out.reshape(-1, 3)[:, :1]).all()
    assert out.mean() == pytest.approx(0.2, abs=0.02)
    assert not np.array_equal(out, held_out(group, 0.2, seed=2))


def saved(folder: Path, **keys: Any) -> Path:
    model, _ = train_classifier(
        keys.pop("model", RESNET), SHORT, classifier_data(**keys), seed=2, folder=folder / "t"
    )
    return save_model(model, folder / "m")


def test_a_warm_start_begins_where_its_parent_ended(tmp_path: Path) -> None:
    parent = saved(tmp_path)
    start = read_warm_start(parent)
    config = SHORT.model_copy(update={"epochs": 1, "learning_rate": 1e-5})
    data = classifier_data()
    cold, warm = (
        train_classifier(RESNET, config, data, seed=7, folder=tmp_path / name, warm_start=given)[1]
        for name, given in (("cold", None), ("warm", start))
    )
    assert warm.history.validation[0] < 0.9 * cold.history.validation[0]
    assert warm.warm_start is not None
    assert warm.warm_start.parent == model_key(parent)
    assert warm.warm_start.skipped == ()
    assert cold.warm_start is None


def test_a_warm_start_of_other_classes_takes_what_fits_and_says_what_does_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start = read_warm_start(saved(tmp_path, classes=(*CLASSES, "ttW")))
    with caplog.at_level(logging.WARNING, "quarkline"):
        _, result = train_classifier(
            RESNET, SHORT, classifier_data(), seed=7, folder=tmp_path, warm_start=start
        )
    assert result.warm_start is not None
    assert len(result.warm_start.loaded) > 5
    assert all("is (3" in line and "here, (4" in line for line in result.warm_start.skipped)
    assert len(result.warm_start.skipped) == 2
    assert "QL-TRAIN-017" in caplog.text


def test_a_warm_start_of_another_network_is_refused(tmp_path: Path) -> None:
    start = read_warm_start(saved(tmp_path))
    strange = replace(
        start, weights={f"other.{name}": item for name, item in start.weights.items()}
    )
    with pytest.raises(InputError, match=r"QL-TRAIN-017.*fits 0 of \d+ weights.*absent here"):
        train_classifier(
            RESNET, SHORT, classifier_data(), seed=7, folder=tmp_path, warm_start=strange
        )


def test_a_warm_start_of_other_features_is_refused(tmp_path: Path) -> None:
    start = read_warm_start(saved(tmp_path))
    data = classifier_data()
    fewer = replace(data.spec, continuous=data.spec.continuous[:2])
    other = replace(
        data, spec=fewer, arrays=replace(data.arrays, continuous=data.arrays.continuous[:, :2])
    )
    with pytest.raises(InputError, match=r"QL-TRAIN-019.*other features: `x2`"):
        train_classifier(RESNET, SHORT, other, seed=7, folder=tmp_path, warm_start=start)


def test_what_holds_no_weights_is_no_warm_start(tmp_path: Path) -> None:
    damaged = tmp_path / "weights.safetensors"
    damaged.write_bytes(b"no weights")
    for path in (tmp_path / "absent", damaged, tmp_path):
        with pytest.raises(InputError, match="QL-TRAIN-018"):
            read_warm_start(path)
