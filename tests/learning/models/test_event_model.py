"""Models as folders, and folds of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file, save_file

from quarkline.engine.core.findings import InputError
from quarkline.engine.store.keys import content_key
from quarkline.learning.features.arrays import MISSING, FeatureArrays
from quarkline.learning.models.artifact import load_model, model_key, save_model
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.folded import FoldedModel

from .conftest import CLASSES, SETTINGS, arrays, event_model, folded_model

every_kind = pytest.mark.parametrize("kind", list(SETTINGS))


@every_kind
def test_probabilities_add_up_to_one(kind: str) -> None:
    found = event_model(kind).probabilities(arrays(seed=9))
    assert found.dtype == np.float32
    assert found.shape == (200, len(CLASSES))
    assert found.sum(axis=1) == pytest.approx(np.ones(200), abs=1e-6)
    assert event_model(kind).probabilities(arrays()[:0]).shape == (0, len(CLASSES))


@every_kind
def test_events_unlike_all_that_were_seen_have_a_score(kind: str) -> None:
    events = arrays(4)
    events.continuous[:] = [[np.nan, np.nan], [3e38, -3e38], [0, -1e-30], [1, 1]]
    events.categorical[:] = [[MISSING, MISSING], [99, -99], [2**62, 0], [11, 11]]
    events.objects["jets"].values[:] = np.nan
    events.objects["jets"].present[:] = [[False] * 3, [True] * 3, [True, False, True], [False] * 3]
    assert np.isfinite(event_model(kind).probabilities(events)).all()


@every_kind
def test_order_and_company_of_events_change_less_than_1e_6(kind: str) -> None:
    model, events = event_model(kind), arrays(seed=3)
    whole = model.probabilities(events)
    order = np.random.default_rng(1).permutation(len(events))
    assert np.abs(model.probabilities(events[order]) - whole[order]).max() < 1e-6
    parts = [model.probabilities(events[start : start + 7]) for start in range(0, 200, 7)]
    assert np.abs(np.concatenate(parts) - whole).max() < 1e-6


@every_kind
def test_a_model_comes_back_from_its_folder(kind: str, tmp_path: Path) -> None:
    model = event_model(kind)
    loaded = load_model(save_model(model, tmp_path / "a"), EventModel)
    assert np.array_equal(loaded.probabilities(arrays()), model.probabilities(arrays()))
    assert (loaded.classes, loaded.spec, loaded.config) == (model.classes, model.spec, model.config)
    save_model(loaded, tmp_path / "b")
    assert model_key(tmp_path / "a") == model_key(tmp_path / "b")
    save_model(event_model(kind, seed=2), tmp_path / "c")
    assert model_key(tmp_path / "a") != model_key(tmp_path / "c")


@every_kind
def test_one_damaged_byte_is_refused(kind: str, tmp_path: Path) -> None:
    save_model(event_model(kind), tmp_path)
    for path in [path for path in tmp_path.iterdir() if path.is_file()]:
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(InputError, match=r"the model in .* is refused"):
            load_model(tmp_path, EventModel)
        path.write_bytes(content)
    load_model(tmp_path, EventModel)


def _resealed(folder: Path, name: str) -> None:
    """Make a folder consistent again after a file was exchanged, as an attacker or a bug would."""
    from quarkline.engine.core.results import pretty_json
    from quarkline.engine.store.filekeys import file_key
    from quarkline.engine.store.keys import content_key

    description = json.loads((folder / "model.json").read_text())
    description.pop("seal")
    description["files"][name] = file_key(folder / name).digest
    sealed = description | {"seal": content_key(description)}
    (folder / "model.json").write_text(pretty_json(sealed))


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("enter.weight", None, "Missing key"),
        ("other.weight", torch.zeros(2), "Unexpected key"),
        ("enter.weight", torch.zeros(16, 3), "size mismatch"),
        ("enter.weight", torch.zeros(16, 34), "does not reproduce its test vectors"),
    ],
    ids=["missing", "unknown", "shape", "values"],
)
def test_weights_that_do_not_fit_are_refused(
    tmp_path: Path, name: str, change: torch.Tensor | None, why: str
) -> None:
    save_model(event_model("resnet"), tmp_path)
    weights = load_file(tmp_path / "weights.safetensors")
    assert weights["enter.weight"].shape == (16, 2 + 16 + 16)
    if change is None:
        del weights[name]
    else:
        weights[name] = change
    save_file(weights, tmp_path / "weights.safetensors")
    _resealed(tmp_path, "weights.safetensors")
    with pytest.raises(InputError, match=why):
        load_model(tmp_path, EventModel)


def test_another_geometry_is_refused(tmp_path: Path) -> None:
    save_model(event_model("resnet"), tmp_path)
    made = json.loads((tmp_path / "preprocess.json").read_text())
    made["codes"][0].append(7)
    (tmp_path / "preprocess.json").write_text(json.dumps(made))
    _resealed(tmp_path, "preprocess.json")
    with pytest.raises(InputError, match="made for inputs"):
        load_model(tmp_path, EventModel)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    save_model(event_model("resnet"), tmp_path / "one")
    with pytest.raises(InputError, match="event-classifier, not a folded-event-classifier"):
        load_model(tmp_path / "one", FoldedModel)
    with pytest.raises(InputError, match=r"model\.json cannot be read"):
        load_model(tmp_path / "none", EventModel)


def _expected(model: FoldedModel, events: FeatureArrays, fold: np.ndarray) -> np.ndarray:
    """Event after event, the mean over the members of its fold."""
    rows = []
    for index in range(len(events)):
        one = events[index : index + 1]
        found = [member.probabilities(one)[0] for member in model.members[fold[index]]]
        rows.append(np.mean(found, axis=0))
    return np.array(rows)


@pytest.mark.parametrize("members", [1, 2])
def test_an_event_is_scored_by_its_fold(members: int) -> None:
    model, events = folded_model("resnet", members=members), arrays(30, seed=4)
    fold = np.arange(30) % 3
    found = model.probabilities(events, fold)
    assert found == pytest.approx(_expected(model, events, fold), abs=1e-6)
    assert np.abs(found - model.probabilities(events, np.zeros(30))).max() > 0.01


def test_folds_that_are_not_there_are_refused() -> None:
    model = folded_model("resnet")
    for wrong in (3, -1):
        with pytest.raises(ValueError, match="folds are 0 to 2"):
            model.probabilities(arrays(4), np.full(4, wrong))


@pytest.mark.parametrize(("kind", "members"), [("resnet", 2), ("bdt", 1)])
def test_folds_come_back_from_their_folder(kind: str, members: int, tmp_path: Path) -> None:
    model, fold = folded_model(kind, 2, members), np.arange(200) % 2
    loaded = load_model(save_model(model, tmp_path / "a"), FoldedModel)
    assert np.array_equal(loaded.probabilities(arrays(), fold), model.probabilities(arrays(), fold))
    assert (loaded.group, loaded.identity, loaded.seed) == (model.group, model.identity, 7)
    assert loaded.training_key == model.training_key
    save_model(loaded, tmp_path / "b")
    assert model_key(tmp_path / "a") == model_key(tmp_path / "b")


def test_exchanged_folds_are_refused(tmp_path: Path) -> None:
    """Each is whole by itself, but simulation would be scored by the model that has seen it."""
    save_model(folded_model("resnet", 2), tmp_path)
    (tmp_path / "fold-0").rename(tmp_path / "x")
    (tmp_path / "fold-1").rename(tmp_path / "fold-0")
    (tmp_path / "x").rename(tmp_path / "fold-1")
    with pytest.raises(InputError, match=r"not the file it was made with: fold-0/"):
        load_model(tmp_path, FoldedModel)


def test_a_model_that_took_the_mean_for_data_is_refused(tmp_path: Path) -> None:
    save_model(folded_model("resnet", 2), tmp_path)
    told = json.loads((tmp_path / "model.json").read_text())
    del told["seal"], told["model"]["identity"]
    (tmp_path / "model.json").write_text(json.dumps(told | {"seal": content_key(told)}))
    with pytest.raises(InputError, match="an earlier version made it") as refused:
        load_model(tmp_path, FoldedModel)
    assert refused.value.findings[0].suggestion == "run the stage that made it again"


def test_folds_say_what_they_are_a_function_of() -> None:
    whole = folded_model("resnet", 2)
    for missing in ("group", "identity"):
        with pytest.raises(ValueError, match="a function of"):
            replace(whole, **{missing: ()})
