"""A real network of the CalRatio trainer gives its reference scores, and is a model as any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.engine.core.findings import InputError
from quarkline.learning.models.artifact import load_model, save_model
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.keras_layers import read_keras_weights
from quarkline.studies.tagging.upstream import INPUTS, examples, jets, upstream_model


@pytest.fixture(scope="module")
def folder(data_folder: Path) -> Path:
    return data_folder / "calratio" / "model"


@pytest.fixture(scope="module")
def model(folder: Path) -> EventModel:
    return upstream_model(read_keras_weights(folder / "final_model_weights_1.keras"))


def test_the_192_reference_scores_come_out(model: EventModel, folder: Path) -> None:
    with np.load(folder / "epoch1_reference_scores.npz") as held:
        given = jets(*(held[name] for name in ("jet", "constit", "track", "MSeg")))
        expected = held["scores"]
    assert expected.shape == (192, 3)
    assert model.probabilities(given) == pytest.approx(expected, abs=1e-5)


def test_both_files_of_keras_hold_such_weights(folder: Path) -> None:
    with np.load(folder / "epoch1_weights.npz") as held:
        expected = dict(held)
    found = read_keras_weights(folder / "final_model_weights_1.keras")
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], array) for name, array in expected.items())
    first = read_keras_weights(folder / "final_model.keras")  # those before the first epoch
    assert {name: array.shape for name, array in first.items()} == {
        name: array.shape for name, array in expected.items()
    }
    assert np.array_equal(first["lstm/bias"], np.repeat([0, 1, 0, 0], 10))
    scores = upstream_model(first).probabilities(examples())
    assert np.abs(scores - upstream_model(found).probabilities(examples())).max() > 0.01


def test_it_is_kept_as_every_model_is(model: EventModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model", EventModel)
    assert (again.classes, again.spec) == (("qcd", "signal", "bib"), INPUTS)
    assert np.array_equal(again.probabilities(examples(20)), model.probabilities(examples(20)))


def test_examples_go_from_an_empty_jet_to_a_full_one() -> None:
    present = {name: group.present.sum(axis=1) for name, group in examples().objects.items()}
    assert {name: (counts[0], counts[-1]) for name, counts in present.items()} == {
        "constit": (0, 30),
        "track": (0, 20),
        "MSeg": (0, 30),
    }


def test_huge_and_missing_values_are_read_as_the_trainer_does(model: EventModel) -> None:
    """No bound on a muon segment's time of 1e5; what is not finite is 0."""
    given = examples()
    values = given.objects["MSeg"].values
    values[-1, 0, 5] = 99_999.0
    plain = model.probabilities(given)
    values[-1, 0, 5] = 1.0
    assert not np.allclose(model.probabilities(given)[-1], plain[-1], atol=1e-4)
    values[-1, 0, 5] = 0.0
    expected = model.probabilities(given)
    for value in (np.nan, np.inf, -np.inf):
        values[-1, 0, 5] = value
        assert np.array_equal(model.probabilities(given), expected)


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    weights = read_keras_weights(folder / "final_model_weights_1.keras")
    weights["lstm_2/bias"] = np.zeros(40, np.float32)
    with pytest.raises(InputError, match=r"`lstm_2/bias` has shape \(40,\), not \(20,\)"):
        upstream_model(weights)
